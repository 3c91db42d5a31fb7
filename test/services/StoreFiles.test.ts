/**
 * The journal and the payload store on real file systems that are full, read-only or gone.
 */
import { execFileSync, spawn } from "node:child_process"
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync
} from "node:fs"
import { writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeKeyValueStore from "@effect/platform-node/NodeKeyValueStore"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Journal from "../../services/Journal.js"
import * as PayloadStore from "../../services/PayloadStore.js"
import { SignedTransaction } from "../../services/SignedTransaction.js"
import * as Address from "../../src/solana/Address.js"
import * as Blockhash from "../../src/solana/Blockhash.js"
import * as Hash from "../../src/solana/Hash.js"
import * as Message from "../../src/solana/Message.js"
import * as Signature from "../../src/solana/Signature.js"
import * as Wire from "../../src/solana/Wire.js"
import { bundled } from "../support/bundled.js"

const CHILD = new URL("../support/storeChild.ts", import.meta.url).pathname

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "store-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
)

const mount = (...args: ReadonlyArray<string>) =>
  Effect.try(() => execFileSync("mount", args, { stdio: ["ignore", "ignore", "pipe"] }))

/** A file system of 64 KiB of its own. */
const smallDisk = Effect.gen(function* () {
  const directory = yield* temporary
  yield* Effect.acquireRelease(mount("-t", "tmpfs", "-o", "size=64k", "tmpfs", directory), () =>
    Effect.sync(() => execFileSync("umount", [directory]))
  )
  return directory
})

const mayMount = Effect.runSync(Effect.isSuccess(Effect.scoped(smallDisk)))
if (!mayMount) console.warn("SKIPPED: this process may not mount a tmpfs, so nothing runs on a full disk")

const fill = (directory: string) =>
  Effect.sync(() => {
    const path = join(directory, "filler")
    return Either.try(() => writeFileSync(path, new Uint8Array(1_000_000)))
  })

const empty = (directory: string) => Effect.sync(() => rmSync(join(directory, "filler")))

const payloadStores = {
  layerFileSystem: (directory: string) => Layer.provide(PayloadStore.layerFileSystem(directory), NodeFileSystem.layer),
  layerKeyValueStore: (directory: string) =>
    Layer.provide(PayloadStore.layerKeyValueStore, NodeKeyValueStore.layerFileSystem(directory))
}

const journals = {
  layerFileSystem: (directory: string, options?: Journal.Options) =>
    Layer.provide(Journal.layerFileSystem(directory, options), NodeFileSystem.layer),
  layerKeyValueStore: (directory: string, options?: Journal.Options) =>
    Layer.provide(Journal.layerKeyValueStore(options), NodeKeyValueStore.layerFileSystem(directory))
}

const entryOf = (index: number) =>
  Effect.gen(function* () {
    const payer = Address.fromBytes(new Uint8Array(32).fill(7))
    const blockhash = Blockhash.fromBytes(new Uint8Array(32).fill(1))
    const message = yield* Message.compile({ version: "legacy", feePayer: payer, blockhash, instructions: [] })
    const bytes = new Uint8Array(64).fill(1)
    new DataView(bytes.buffer).setUint32(0, index)
    const wire = Wire.encode([bytes], message)
    const signature = Signature.fromBytes(wire, Wire.FIRST_SIGNATURE_AT)
    const lifetime = { blockhash, lastValidBlockHeight: 1n }
    return Journal.JournalEntry.make({
      signed: SignedTransaction.make({ signature, wire, lifetime, fee: 5000n }),
      creates: []
    })
  })

const useJournal = <A, E>(use: (journal: Journal.Service) => Effect.Effect<A, E, Scope.Scope>) =>
  Effect.flatMap(Journal.Journal, use)

const record = (index: number) => useJournal((journal) => Effect.flatMap(entryOf(index), journal.record))

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)

const bytesOf = (text: string) => new TextEncoder().encode(text)

