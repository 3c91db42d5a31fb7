/**
 * Measures the CPU time of the process, and says what machine it is.
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
 * A stopwatch for platforms that do not tell the CPU time, such as browsers: it counts time on the clock, in which other
 * work of the machine counts too.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerClock: Layer.Layer<Stopwatch> = /* @__PURE__ */ Layer.succeed(Stopwatch, {
  cpuMicros: /* @__PURE__ */ Effect.map(Clock.currentTimeNanos, (nanos) => Number(nanos) / 1000),
  machine: /* @__PURE__ */ Effect.succeed({ cpu: "unknown", cores: 1, runtime: "unknown" })
})

/**
 * A stopwatch of stubs: a member that is not given dies with its name.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerTest = (stubs: Partial<Service>): Layer.Layer<Stopwatch> => TestLayer.layer(Stopwatch, stubs)
