/**
 * What a message costs on its way to the wire, against the floor and the clients that others wrote.
 *
 *     npm run -s bench -- hotpath [--json] [--profile] [name…]
 *
 * runs the groups whose title contains a name, or all. `--profile` writes a CPU profile to the working directory.
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