/** Runs the child under a shell's limits until it ends or writes `killAt`. */
const child = (limits: string, args: ReadonlyArray<string>, killAt?: string) =>
  Effect.async<string>((resume) => {
    const command = `${limits} exec "$0" "$@"`
    const process_ = spawn("bash", ["-c", command, process.execPath, bundled(CHILD), ...args], {
      stdio: ["ignore", "pipe", "inherit"]
    })
    let output = ""
    process_.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString()
      if (killAt !== undefined && output.includes(killAt)) process_.kill("SIGKILL")
    })
    process_.once("close", () => resume(Effect.succeed(output)))
    return Effect.sync(() => process_.kill("SIGKILL"))
  })

for (const [name, layer] of Object.entries(payloadStores)) {
  describe(`PayloadStore.${name} on files`, () => {
    it.scopedLive.skipIf(!mayMount)(
      "Given a full disk, When payloads are put, Then stored ones stay whole and failed ones leave no file",
      () =>
        Effect.gen(function* () {
          const directory = yield* smallDisk
          yield* Effect.gen(function* () {
            const store = yield* PayloadStore.PayloadStore
            const kept = new Uint8Array(9000).fill(1)
            const hash = yield* store.put(kept)
            yield* fill(directory)
            expect(yield* store.put(kept)).toStrictEqual(hash)
            expect(yield* store.get(hash)).toStrictEqual(kept)
            const more = new Uint8Array(30_000).fill(2)
            const error = yield* Effect.flip(store.put(more))
            expect(error).toMatchObject({ reason: "Unavailable", isRetryable: true })
            expect(error.message).toMatch(/no space is left .*ENOSPC.*Free some space/)
            expect(yield* store.has(Hash.sha256(more))).toBe(false)
            expect(yield* Effect.flip(store.get(Hash.sha256(more)))).toMatchObject({ reason: "NotFound" })
            expect(readdirSync(directory)).toHaveLength(2)
            yield* empty(directory)
            expect(yield* Effect.flatMap(store.put(more), store.get)).toStrictEqual(more)
          }).pipe(Effect.provide(layer(directory)))
        })
    )

    it.scopedLive("Given a damaged file, When the same bytes are put, Then it is whole again", () =>
      Effect.gen(function* () {
        const directory = yield* temporary
        yield* Effect.gen(function* () {
          const store = yield* PayloadStore.PayloadStore
          const bytes = bytesOf("hello")
          const hash = yield* store.put(bytes)
          const [file = ""] = readdirSync(directory)
          writeFileSync(join(directory, file), "")
          expect(yield* Effect.flip(store.get(hash))).toMatchObject({ reason: "HashMismatch" })
          yield* store.put(bytes)
          expect(yield* store.get(hash)).toStrictEqual(bytes)
        }).pipe(Effect.provide(layer(directory)))
      })
    )
  })
}

