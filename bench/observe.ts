/**
 * Measures the cost of observation: metrics, traces, the fiber console and the profiler.
 *
 *     npm run -s bench -- observe [--json] [--assert]
 *
 * `observe/main.ts` describes the cases and their goals.
 */
import { runCompiled } from "./compiled.js"

export const run = (args: ReadonlyArray<string>): Promise<void> => runCompiled("observe/main.ts", args)
