/**
 * Measures the cost of observation: metrics, traces, the fiber console and the profiler.
 *
 *     npm run -s bench -- observe [--json] [--assert]
 *
 * `observe/main.ts` describes the cases and their goals.
 */
import { compiled, runCompiled } from "./compiled.js"
import { withoutObservation } from "./observe/withoutObservation.js"

export const run = async (args: ReadonlyArray<string>): Promise<void> => {
  const parts = [
    await compiled("observe/fibers.ts"),
    await compiled("observe/message.ts"),
    await compiled("observe/message.ts", withoutObservation)
  ]
  await runCompiled("observe/main.ts", [...parts, ...args])
}
