import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as CacheStoreSqlite from "../../layers/CacheStoreSqlite.js"
import * as Sqlite from "../../layers/internal/Sqlite.js"
import type * as CacheStore from "../../services/CacheStore.js"
import { bundled } from "../support/bundled.js"

/** 5 and 20 in CI; 50 and 100 with `FUZZ_RUNS` set. */
const isLong = process.env["FUZZ_RUNS"] !== undefined
const KILLS = isLong ? 50 : 5
const CORRUPTIONS = isLong ? 100 : 20

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(path.join(os.tmpdir(), "pod-sqlite-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
)

const keyOf = (name: number): Uint8Array => {
  const key = new Uint8Array(98)
  new DataView(key.buffer).setUint32(0, name)
  return key
}

/** Keys in no order. */
const spreadKeyOf = (name: number): Uint8Array => keyOf(Math.imul(name, 2_654_435_761))

const rowOf = (name: number, size = 300): CacheStore.Row => ({
  slot: BigInt(name),
  readAt: name,
  state: "value",
  value: new Uint8Array(size).fill(name)
})

const bytesIn = (directory: string): number =>
  readdirSync(directory).reduce((sum, file) => {
    const size = statSync(path.join(directory, file), { throwIfNoEntry: false })?.size ?? 0
    return sum + size
  }, 0)

const child = (...args: ReadonlyArray<string>) =>
  spawn(process.execPath, [bundled(path.join(import.meta.dirname, "../support/cacheStoreChild.ts")), ...args], {
    stdio: ["ignore", "pipe", "inherit"]
  })

/** What a process printed, and how it ended. */
const outcome = (...args: ReadonlyArray<string>) =>
  Effect.promise(async () => {
    const running = child(...args)
    let text = ""
    running.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString()
    })
    const [code, signal]: ReadonlyArray<unknown> = await once(running, "close")
    return { code, signal, text }
  })

/** A file system of two megabytes, where the user may mount one. */
const smallDisk = Effect.acquireRelease(
  Effect.map(folder, (directory) => {
    const { status } = spawnSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", directory])
    return { directory, isMounted: status === 0 }
  }),
  ({ directory, isMounted }) => Effect.sync(() => isMounted && spawnSync("umount", [directory]))
)

/** A store of 1 MiB that is full of small rows, whose times of use are not in the order of their keys. */
const full = (isOneTime: boolean) =>
  Effect.gen(function* () {
    const store = yield* CacheStoreSqlite.make({ directory: yield* folder, maxBytes: 1024 * 1024 })
    for (let at = 0; at < 4000; at += 40) {
      if (!isOneTime) yield* TestClock.adjust("1 minute")
      yield* store.putMany(Array.from({ length: 40 }, (_, index) => [spreadKeyOf(at + index), rowOf(at + index)]))
    }
    yield* TestClock.adjust("1 minute")
    return store
  })