describe("PayloadStore.layerFileSystem", () => {
  const { layerFileSystem: layer } = payloadStores

  it.scopedLive(
    "Given payloads of any size, When they are put and removed, Then only the owner can read them and none is left",
    () =>
      Effect.gen(function* () {
        const directory = join(yield* temporary, "made", "here")
        yield* Effect.gen(function* () {
          const store = yield* PayloadStore.PayloadStore
          for (const size of [0, 1, 100_000]) {
            const bytes = new Uint8Array(size).fill(3)
            const hash = yield* store.put([bytes.subarray(0, 10), bytes.subarray(10)])
            expect(yield* store.get(hash)).toStrictEqual(bytes)
            expect(modeOf(join(directory, Encoding.encodeHex(hash)))).toBe("600")
            yield* store.remove(hash)
            yield* store.remove(hash)
            expect(yield* store.has(hash)).toBe(false)
          }
          expect(modeOf(directory)).toBe("700")
          expect(readdirSync(directory)).toHaveLength(0)
        }).pipe(Effect.provide(layer(directory)))
      })
  )

  it.scopedLive(
    "Given foreign files that are huge, folders or pipes, When they are read, Then no bytes are returned",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporary
        const key = Encoding.encodeHex(Hash.sha256(bytesOf("hello")))
        const path = join(directory, key)
        yield* Effect.gen(function* () {
          const store = yield* PayloadStore.PayloadStore
          const makers = [
            () => writeFileSync(path, new Uint8Array(2000)),
            () => mkdirSync(path),
            () => execFileSync("mkfifo", [path])
          ]
          for (const make of makers) {
            make()
            expect(yield* Effect.flip(store.get(Hash.sha256(bytesOf("hello"))))).toMatchObject({
              reason: "HashMismatch"
            })
            rmSync(path, { recursive: true })
          }
          expect(yield* Effect.flip(store.put(new Uint8Array(2000)))).toMatchObject({ reason: "TooLarge", size: 2000 })
        }).pipe(
          Effect.provide(
            Layer.provide(PayloadStore.layerFileSystem(directory, { maxBytes: 1000 }), NodeFileSystem.layer)
          )
        )
        expect(
          yield* Effect.flip(
            Layer.build(PayloadStore.layerFileSystem(directory, { maxBytes: 0 })).pipe(
              Effect.provide(NodeFileSystem.layer)
            )
          )
        ).toMatchObject({ field: "maxBytes" })
      })
  )

  it.scopedLive(
    "Given kill -9 while payloads are put, When the files are read, Then each file under a hash is whole",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporary
        yield* child("", ["payloads", directory], "put 40\n")
        const names = readdirSync(directory).filter((name) => !name.endsWith(".tmp"))
        expect(names.length).toBeGreaterThan(40)
        for (const name of names) {
          expect(Encoding.encodeHex(Hash.sha256(readFileSync(join(directory, name))))).toBe(name)
        }
      })
  )
})

for (const [name, layer] of Object.entries(journals)) {
  describe(`Journal.${name} on files`, () => {
    it.scopedLive.skipIf(!mayMount)(
      "Given a full disk, When an entry is recorded, Then the error has the reason, no key is lost and no file is left",
      () =>
        Effect.gen(function* () {
          const directory = yield* smallDisk
          yield* Effect.gen(function* () {
            yield* record(0)
            yield* fill(directory)
            for (let again = 1; again < 9; again++) {
              const error = yield* Effect.flip(record(again))
              expect(error).toMatchObject({ reason: "Unavailable" })
              expect(error.message).toMatch(/no space is left .*ENOSPC.*Free some space/)
            }
            expect(readdirSync(directory)).toHaveLength(2)
            yield* empty(directory)
            yield* record(9)
            expect(yield* useJournal(({ pending }) => pending)).toHaveLength(2)
          }).pipe(Effect.provide(layer(directory, { maxEntries: 2 })))
          yield* fill(directory)
          expect(yield* Effect.flip(Layer.build(layer(directory)))).toMatchObject({ reason: "Unavailable" })
        })
    )

    it.scopedLive.skipIf(!mayMount)(
      "Given a read-only file system, When the layer is built, Then the error says so",
      () =>
        Effect.gen(function* () {
          const directory = yield* smallDisk
          yield* mount("-o", "remount,ro", directory)
          const error = yield* Effect.flip(Layer.build(layer(directory)))
          expect(error.message).toMatch(/the file system is read-only .*EROFS.*Mount it writable/)
        })
    )

    it.scopedLive(
      "Given a folder that disappears and returns, When the journal is used, Then no key is lost and no outcome repeats",
      () =>
        Effect.gen(function* () {
          const directory = join(yield* temporary, "journal")
          mkdirSync(directory)
          yield* Effect.gen(function* () {
            const entries = yield* Effect.forEach([0, 1], entryOf)
            yield* Effect.forEach([0, 1], record)
            renameSync(directory, `${directory}-away`)
            const error = yield* Effect.flip(record(2))
            expect(error.message).toMatch(/full/)
            for (const { signed } of entries) yield* useJournal(({ forget }) => forget(signed.signature))
            expect(yield* useJournal(({ pending }) => pending)).toHaveLength(0)
            expect((yield* Effect.flip(record(3))).message).toMatch(
              /the folder does not exist .*ENOENT.*Create it again/
            )
            mkdirSync(directory)
            yield* Effect.forEach([4, 5], record)
            expect(yield* useJournal(({ pending }) => pending)).toHaveLength(2)
          }).pipe(Effect.provide(layer(directory, { maxEntries: 2 })))
          expect(readdirSync(directory)).toHaveLength(2)
        })
    )

    it.scopedLive("Given fewer descriptors than sends, When all are recorded at once, Then none fails", () =>
      Effect.gen(function* () {
        const directory = yield* temporary
        expect(yield* child("ulimit -n 200;", [name, directory])).toBe("recorded 400, refused 0\n")
      })
    )
  })
}

