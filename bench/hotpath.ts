/**
 * Measures the cost of a message up to the wire, against the floor and other clients.
 *
 *     npm run -s bench -- hotpath [--json] [--profile] [name…]
 *
 * Names select the groups whose title contains one of them; the default is all. `--profile` writes a CPU profile to the
 * working directory.
 */
import { compiled, runCompiled } from "./compiled.js"

export const run = async (args: ReadonlyArray<string>): Promise<void> => {
  await compiled("hotpath/server.ts")
  await runCompiled(
    "hotpath/main.ts",
    args.filter((word) => word !== "--profile"),
    args.includes("--profile") ? ["--cpu-prof"] : []
  )
}
