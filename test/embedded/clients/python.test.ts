/**
 * The Python client `solana` (with `solders`) against the served cluster. Without them the test is skipped, and says so:
 * `pip install solana==0.36.9`. The variable `PYTHON` names the interpreter, by default `python3`.
 */
import { execFile, spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as EmbeddedCluster from "../../../layers/EmbeddedCluster.js"
import * as Server from "../../../layers/EmbeddedServer.js"

const PYTHON = process.env["PYTHON"] ?? "python3"

const isThere = spawnSync(PYTHON, ["-c", "import solana, solders"]).status === 0
if (!isThere) console.warn(`skipped: ${PYTHON} has no module solana; pip install solana==0.36.9`)

const run = promisify(execFile)

it.scopedLive.skipIf(!isThere)(
  "Given solana-py, When it airdrops, transfers, reads and asks the node, Then all works",
  () =>
    Effect.gen(function* () {
      const { url } = yield* Server.serve()
      const script = fileURLToPath(new URL("client.py", import.meta.url))
      const { stdout } = yield* Effect.promise((signal) => run(PYTHON, [script, url], { signal }))
      assert.strictEqual(stdout, "ok\n")
    }).pipe(Effect.provide(EmbeddedCluster.layer()))
)
