/**
 * What a heap snapshot of a process shows of a secret key that it loaded. A snapshot holds the text of strings, not the
 * bytes of buffers.
 */
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Base58 from "../../src/solana/Base58.js"
import { bundled } from "../support/bundled.js"
import { secretKeyOf } from "../support/wallets.js"

const CHILD = fileURLToPath(new URL("../support/heapChild.ts", import.meta.url))

const key = secretKeyOf(91)
const seed = key.subarray(0, 32)
const array = JSON.stringify([...key])

/** The forms of the key and of its seed. */
const FORMS = [
  array,
  [...seed].join(","),
  Base58.encode(key),
  Base58.encode(seed),
  ...[key, seed].flatMap((bytes) =>
    (["hex", "base64", "base64url"] as const).map((encoding) => Buffer.from(bytes).toString(encoding))
  )
]

const moduleOf = (text: string): string => `data:text/javascript,${encodeURIComponent(text)}`

/** A module that hides `sodium-native` from the process. */
const NO_SODIUM = moduleOf(
  `import { register } from "node:module"; register(${JSON.stringify(
    moduleOf(
      `export const resolve = (name, context, next) => {
         if (name === "sodium-native") throw new Error("absent")
         return next(name, context)
       }`
    )
  )})`
)

interface Seen {
  readonly sees: boolean
  readonly found: ReadonlyArray<boolean>
}

const look = (args: ReadonlyArray<string>, env: Readonly<Record<string, string>>, node: ReadonlyArray<string> = []) =>
  Effect.async<Seen, Error>((resume) => {
    const child = spawn(process.execPath, [...node, bundled(CHILD), ...args], { env: { ...process.env, ...env } })
    let output = ""
    let complaints = ""
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on("data", (chunk: Buffer) => (complaints += chunk.toString()))
    child.stdin.end(JSON.stringify(FORMS))
    child.once("close", (code) =>
      resume(code === 0 ? Effect.sync((): Seen => JSON.parse(output)) : Effect.die(complaints))
    )
    return Effect.sync(() => child.kill("SIGKILL"))
  })

const none = { sees: true, found: FORMS.map(() => false) }

describe("the heap of a process that loaded a wallet", () => {
  it.scopedLive(
    "Given a keypair file, with and without libsodium, When its key is used, Then a heap snapshot shows no form of it",
    () =>
      Effect.gen(function* () {
        const directory = yield* Effect.acquireRelease(
          Effect.sync(() => mkdtempSync(join(tmpdir(), "key-"))),
          (directory) => Effect.sync(() => rmSync(directory, { recursive: true }))
        )
        const path = join(directory, "id.json")
        writeFileSync(path, array, { mode: 0o600 })
        for (const node of [[], ["--import", NO_SODIUM]]) {
          assert.deepStrictEqual(yield* look(["file", path], {}, node), none)
        }
      })
  )

  it.live(
    "Given POD_WALLET in base58 or as an array, When it is loaded, Then a heap snapshot shows no form of the key",
    () =>
      Effect.gen(function* () {
        for (const setting of [Base58.encode(key), array]) {
          assert.deepStrictEqual(yield* look(["setting"], { POD_WALLET: setting }), none)
        }
      })
  )
})
