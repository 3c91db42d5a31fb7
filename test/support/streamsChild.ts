/**
 * A process with subscriptions: `transport task url wsUrl`.
 *
 * - `dispose` follows an account in two ways, closes the runtime and writes how each Stream ended. Then the process is
 *   idle.
 * - `slow` reads small notifications and stops at a large one. It writes the maximum growth of its memory in bytes, for
 *   each of three rounds.
 */
import * as Console from "effect/Console"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Schedule from "effect/Schedule"
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

const withReason = <A, E extends { readonly _tag: string; readonly reason?: string }, R>(
  stream: Stream.Stream<A, E, R>
) => Stream.mapError(stream, ({ _tag, reason = _tag }) => ({ reason }))

const reasonOf = withReason(CatchUp.account(ACCOUNT))

const dispose = async () => {
  await runtime.runtime()
  const bare = runtime.runFork(
    Effect.flatMap(RpcPool, (rpc) => ended("bare", withReason(rpc.accountSubscribe(ACCOUNT))))
  )
  const following = runtime.runFork(ended("follow", reasonOf))
  await new Promise((resolve) => setTimeout(resolve, 1000))
  await runtime.dispose()
  await Effect.runPromise(Effect.zip(Fiber.join(bare), Fiber.join(following)))
}

/** Notifications after which the process is warm, so that only large notifications cause growth. */
const WARM = 100
const ROUNDS = 3

/** Maximum growth of the process in bytes, within the time. */
const growth = (start: number, duration: Duration.DurationInput) =>
  Effect.gen(function* () {
    let most = 0
    yield* Effect.sync(() => (most = Math.max(most, process.memoryUsage.rss() - start))).pipe(
      Effect.schedule(Schedule.spaced("20 millis")),
      Effect.timeoutOption(duration)
    )
    return most
  })

/** Reads the small notifications, and stops while large ones come. */
const slowReader = (onWarm: Effect.Effect<unknown>, onLarge: Effect.Effect<unknown>) =>
  Effect.flatMap(RpcPool, (rpc) => {
    let read = 0
    return Stream.runForEach(rpc.accountSubscribe(ACCOUNT), ({ value }) => {
      read++
      if (value.data.length > 0) return Effect.zipRight(onLarge, Effect.never)
      return read === WARM ? onWarm : Effect.void
    })
  })

const slow = Effect.gen(function* () {
  const rpc = yield* RpcPool
  const peaks: Array<number> = []
  let start: number | undefined
  for (let round = 0; round < ROUNDS; round++) {
    const warm = yield* Effect.makeLatch(false)
    const large = yield* Effect.makeLatch(false)
    const reader = yield* Effect.fork(Effect.ignore(slowReader(warm.open, large.open)))
    yield* warm.await
    yield* Effect.sync(() => globalThis.gc?.())
    start ??= process.memoryUsage.rss()
    // The node sends large notifications from now on.
    yield* rpc.getBalance(ACCOUNT)
    peaks.push(yield* growth(start, "2 seconds"))
    yield* large.await
    yield* Fiber.interrupt(reader)
  }
  yield* Console.log(JSON.stringify(peaks))
})

void (task === "slow" ? runtime.runPromise(slow).finally(() => runtime.dispose()) : dispose())
