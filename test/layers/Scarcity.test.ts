/** A process without file descriptors or without memory: each send ends in a receipt or in one typed error. */
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { build } from "esbuild"
import * as EmbeddedCluster from "../../layers/EmbeddedCluster.js"
import * as Server from "../../layers/EmbeddedServer.js"
import { bundled } from "../support/bundled.js"
import { STRANGER, walletOf } from "../support/transfers.js"

const SEED = 117
const ROOT = fileURLToPath(new URL("../..", import.meta.url))
const CHILD = fileURLToPath(new URL("../support/sendsChild.ts", import.meta.url))

interface Ended {
  readonly receipts: number
  readonly errors: number
  readonly tags: ReadonlyArray<string>
  readonly texts: ReadonlyArray<string>
}

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "sends-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true }))
)

/** The child in one file, as applications are deployed: a loader of TypeScript would fill most of a small heap. */
const inOneFile = Effect.tryMapPromise(temporary, {
  try: async (directory) => {
    const outfile = join(directory, "sends.mjs")
    const banner = { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url)' }
    await build({
      entryPoints: [CHILD],
      outfile,
      banner,
      bundle: true,
      minify: true,
      platform: "node",
      format: "esm",
      external: ["litesvm", "sodium-native"]
    })
    return outfile
  },
  catch: (cause) => cause
})

/** Runs `sendsChild.ts` with few file descriptors. */
const sends = (url: string, situation: string, count: number, loaded = [bundled(CHILD)]) =>
  Effect.async<Ended, Error>((resume) => {
    const node = [...loaded, url, `${SEED}`, `${count}`, situation]
    const child = spawn("bash", ["-c", 'ulimit -n 256; exec "$0" "$@"', process.execPath, ...node], { cwd: ROOT })
    let output = ""
    let complaints = ""
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on("data", (chunk: Buffer) => (complaints += chunk.toString()))
    child.once("close", (code) => {
      const ended = code === 0 ? Effect.sync((): Ended => JSON.parse(output)) : undefined
      resume(ended ?? Effect.die(`exit code ${code}: ${complaints.slice(-2000)}`))
    })
    return Effect.sync(() => child.kill("SIGKILL"))
  })

const served = Effect.gen(function* () {
  const { airdrop } = yield* EmbeddedCluster.EmbeddedCluster
  const { address } = yield* walletOf(SEED)
  yield* airdrop(address, 100_000_000_000n)
  yield* airdrop(STRANGER, 1_000_000_000n)
  return yield* Server.serve()
})

const cluster = Effect.provide(EmbeddedCluster.layer({ podProgram: false }))

describe("a process that is short of something", { timeout: 300_000 }, () => {
  it.scopedLive(
    "Given open connections and no free descriptor, When 200 messages are sent at once, Then all have receipts",
    () =>
      Effect.gen(function* () {
        const { url } = yield* served
        const { errors, receipts, texts } = yield* sends(url, "living", 200)
        assert.deepStrictEqual([receipts, errors, texts], [200, 0, []])
      }).pipe(cluster)
  )

  it.scopedLive(
    "Given no connection and no free descriptor, When 20 messages are sent, Then each error names the descriptors",
    () =>
      Effect.gen(function* () {
        const { url } = yield* served
        const { errors, tags, texts } = yield* sends(url, "none", 20)
        assert.deepStrictEqual([errors, tags], [20, ["RpcError"]])
        for (const text of texts) assert.match(text, /no free file descriptor.*EMFILE/)
      }).pipe(cluster)
  )

  it.scopedLive(
    "Given a heap of 64 MB, When 2,000 are sent at once, Then the process lives and each has one outcome",
    () =>
      Effect.gen(function* () {
        const { url } = yield* served
        const child = ["--max-old-space-size=64", yield* inOneFile]
        const { errors, receipts } = yield* sends(url, "plenty", 2000, child)
        assert.strictEqual(receipts + errors, 2000)
        assert.isAbove(receipts, 0)
      }).pipe(cluster)
  )
})
