/** The embedded cluster with the program. A bundle lies elsewhere than the program, so the cluster cannot find it by itself. */
import { readFileSync } from "node:fs"
import * as path from "node:path"
import * as EmbeddedCluster from "../../layers/EmbeddedCluster.js"
import { PROGRAM_ID } from "../../src/protocol/Program.js"

export const layer = (options: EmbeddedCluster.Options = {}) => {
  const elf = readFileSync(path.join(process.env["BENCH_ROOT"] ?? process.cwd(), "program/pod_com.so"))
  return EmbeddedCluster.layer({ ...options, podProgram: false, programs: [{ address: PROGRAM_ID, elf }] })
}
