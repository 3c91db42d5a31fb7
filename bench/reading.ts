/**
 * Measures reading at memory speed: hits in memory and on disk, searches, the index, events, and many readers of one
 * account, each against a base.
 *
 *     npm run -s bench -- reading [--json] [--alone] [--million]
 *
 * `--million` also builds and searches an index of 1,000,000 agents, which takes minutes and 3 GB of memory. `--alone`
 * excludes the search libraries, which are installed under `bench/peers` on first use. Each report has its base a
 * second time: the difference of that row from 1 is noise. Goals for absolute times depend on the machine.
 */
import { compiled, runCompiled } from "./compiled.js"

export const run = async (args: ReadonlyArray<string>): Promise<void> => {
  await compiled("reading/index.ts")
  await runCompiled("reading/main.ts", args)
}