describe("CacheStoreSqlite", () => {
  it.scoped(
    "given a full disk, when written, then each failure is typed, reads go on, and room is used again",
    (context) =>
      Effect.gen(function* () {
        const { directory, isMounted } = yield* smallDisk
        if (!isMounted) {
          process.stderr.write("SKIPPED: a full disk, because this user may not mount a tmpfs\n")
          return context.skip()
        }
        const { code, signal, text } = yield* outcome("full", directory, isLong ? "4000" : "300")
        expect({ code, signal }).toEqual({ code: 0, signal: null })
        const result: unknown = JSON.parse(text)
        if (isLong) process.stderr.write(`full disk: ${text}\n`)
        expect(result).toMatchObject({ reasons: ["Full"], unread: 0, failuresWithRoom: 0 })
      })
  )

  it.scopedLive("given a file that another process holds, when the store is opened, then it waits for the file", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      const { DatabaseSync } = yield* Sqlite.load
      const other = new DatabaseSync(path.join(directory, "cache.sqlite"))
      other.exec("BEGIN EXCLUSIVE")
      const opening = yield* Effect.fork(CacheStoreSqlite.make({ directory }))
      yield* Effect.sleep("300 millis")
      expect(Option.isNone(yield* Fiber.poll(opening))).toBe(true)
      other.exec("COMMIT")
      other.close()
      const store = yield* Fiber.join(opening)
      yield* store.putMany([[keyOf(1), rowOf(1)]])
      expect(Option.isSome(yield* store.get(keyOf(1)))).toBe(true)
    })
  )

  it.scoped("given three processes on one folder, when all write the same keys, then slots only rise for each", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      const outcomes = yield* Effect.all(
        Array.from({ length: 3 }, () => outcome("share", directory, isLong ? "3000" : "200")),
        { concurrency: 3 }
      )
      for (const { code, text } of outcomes) {
        expect(code).toBe(0)
        if (isLong) process.stderr.write(`shared folder: ${text}\n`)
        expect(JSON.parse(text)).toMatchObject({ backwards: 0 })
      }
      const store = yield* CacheStoreSqlite.make({ directory })
      for (let name = 0; name < 10; name++) expect(Option.isSome(yield* store.get(keyOf(name)))).toBe(true)
    })
  )

  it.scoped("given a budget, when far more is written, then no moment exceeds it and the newest rows are there", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      const maxBytes = 1024 * 1024
      const store = yield* CacheStoreSqlite.make({ directory, maxBytes })
      let most = 0
      for (let at = 0; at < 4000; at += 40) {
        yield* store.putMany(
          Array.from({ length: 40 }, (_, index) => [keyOf((at + index) * 7919), rowOf(at + index, 100 + (at % 900))])
        )
        most = Math.max(most, bytesIn(directory))
      }
      expect(most).toBeLessThanOrEqual(maxBytes)
      expect(most).toBeGreaterThan(maxBytes / 2)
      expect(Option.isSome(yield* store.get(keyOf(3999 * 7919)))).toBe(true)
      expect(Option.isSome(yield* store.get(keyOf(0)))).toBe(false)
    })
  )

  it.scoped("given a budget that small rows fill, when large rows are written, then each finds whole pages", () =>
    Effect.gen(function* () {
      const store = yield* full(false)
      const fences = Array.from({ length: 40 }, (_, index) => spreadKeyOf(5000 + index))
      yield* store.putMany(fences.map((key) => [key, { ...rowOf(1, 0), state: "fence" }] as const))
      for (let name = 4000; name < 4010; name++) {
        yield* store.putMany([[spreadKeyOf(name), rowOf(name, 30_000)]])
        expect(Option.isSome(yield* store.get(spreadKeyOf(name)))).toBe(true)
      }
      // A fence leaves no sooner than the rows that it invalidates.
      expect(yield* Effect.filter(fences, (key) => Effect.map(store.get(key), Option.isNone))).toEqual([])
      // Their neighbors made room, not most rows.
      const kept = yield* Effect.filter(
        Array.from({ length: 400 }, (_, index) => 10 * index),
        (name) => Effect.map(store.get(spreadKeyOf(name)), Option.isSome)
      )
      expect(kept.length).toBeGreaterThan(30)
    })
  )

  it.scoped("given a full budget, when many rows are read before a write, then their times of use find room", () =>
    Effect.gen(function* () {
      const store = yield* full(true)
      yield* store.putMany([[spreadKeyOf(4000), rowOf(4000, 30_000)]])
      for (let name = 0; name < 4000; name++) yield* store.get(spreadKeyOf(name))
      for (let name = 4001; name < 4005; name++) yield* store.putMany([[spreadKeyOf(name), rowOf(name, 30_000)]])
    })
  )

  it.scoped("given two connections to one folder, when one writes, then the other reads it, and slots only rise", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      const one = yield* CacheStoreSqlite.make({ directory })
      const other = yield* CacheStoreSqlite.make({ directory })
      for (let name = 1; name < 100; name++) {
        yield* one.putMany([[keyOf(1), rowOf(name)]])
        expect(Option.getOrUndefined(yield* other.get(keyOf(1)))?.slot).toBe(BigInt(name))
        yield* other.putMany([[keyOf(1), rowOf(name - 1)]])
        expect(Option.getOrUndefined(yield* one.get(keyOf(1)))?.slot).toBe(BigInt(name))
      }
    })
  )

  it.scoped(
    "given no database in the file, when opened, then it is Corrupt, and the next opening begins a new file",
    () =>
      Effect.gen(function* () {
        const directory = yield* folder
        writeFileSync(path.join(directory, "cache.sqlite"), "garbage".repeat(3000))
        const error = yield* Effect.flip(CacheStoreSqlite.make({ directory }))
        expect(error).toMatchObject({ _tag: "CacheError", reason: "Corrupt", isRetryable: true })
        const store = yield* CacheStoreSqlite.make({ directory })
        yield* store.putMany([[keyOf(1), rowOf(1)]])
        expect(yield* store.get(keyOf(1))).toEqual(Option.some(rowOf(1)))
      })
  )

  it.scoped("given a path that is no folder, or bad options, when opened, then it fails typed", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      const file = path.join(directory, "file")
      writeFileSync(file, "")
      expect(yield* Effect.flip(CacheStoreSqlite.make({ directory: file }))).toMatchObject({ reason: "Unavailable" })
      expect(yield* Effect.flip(CacheStoreSqlite.make({ directory: "" }))).toMatchObject({ field: "directory" })
      for (const maxBytes of [0, 1024, Number.NaN, -1, 2 ** 53]) {
        expect(yield* Effect.flip(CacheStoreSqlite.make({ directory, maxBytes }))).toMatchObject({ field: "maxBytes" })
      }
    })
  )

  it.scoped("given a larger file of an earlier run, when opened with a smaller budget, then it is emptied", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      yield* Effect.scoped(
        Effect.flatMap(CacheStoreSqlite.make({ directory }), (store) =>
          store.putMany(Array.from({ length: 4000 }, (_, name) => [keyOf(name), rowOf(name, 600)]))
        )
      )
      expect(bytesIn(directory)).toBeGreaterThan(1024 * 1024)
      yield* CacheStoreSqlite.make({ directory, maxBytes: 1024 * 1024 })
      expect(bytesIn(directory)).toBeLessThan(1024 * 1024)
    })
  )

  it.scoped(`given a writer, when it is killed ${KILLS} times, then each acknowledged row is there and whole`, () =>
    Effect.gen(function* () {
      const directory = yield* folder
      const acknowledged = new Set<number>()
      for (let kill = 0; kill < KILLS; kill++) {
        yield* Effect.promise(async () => {
          const writer = child("write", directory, String(kill * 1_000_000))
          let text = ""
          writer.stdout.on("data", (chunk: Buffer) => {
            text += chunk.toString()
            if (text.length > 300 * (kill + 1)) writer.kill("SIGKILL")
          })
          await once(writer, "close")
          for (const line of text.split("\n").slice(0, -1)) acknowledged.add(Number(line))
        })
      }
      expect(acknowledged.size).toBeGreaterThan(20 * KILLS)
      const store = yield* CacheStoreSqlite.make({ directory })
      for (const name of acknowledged) expect(yield* store.get(keyOf(name))).toEqual(Option.some(rowOf(name)))
    })
  )

  it.scoped(`given ${CORRUPTIONS} kinds of damage, when read, then the process lives and no wrong row is given`, () =>
    Effect.gen(function* () {
      const directory = path.join(yield* folder, "damaged")
      mkdirSync(directory)
      const [code, text] = yield* Effect.promise(async () => {
        const reader = child("corrupt", directory, String(CORRUPTIONS))
        let text = ""
        reader.stdout.on("data", (chunk: Buffer) => {
          text += chunk.toString()
        })
        const [code] = await once(reader, "close")
        return [code, text] as const
      })
      expect(code).toBe(0)
      expect(JSON.parse(text)).toMatchObject({ rebuilt: CORRUPTIONS })
      expect(existsSync(directory)).toBe(true)
    })
  )
})
