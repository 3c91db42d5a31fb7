import { spawn } from "node:child_process"
import { readdirSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Sqlite from "../../layers/internal/Sqlite.js"
import { bundled } from "../support/bundled.js"
import { served, storeAt, temporary } from "../support/payloadServers.js"

const CHILD = join(import.meta.dirname, "../support/payloadServerChild.ts")

const numbered = (index: number) => {
  const bytes = new Uint8Array(150_000).fill(index)
  new DataView(bytes.buffer).setUint32(0, index)
  return bytes
}

/** The number of pieces in a file that no server has open. */
const piecesIn = (directory: string) =>
  Effect.map(Sqlite.load, ({ DatabaseSync }) => {
    const database = new DatabaseSync(join(directory, "payloads.sqlite"))
    const row = database.prepare("SELECT count(*) AS count FROM pieces").get()
    database.close()
    return row
  })

describe("PayloadServer with SQLite", () => {
  it.scopedLive(
    "Given kill -9 while payloads arrive, when it starts again, then what it acknowledged is whole and nothing else is left",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporary
        const child = spawn(process.execPath, [bundled(CHILD), directory, "0", "sqlite"], {
          stdio: ["ignore", "pipe", "inherit"]
        })
        yield* Effect.addFinalizer(() => Effect.sync(() => child.kill("SIGKILL")))
        const url = yield* Effect.async<string>((resume) => {
          child.stdout.once("data", (line: Buffer) => resume(Effect.succeed(line.toString().trim())))
        })
        const gone = Effect.async<void>((resume) => {
          child.once("close", () => resume(Effect.void))
          child.kill("SIGKILL")
        })
        const store = yield* storeAt(url)
        const kept: Array<Uint8Array> = []
        yield* Effect.forEach(
          Array.from({ length: 400 }, (_, index) => index),
          (index) =>
            Effect.flatMap(store.put(numbered(index)), (hash) =>
              kept.push(hash) === 20 ? Effect.zipRight(gone, Effect.fail("killed")) : Effect.void
            ),
          { concurrency: 8, discard: true }
        ).pipe(Effect.ignore)
        yield* Effect.scoped(
          Effect.gen(function* () {
            const again = yield* served({ directory, storage: "sqlite" })
            const { get } = yield* storeAt(again.url)
            yield* Effect.forEach(kept, get)
            const another = yield* Effect.flip(served({ directory, storage: "sqlite" }))
            expect(another).toMatchObject({ _tag: "PayloadServerError", reason: "Storage" })
          })
        )
        const { count } = (yield* piecesIn(directory)) as { readonly count: number }
        // A put may be on the disk although its answer was lost.
        expect(count).toBeGreaterThanOrEqual(3 * kept.length)
        expect(count % 3).toBe(0)
      })
  )

  it.scopedLive(
    "Given a long payload, when it is refused or removed, then its pieces are too, and the file is private",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporary
        yield* Effect.scoped(
          Effect.gen(function* () {
            const { url } = yield* served({ directory, storage: "sqlite", quota: 200_000 })
            const store = yield* storeAt(url)
            expect(yield* Effect.flip(store.put(new Uint8Array(250_000)))).toMatchObject({ reason: "Full" })
            yield* store.remove(yield* store.put(numbered(1)))
            for (const file of readdirSync(directory)) expect(statSync(join(directory, file)).mode & 0o077).toBe(0)
          })
        )
        expect(yield* piecesIn(directory)).toEqual({ count: 0 })
      })
  )

  it.scopedLive(
    "Given a file that is no database, when it is served, then the server does not start and keeps the file",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporary
        const file = join(directory, "payloads.sqlite")
        writeFileSync(file, "no database".repeat(1000))
        const error = yield* Effect.flip(served({ directory, storage: "sqlite" }))
        expect(error).toMatchObject({ _tag: "PayloadServerError", reason: "Storage" })
        expect(statSync(file).size).toBe(11_000)
      })
  )
})
