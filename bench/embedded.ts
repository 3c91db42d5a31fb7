/**
 * The embedded cluster with the PoD program. The program is read from the repository: a bundled benchmark has no copy.
 */
import { readFileSync } from "node:fs"
import * as path from "node:path"
import * as EmbeddedCluster from "../layers/EmbeddedCluster.js"
import { PROGRAM_ID } from "../src/protocol/Program.js"

/** Of instant mode, in blocks. web3.js keeps a blockhash for 30 seconds, in which other clients make many blocks. */
const BLOCKHASH_LIFETIME = 100_000

export const withProgram = (options: EmbeddedCluster.Options = {}): EmbeddedCluster.Options => {
  const elf = readFileSync(path.join(process.env["BENCH_ROOT"] ?? process.cwd(), "program/pod_com.so"))
  return {
    ...(options.blockMode === "interval" ? {} : { blockhashLifetime: BLOCKHASH_LIFETIME }),
    ...options,
    podProgram: false,
    programs: [{ address: PROGRAM_ID, elf }]
  }
}

export const layer = (options?: EmbeddedCluster.Options) => EmbeddedCluster.layer(withProgram(options))
