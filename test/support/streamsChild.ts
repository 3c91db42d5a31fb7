/**
 * A process with subscriptions: `transport task url wsUrl`.
 *
 * - `dispose` follows an account in two ways, closes the runtime and writes how each Stream ended. Then it has nothing to do.
 * - `slow` reads one notification, sleeps over the next, and writes by how many bytes its memory grew at most.
 */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Stream from "effect/Stream"
import * as CatchUp from "../../services/Follow.js"
import { RpcPool } from "../../services/RpcPool.js"
import * as Address from "../../src/solana/Address.js"
import { transports } from "../layers/transports.js"

const [name = "", task = "", url = "", wsUrl = ""] = process.argv.slice(2)

const transport = transports.find(([known]) => known === name)?.[1] ?? transports[0][1]
const runtime = ManagedRuntime.make(Layer.scoped(RpcPool, transport.pool({ url, wsUrl })))
const ACCOUNT = Address.SYSTEM_PROGRAM

const ended = <A, E extends { readonly reason: string }, R>(label: string, stream: Stream.Stream<A, E, R>) =>
  Stream.runDrain(stream).pipe(
    Effect.matchEffect({
      onFailure: ({ reason }) => Console.log(label, reason),
      onSuccess: () => Console.log(label, "end")
    })
  )

const reasonOf = CatchUp.account(ACCOUNT).pipe(
  Stream.mapError((error) => ({ reason: "reason" in error ? error.reason : error._tag }))
)

const dispose = async () => {
  await runtime.runtime()
  const bare = runtime.runFork(Effect.flatMap(RpcPool, (rpc) => ended("bare", rpc.accountSubscribe(ACCOUNT))))
  const following = runtime.runFork(ended("follow", reasonOf))
  await new Promise((resolve) => setTimeout(resolve, 1000))
  await runtime.dispose()
  await Effect.runPromise(Effect.zip(Fiber.join(bare), Fiber.join(following)))
}

const slow = async () => {
  let most = 0
  let start = 0
  let begin: () => void
  const begun = new Promise<void>((resolve) => (begin = resolve))
  const onNotification = () => {
    if (start > 0) return Effect.sleep("5 seconds")
    start = process.memoryUsage().rss
    begin()
    return Effect.void
  }
  const timer = setInterval(() => (most = Math.max(most, process.memoryUsage().rss - start)), 20)
  runtime.runFork(Effect.flatMap(RpcPool, (rpc) => Stream.runForEach(rpc.accountSubscribe(ACCOUNT), onNotification)))
  await begun
  most = 0
  await new Promise((resolve) => setTimeout(resolve, 4000))
  clearInterval(timer)
  console.log("grew", most)
  await runtime.dispose()
}

await (task === "slow" ? slow() : dispose())
