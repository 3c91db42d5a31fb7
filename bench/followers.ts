/**
 * Measures the cost of one more follower among a thousand that share: CPU time of its start, heap while it waits, CPU
 * time of a delivery.
 *
 * `npm run -s bench -- followers [--json]`. The thousand follow before the measurement starts. The cluster runs in this
 * process, so figures that need its answers include its work.
 */
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import type { Address } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as EmbeddedCluster from "../layers/EmbeddedCluster.js"
import * as RpcPoolEmbedded from "../layers/RpcPoolEmbedded.js"
import * as Message from "../services/Message.js"
import * as PayloadStore from "../services/PayloadStore.js"
import * as Transactions from "../services/Transactions.js"
import * as Addresses from "../src/solana/Address.js"

setFlagsFromString("--expose-gc")
const collect: () => void = runInNewContext("gc")

const BEFORE = 1000
const MEASURED = 1000

const recipient = (number: number): Address => {
  const bytes = new Uint8Array(32).fill(3)
  new DataView(bytes.buffer).setUint32(0, number)
  return Addresses.fromBytes(bytes)
}

const kib = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KiB`

const heap = Effect.sync(() => {
  collect()
  collect()
  return process.memoryUsage().heapUsed
})

const services = Message.layer.pipe(
  Layer.provide(Layer.merge(Transactions.layer(), PayloadStore.layerMemory)),
  Layer.provide(RpcPoolEmbedded.layer),
  Layer.provide(EmbeddedCluster.layer())
)

const measure = Effect.gen(function* () {
  const { inbox } = yield* Message.Message
  const scope = yield* Scope.make()
  const start = (from: number, count: number, address: (number: number) => Address) =>
    Effect.gen(function* () {
      for (let number = from; number < from + count; number++) {
        yield* Effect.forkIn(Stream.runDrain(inbox(address(number), { follow: true })), scope)
      }
      yield* Effect.sleep("500 millis")
    })
  const addresses = Array.from({ length: 2 * MEASURED + BEFORE }, (_, number) => recipient(number))
  const at = (number: number): Address => addresses[number] ?? recipient(number)

  /** A fiber that drains an idle stream: the cost of any consumer in Effect. */
  const waiting = Effect.unsafeMakeLatch(false)
  const idle = Stream.repeatEffectChunkOption<never, never, never>(Effect.zipRight(waiting.await, Effect.never))
  const idles = Effect.gen(function* () {
    for (let number = 0; number < MEASURED; number++) yield* Effect.forkIn(Stream.runDrain(idle), scope)
    yield* Effect.sleep("500 millis")
  })
  yield* idles
  const floorBefore = yield* heap
  const floorCpu = process.cpuUsage()
  yield* idles
  const idled = process.cpuUsage(floorCpu)
  const floor = ((yield* heap) - floorBefore) / MEASURED

  yield* start(0, BEFORE, at)
  // The second thousand also warms the code.
  yield* start(BEFORE, MEASURED, at)
  const before = yield* heap
  const cpu = process.cpuUsage()
  yield* start(BEFORE + MEASURED, MEASURED, at)
  const { system, user } = process.cpuUsage(cpu)
  const after = yield* heap
  const closing = process.cpuUsage()
  yield* Scope.close(scope, Exit.void)
  const closed = process.cpuUsage(closing)
  return {
    startMicros: (system + user) / MEASURED,
    heapBytes: (after - before) / MEASURED,
    floorHeapBytes: floor,
    floorStartMicros: (idled.system + idled.user) / MEASURED,
    closeMicros: (closed.system + closed.user) / (BEFORE + 4 * MEASURED)
  }
})

export const run = async (args: ReadonlyArray<string>): Promise<void> => {
  const figures = await Effect.runPromise(Effect.provide(measure, services))
  if (args.includes("--json")) {
    console.log(JSON.stringify(figures))
    return
  }
  const { closeMicros, floorHeapBytes, floorStartMicros, heapBytes, startMicros } = figures
  console.log(`One more follower, after ${BEFORE + MEASURED} that share, and of it what any drained Stream costs:`)
  console.log(
    `  start  ${startMicros.toFixed(0)} µs of CPU, of it ${floorStartMicros.toFixed(0)} (goal for the rest: 200)`
  )
  console.log(`  heap   ${kib(heapBytes)}, of it ${kib(floorHeapBytes)} (goal for the rest: 8)`)
  console.log(`  end    ${closeMicros.toFixed(0)} µs of CPU`)
}