describe("Journal.layerFileSystem", () => {
  const { layerFileSystem: layer } = journals

  it.scopedLive("Given a new folder, When an entry is recorded, Then only the owner can read folder and files", () =>
    Effect.gen(function* () {
      const directory = join(yield* temporary, "made", "here")
      yield* record(0).pipe(Effect.provide(layer(directory)))
      expect([modeOf(directory), modeOf(join(directory, ".."))]).toStrictEqual(["700", "700"])
      expect(readdirSync(directory)).toStrictEqual(["transaction-0"])
      expect(modeOf(join(directory, "transaction-0"))).toBe("600")
    })
  )

  it.scopedLive(
    "Given files that other users can read, When the journal is built, Then only the owner can read them",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporary
        yield* record(0).pipe(Effect.provide(layer(directory)))
        const path = join(directory, "transaction-0")
        chmodSync(path, 0o644)
        yield* Layer.build(layer(directory))
        expect(modeOf(path)).toBe("600")
      })
  )

  it.scopedLive("Given less capacity than entries, When the journal is built, Then all entries are found", () =>
    Effect.gen(function* () {
      const directory = yield* temporary
      yield* Effect.forEach([0, 1, 2, 3], record).pipe(Effect.provide(layer(directory)))
      const pending = useJournal(({ pending }) => pending).pipe(Effect.provide(layer(directory, { maxEntries: 1 })))
      expect(yield* pending).toHaveLength(4)
    })
  )

  it.scopedLive(
    "Given temporary files of a killed process, When the journal is built, Then they are removed, and foreign files stay",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporary
        writeFileSync(join(directory, "transaction-0.0123456789abcdef.tmp"), "{")
        writeFileSync(join(directory, "notes.tmp"), "mine")
        writeFileSync(join(directory, "%"), "mine")
        const pending = useJournal(({ pending }) => pending).pipe(Effect.provide(layer(directory)))
        expect(yield* pending).toHaveLength(0)
        expect(readdirSync(directory).toSorted()).toStrictEqual(["%", "notes.tmp"])
      })
  )

  it.scopedLive("Given a high limit, When the journal is built, Then it works up to a million entries", () =>
    Effect.gen(function* () {
      const directory = yield* temporary
      yield* record(0).pipe(Effect.provide(layer(directory, { maxEntries: 1_000_000 })))
      expect(readdirSync(directory)).toStrictEqual(["transaction-0"])
      for (const maxEntries of [1_000_001, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
        const error = yield* Effect.flip(Layer.build(layer(directory, { maxEntries })))
        expect(error).toMatchObject({ _tag: "InvalidInput", field: "maxEntries" })
      }
    })
  )

  it.scopedLive("Given a path through a file, When the journal is built, Then the error says so", () =>
    Effect.gen(function* () {
      const directory = yield* temporary
      writeFileSync(join(directory, "file"), "")
      for (const path of ["file", "file/journal"]) {
        const error = yield* Effect.flip(Layer.build(layer(join(directory, path))))
        expect(error.message).toMatch(/a part of the path is not a folder/)
      }
      expect(existsSync(join(directory, "file"))).toBe(true)
    })
  )
})
