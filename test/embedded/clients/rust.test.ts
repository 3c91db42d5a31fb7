/**
 * The Rust client `solana-rpc-client` against the served cluster. Its first build takes minutes, so it runs with
 * `CLIENTS=all` alone; without that or without cargo the test is skipped, and says so. `CARGO_TARGET_DIR` keeps a build.
 */
import { execFile, spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as EmbeddedCluster from "../../../layers/EmbeddedCluster.js"
import * as Server from "../../../layers/EmbeddedServer.js"

const MANIFEST = fileURLToPath(new URL("rust/Cargo.toml", import.meta.url))

const isAsked = process.env["CLIENTS"] === "all"
const isThere = isAsked && spawnSync("cargo", ["--version"]).status === 0
if (!isAsked) console.warn("skipped: the Rust client takes minutes to build; CLIENTS=all runs it")
else if (!isThere) console.warn("skipped: cargo is not installed")

const run = promisify(execFile)

it.scopedLive.skipIf(!isThere)(
  "Given the Rust client, When it airdrops, transfers, reads accounts and asks the node, Then all works",
  () =>
    Effect.gen(function* () {
      const { url } = yield* Server.serve()
      const { stdout } = yield* Effect.promise((signal) =>
        run("cargo", ["run", "--quiet", "--locked", "--manifest-path", MANIFEST, "--", url], { signal })
      )
      assert.strictEqual(stdout, "ok\n")
    }).pipe(Effect.provide(EmbeddedCluster.layer())),
  3_600_000
)
