/**
 * The guide's two tables: agent registration × 1,000 and message send × 10,000. Each operation is confirmed before the
 * next, with this SDK and with others, against the embedded cluster served in another process. Each SDK runs in its own
 * process too.
 *
 *     npm run -s bench -- sdks [--share 0.1] [--json] [--html FILE] [--compare] [--assert]
 *
 * `--share` takes a part of the operations. Peers are installed, and the client in Rust is built by cargo, when they are first
 * needed; without cargo its row says so. What a peer cannot do is said in the report. Beside the times are the CPU time and the bytes of an operation in the client, its largest RSS, and the calls
 * that the node served.
 */
import { compiled, runCompiled } from "./compiled.js"

export const run = async (args: ReadonlyArray<string>): Promise<void> => {
  await compiled("sdks/node.ts")
  await compiled("sdks/contender.ts")
  await runCompiled("sdks/main.ts", args)
}
