/**
 * The guide's two tables: agent registration × 1,000 and message send × 10,000. Each operation is confirmed before the
 * next, with this SDK and with others, against the embedded cluster served in another process. Each SDK runs in its own
 * process too.
 *
 *     npm run -s bench -- sdks [--share 0.1] [--json] [--html FILE] [--compare] [--assert]
 *
 * `--share` runs a part of the operations. The first run installs the other SDKs and builds the client in Rust with
 * cargo. Without cargo, the row of that client is a failure. The report names the limits of each SDK. Besides the times,
 * it has CPU time and bytes per operation in the client, the client's largest RSS, and the calls that the node served.
 */
import { compiled, runCompiled } from "./compiled.js"

export const run = async (args: ReadonlyArray<string>): Promise<void> => {
  await compiled("sdks/node.ts")
  await compiled("sdks/contender.ts")
  await runCompiled("sdks/main.ts", args)
}
