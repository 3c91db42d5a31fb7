/**
 * Measures the CPU time of the process, and describes the machine.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Machine } from "../src/observe/BenchmarkReport.js"
import * as TestLayer from "./internal/testLayer.js"

/**
 * The operations of the stopwatch.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** Microseconds of CPU that the process has taken since it started, on all its threads. */
  readonly cpuMicros: Effect.Effect<number>
  readonly machine: Effect.Effect<Machine>
}

/**
 * The stopwatch of the process.
 *
 * @since 0.1.0
 * @category tags
 */
export class Stopwatch extends Context.Tag("@pod-protocol/effect/Stopwatch")<Stopwatch, Service>() {}

/**
 * A stopwatch for platforms that do not report CPU time, such as browsers. It measures time on the clock, which
 * includes other work of the machine.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerClock: Layer.Layer<Stopwatch> = /* @__PURE__ */ Layer.succeed(Stopwatch, {
  cpuMicros: /* @__PURE__ */ Effect.map(Clock.currentTimeNanos, (nanos) => Number(nanos) / 1000),
  machine: /* @__PURE__ */ Effect.succeed({ cpu: "unknown", cores: 1, runtime: "unknown" })
})

/**
 * A test layer from stubs: a call to a missing member dies with the member's name.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerTest = (stubs: Partial<Service>): Layer.Layer<Stopwatch> => TestLayer.layer(Stopwatch, stubs)
