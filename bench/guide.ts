/**
 * Measures the guide's six targets. Four are operations, each confirmed, over loopback and in one process with the
 * cluster: agent registration, message send, channel join and a batch of 100. Two are the memory and the CPU time of an
 * idle process.
 *
 *     npm run -s bench -- guide [--share 0.1] [--json] [--html FILE] [--compare] [--assert]
 *
 * `--share` takes a part of the operations: 1,000 registrations, sends and joins, and 200 batches.
 */
import { compiled, runCompiled } from "./compiled.js"

export const run = async (args: ReadonlyArray<string>): Promise<void> => {
  for (const file of ["sdks/node.ts", "guide/contender.ts", "guide/idle.ts"]) await compiled(file)
  await runCompiled("guide/main.ts", args)
}
