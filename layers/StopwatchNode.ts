/**
 * The stopwatch of Node.js.
 *
 * @since 0.1.0
 */
import * as Os from "node:os"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Stopwatch } from "../services/Stopwatch.js"

/**
 * Measures the CPU time of this process, user and system, including its garbage collector and its threads.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<Stopwatch> = /* @__PURE__ */ Layer.succeed(Stopwatch, {
  cpuMicros: /* @__PURE__ */ Effect.sync(() => {
    const { system, user } = process.cpuUsage()
    return system + user
  }),
  machine: /* @__PURE__ */ Effect.sync(() => {
    const cpus = Os.cpus()
    return {
      cpu: (cpus[0]?.model ?? "unknown").slice(0, 200),
      cores: cpus.length,
      runtime: `Node ${process.versions.node}`,
      load: Os.loadavg()[0] ?? 0
    }
  })
})
