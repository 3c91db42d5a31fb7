/**
 * Allocates by a scenario and a seed under a real memory monitor, collects forty times, and prints the suspicion.
 * `readOnce` only reads the memory and requests a collection. Run with `--expose-gc`.
 */
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as MemoryMonitorNode from "../../layers/MemoryMonitorNode.js"
import { MemoryMonitor } from "../../services/MemoryMonitor.js"

const TICKS = 40
const KILOBYTE = 1024

const [scenario = "", seedText = "1"] = process.argv.slice(2)

let state = Number(seedText)
const random = (): number => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
  return state / 2 ** 32
}

/** Bytes on the heap: an array of doubles. */
const onHeap = (kilobytes: number): unknown => Array.from({ length: kilobytes * 128 }, () => random())

const kept: Array<unknown> = []

const scenarios: Readonly<Record<string, (tick: number) => void>> = {
  leak: () => kept.push(onHeap(100 + 50 * random())),
  buffers: () => kept.push(new ArrayBuffer((100 + 50 * random()) * KILOBYTE)),
  sawtooth: (tick) => {
    if (tick % 6 === 0) kept.length = 0
    kept.push(onHeap(200 + 100 * random()))
  },
  cache: (tick) => {
    kept[tick < 10 ? tick : Math.floor(random() * 10)] = onHeap(300)
  },
  idle: () => undefined
}

const monitored = ManagedRuntime.make(MemoryMonitorNode.layer({ period: "100 millis" }))

const readOnce = Effect.gen(function* () {
  const { stats, triggerGc } = yield* MemoryMonitor
  return { stats: yield* stats, collection: yield* Effect.merge(triggerGc) }
})

const program = Effect.gen(function* () {
  const { stats, suspicion } = yield* MemoryMonitor
  for (let tick = 0; tick < TICKS; tick++) {
    scenarios[scenario]?.(tick)
    if (scenario !== "idle") globalThis.gc?.()
    yield* Effect.sleep("110 millis")
  }
  return { suspicion: yield* suspicion, stats: yield* stats, kept: kept.length }
})

// The runtime is not disposed of: the monitor's timer must not keep the process alive.
void monitored
  .runPromise<unknown, unknown>(scenario === "readOnce" ? readOnce : program)
  .then((result) => console.log(JSON.stringify(result)))
