/**
 * The embedded cluster with the PoD program. The program is read from the repository: a bundled benchmark has no copy.
 */
import { readFileSync } from "node:fs"
import * as path from "node:path"
import * as EmbeddedCluster from "../layers/EmbeddedCluster.js"
import { PROGRAM_ID } from "../src/protocol/Program.js"

export const withProgram = (options: EmbeddedCluster.Options = {}): EmbeddedCluster.Options => {
  const elf = readFileSync(path.join(process.env["BENCH_ROOT"] ?? process.cwd(), "program/pod_com.so"))
  return { ...options, podProgram: false, programs: [{ address: PROGRAM_ID, elf }] }
}

export const layer = (options?: EmbeddedCluster.Options) => EmbeddedCluster.layer(withProgram(options))
