import { execFileSync, spawn } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import { StorageError } from "../../layers/payloads/Storage.js"
import * as PayloadServer from "../../layers/PayloadServer.js"
import { bundled } from "../support/bundled.js"
import {
  bytesOf,
  fetched,
  filesOf,
  HELLO,
  hello,
  incoming,
  keyOf,
  served,
  storeAt,
  temporary,
  TOKEN
} from "../support/payloadServers.js"
import * as WallClock from "../support/wallClock.js"

const CHILD = join(import.meta.dirname, "../support/payloadServerChild.ts")

const ask = (url: string, path: string, init?: RequestInit) =>
  Effect.promise(async () => {
    const response = await fetch(url + path, init)
    return { status: response.status, text: await response.text(), headers: response.headers }
  })
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })

/** The statuses of requests to a server over a storage, without a socket. */
const statusesOver = (storage: PayloadServer.Storage, options?: PayloadServer.Options) =>
  Effect.map(
    PayloadServer.make(storage, options),
    (app) =>
      (path: string, init: RequestInit = {}) =>
        Effect.map(
          Effect.provideService(
            app,
            HttpServerRequest.HttpServerRequest,
            HttpServerRequest.fromWeb(new Request(`http://localhost${path}`, init))
          ),
          ({ status }) => status
        )
  )

/** The status of /health over a storage. */
const health = (storage: PayloadServer.Storage) => Effect.flatMap(statusesOver(storage), (status) => status("/health"))

describe("PayloadServer", () => {
  it.scopedLive("Given one payload, when it is put many times at once, then each is 200 and one copy is kept", () =>
    Effect.gen(function* () {
      const { directory, url } = yield* served()
      const long = new Uint8Array(200_000).fill(3)
      const replies = yield* Effect.all(
        Array.from({ length: 20 }, () => fetched(url, keyOf(long), { method: "PUT", body: long })),
        { concurrency: "unbounded" }
      )
      expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]))
      expect(filesOf(directory)).toHaveLength(1)
      expect(incoming(directory)).toEqual([])
    })
  )

  it.scopedLive(
    "Given a payload, when parts of it are asked for, then they are the bytes and statuses of RFC 9110",
    () =>
      Effect.gen(function* () {
        const { url } = yield* served()
        yield* Effect.flatMap(storeAt(url), (store) => store.put(hello))
        const cases = [
          ["bytes=0-0", 206, "h", "bytes 0-0/5"],
          ["bytes=1-", 206, "ello", "bytes 1-4/5"],
          ["bytes=1-99", 206, "ello", "bytes 1-4/5"],
          ["bytes=-2", 206, "lo", "bytes 3-4/5"],
          ["bytes=-99", 206, "hello", "bytes 0-4/5"],
          ["bytes=3-1", 200, "hello", null],
          ["bytes=0-0,2-3", 200, "hello", null],
          ["lines=1-2", 200, "hello", null],
          ["bytes=5-", 416, "the range is outside of the payload", "bytes */5"],
          ["bytes=-0", 416, "the range is outside of the payload", "bytes */5"]
        ] as const
        for (const [range, status, text, contentRange] of cases) {
          const reply = yield* fetched(url, HELLO, { headers: { range } })
          expect([
            range,
            reply.status,
            yield* Effect.promise(() => reply.text()),
            reply.headers.get("content-range")
          ]).toEqual([range, status, text, contentRange])
        }
        const cached = yield* fetched(url, HELLO, { headers: { "if-none-match": `"${HELLO}"` } })
        expect(cached.status).toBe(304)
        const described = yield* fetched(url, HELLO, { method: "HEAD" })
        expect([described.status, described.headers.get("content-length")]).toEqual([200, "5"])
        expect(described.headers.get("x-content-type-options")).toBe("nosniff")
      })
  )

  it.scopedLive(
    "Given no tokens, when a payload is put and removed, then it may be read by all and removed by nobody",
    () =>
      Effect.gen(function* () {
        const { url } = yield* served({ tokens: [] })
        const store = yield* storeAt(url, { token: undefined })
        const hash = yield* store.put(hello)
        expect(yield* store.get(hash)).toEqual(hello)
        expect(yield* Effect.flip(store.remove(hash))).toMatchObject({ reason: "Refused" })
      })
  )

  it.scopedLive("Given public reads, when there is no token, then it reads and does not write", () =>
    Effect.gen(function* () {
      const { url } = yield* served({ publicReads: true })
      const hash = yield* Effect.flatMap(storeAt(url), (store) => store.put(hello))
      const store = yield* storeAt(url, { token: undefined })
      expect(yield* store.get(hash)).toEqual(hello)
      expect(yield* Effect.flip(store.put(bytesOf("more")))).toMatchObject({ reason: "Refused" })
    })
  )

  it.scopedLive("Given origins, when pages ask, then only theirs may read the answers", () =>
    Effect.gen(function* () {
      const { url } = yield* served({ allowOrigins: ["https://app.example"] })
      const ask = (origin: string) => fetched(url, HELLO, { method: "OPTIONS", headers: { origin } })
      const allowed = yield* ask("https://app.example")
      expect([allowed.status, allowed.headers.get("access-control-allow-origin")]).toEqual([204, "https://app.example"])
      expect((yield* ask("https://evil.example")).headers.get("access-control-allow-origin")).toBeNull()
      expect(yield* Effect.flip(served({ allowOrigins: ["app.example"] }))).toMatchObject({ field: "allowOrigins[0]" })
    })
  )

  it.scopedLive(
    "Given settings of /metrics, when it is read, then the owner of its token sees numbers and no other",
    () =>
      Effect.gen(function* () {
        const hidden = yield* served()
        expect((yield* ask(hidden.url, "/metrics", bearer(TOKEN))).status).toBe(404)
        const { url } = yield* served({ metrics: Redacted.make("scraper") })
        yield* Effect.flatMap(storeAt(url), (store) => store.put(hello))
        expect((yield* ask(url, "/metrics")).status).toBe(401)
        expect((yield* ask(url, "/metrics", bearer(TOKEN))).status).toBe(401)
        expect((yield* ask(url, "/metrics", { ...bearer("scraper"), method: "POST" })).status).toBe(405)
        expect((yield* ask(url, `/v1/payloads/${HELLO}`, bearer("scraper"))).status).toBe(401)
        const { headers, status, text } = yield* ask(url, "/metrics?x=1", bearer("scraper"))
        expect([status, headers.get("content-type")]).toEqual([200, "text/plain; version=0.0.4; charset=utf-8"])
        expect(text).toMatch(/^pod_payload_server_requests_total\{method="PUT",status="200"\} \d+$/m)
        expect(text).toMatch(/^pod_payload_server_stored_bytes \d+$/m)
        expect(text).not.toMatch(new RegExp(`${TOKEN}|scraper|${HELLO}`))
        const open = yield* served({ metrics: "public" })
        expect((yield* ask(open.url, "/metrics")).status).toBe(200)
        expect(yield* Effect.flip(served({ metrics: Redacted.make("not a token") }))).toMatchObject({
          field: "metrics"
        })
      })
  )

  it.effect("Given a storage that fails, when health is asked, then it is 503", () =>
    Effect.gen(function* () {
      const storage = yield* PayloadServer.keyValueStore
      const failing = { ...storage, find: () => Effect.fail(new StorageError(new Error("EIO"))) }
      expect([yield* health(storage), yield* health(failing)]).toEqual([200, 503])
    }).pipe(Effect.scoped, Effect.provide(KeyValueStore.layerMemory))
  )

  it.scopedLive("Given files of other programs in the folder, when it is served, then only payloads count", () =>
    Effect.gen(function* () {
      const directory = yield* temporary
      const start = served({ directory, tokens: [], quota: 1024 })
      const put = Effect.flatMap(start, ({ url }) => fetched(url, HELLO, { method: "PUT", body: hello }))
      expect((yield* Effect.scoped(put)).status).toBe(200)
      for (const name of ["public/.DS_Store", "0123456789abcdef"])
        writeFileSync(join(directory, name), "x".repeat(1024))
      expect((yield* put).status).toBe(200)
    })
  )

  it.scoped(
    "Given a wall clock that is set back and right again, when a payload is put meanwhile, then it is kept",
    () =>
      Effect.gen(function* () {
        const { clock, jump } = yield* WallClock.make
        const days = Duration.toMillis("20 days")
        jump(days)
        const put = { method: "PUT", body: hello }
        const statuses = Effect.gen(function* () {
          const status = yield* Effect.flatMap(PayloadServer.keyValueStore, statusesOver)
          jump(-days)
          const before = yield* status(`/v1/payloads/${HELLO}`, put)
          jump(days)
          return [before, yield* status(`/v1/payloads/${HELLO}`)]
        })
        expect(yield* Effect.withClock(statuses, clock)).toEqual([200, 200])
      }).pipe(Effect.provide(KeyValueStore.layerMemory))
  )

  it.scopedLive("Given two new owners at once, when the server starts again, then it finds the payloads of both", () =>
    Effect.gen(function* () {
      const memory = yield* KeyValueStore.KeyValueStore
      const slow: KeyValueStore.KeyValueStore = {
        ...memory,
        set: (key, value) => Effect.delay(memory.set(key, value), "5 millis")
      }
      const storage = Effect.provideService(PayloadServer.keyValueStore, KeyValueStore.KeyValueStore, slow)
      const started = Effect.flatMap(storage, (storage) => statusesOver(storage, { tokens: ["a", "b"] }))
      const [first, second] = [bytesOf("first"), bytesOf("second")]
      const before = yield* started
      yield* Effect.all(
        [
          before(`/v1/payloads/${keyOf(first)}`, { method: "PUT", body: first, ...bearer("a") }),
          before(`/v1/payloads/${keyOf(second)}`, { method: "PUT", body: second, ...bearer("b") })
        ],
        { concurrency: 2 }
      )
      const after = yield* started
      const found = [first, second].map((bytes) => after(`/v1/payloads/${keyOf(bytes)}`, bearer("a")))
      expect(yield* Effect.all(found)).toEqual([200, 200])
    }).pipe(Effect.provide(KeyValueStore.layerMemory))
  )

  it.scopedLive("Given bad options, when it is served, then each is named", () =>
    Effect.gen(function* () {
      const cases = [
        ["tokens[0]", { tokens: ["a b"] }],
        ["maxBytes", { maxBytes: 0 }],
        ["quota", { quota: Number.NaN }],
        ["retention", { retention: 0 }],
        ["sweepInterval", { sweepInterval: -1 }],
        ["bodyTimeout", { bodyTimeout: "never" as never }],
        ["port", { port: 65_536 }],
        ["maxConnections", { maxConnections: 0.5 }]
      ] as const
      for (const [field, options] of cases) {
        const error = yield* Effect.flip(served(options))
        expect(error).toMatchObject({ _tag: "InvalidInput", field })
        expect(String(error)).not.toContain("a b")
      }
    })
  )

  it.scopedLive("Given a damaged file of many pieces, when the payload is put again, then the retry repairs it", () =>
    Effect.gen(function* () {
      const { directory, url } = yield* served()
      const store = yield* storeAt(url, { retries: 3 })
      const long = new Uint8Array(200_000).fill(9)
      const hash = yield* store.put(long)
      const [file = ""] = filesOf(directory)
      writeFileSync(join(directory, file), new Uint8Array(200_000).fill(9).fill(1, 100_000, 100_001))
      expect(yield* Effect.flip(store.get(hash))).toMatchObject({ reason: "HashMismatch" })
      yield* store.put(long)
      expect(yield* store.get(hash)).toEqual(long)
    })
  )

  it.scopedLive("Given a damaged file, when the payload is put again, then it is whole", () =>
    Effect.gen(function* () {
      const { directory, url } = yield* served()
      const store = yield* storeAt(url)
      const hash = yield* store.put(hello)
      const [file = ""] = filesOf(directory)
      for (const damage of ["", "hellO", "hello and more"]) {
        writeFileSync(join(directory, file), damage)
        expect(yield* Effect.flip(store.get(hash))).toMatchObject({ reason: "HashMismatch" })
        yield* store.put(hello)
        expect(yield* store.get(hash)).toEqual(hello)
      }
    })
  )
})

describe.each(["files", "sqlite"] as const)("PayloadServer with %s", (storage) => {
  it.scopedLive("Given a long payload, when it is put again in other pieces, then only its own bytes renew it", () =>
    Effect.gen(function* () {
      const { url } = yield* served({ storage, quota: 350_000 })
      const long = new Uint8Array(300_000).map((_, index) => index % 251)
      const put = (bytes: Uint8Array<ArrayBuffer>) => fetched(url, keyOf(long), { method: "PUT", body: bytes })
      const changed = long.slice()
      changed[150_000] = 255
      const statuses = yield* Effect.forEach(
        [long, long, changed, long.subarray(1), long.subarray(0, 299_999), long],
        (bytes) => Effect.map(put(bytes), ({ status }) => status)
      )
      expect(statuses).toEqual([200, 200, 400, 400, 400, 200])
    })
  )

  it.scopedLive("Given a payload of 200 KiB, when parts across pieces are read, then they are its bytes", () =>
    Effect.gen(function* () {
      const { url } = yield* served({ storage })
      const long = Uint8Array.from({ length: 200_000 }, (_, index) => (index * 7) % 251)
      yield* Effect.flatMap(storeAt(url), (store) => store.put(long))
      for (const [from, to] of [
        [0, 199_999],
        [65_535, 65_536],
        [1, 150_000],
        [131_072, 199_999]
      ] as const) {
        const reply = yield* fetched(url, keyOf(long), { headers: { range: `bytes=${from}-${to}` } })
        const bytes = new Uint8Array(yield* Effect.promise(() => reply.arrayBuffer()))
        expect(Buffer.compare(bytes, long.subarray(from, to + 1))).toBe(0)
      }
    })
  )

  it.scopedLive("Given two owners, when each puts and removes, then neither touches the other's copy or quota", () =>
    Effect.gen(function* () {
      const { url } = yield* served({ storage, tokens: [TOKEN, "other"], quota: 10_000 })
      const mine = yield* storeAt(url)
      const theirs = yield* storeAt(url, { token: "other" })
      const big = new Uint8Array(6000).fill(1)
      const hash = yield* mine.put(big)
      yield* theirs.put(big)
      expect(yield* Effect.flip(mine.put(new Uint8Array(6000).fill(2)))).toMatchObject({ reason: "Full" })
      yield* mine.remove(hash)
      expect(yield* mine.get(hash)).toEqual(big)
      yield* mine.put(new Uint8Array(6000).fill(2))
      yield* theirs.remove(hash)
      expect(yield* mine.has(hash)).toBe(false)
    })
  )

  it.scopedLive("Given a quota, when the server starts again, then it still counts what is kept", () =>
    Effect.gen(function* () {
      const directory = yield* temporary
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { url } = yield* served({ directory, storage, quota: 10_000 })
          yield* Effect.flatMap(storeAt(url), (store) => store.put(new Uint8Array(6000).fill(1)))
        })
      )
      const { url } = yield* served({ directory, storage, quota: 10_000 })
      const store = yield* storeAt(url)
      expect(yield* Effect.flip(store.put(new Uint8Array(6000).fill(2)))).toMatchObject({ reason: "Full" })
      // What is kept already takes no more room.
      yield* store.put(new Uint8Array(6000).fill(1))
    })
  )
})

const storages: Readonly<Record<string, Effect.Effect<PayloadServer.Storage, unknown, Scope.Scope>>> = {
  folder: Effect.flatMap(temporary, PayloadServer.folder).pipe(Effect.provide(NodeFileSystem.layer)),
  sqlite: Effect.flatMap(temporary, (directory) => PayloadServer.sqlite(join(directory, "payloads.sqlite"))),
  keyValueStore: PayloadServer.keyValueStore.pipe(Effect.provide(KeyValueStore.layerMemory))
}

for (const [name, storage] of Object.entries(storages)) {
  describe(`PayloadServer over ${name}`, () => {
    const DAY = 86_400_000

    /** The status of requests to a server that runs on the TestClock. */
    const server = Effect.gen(function* () {
      yield* Layer.build(PayloadServer.layer(storage, { retention: 8 * DAY }))
      const { address } = yield* HttpServer.HttpServer
      const url = `http://127.0.0.1:${"port" in address ? address.port : 0}`
      const status = (init: RequestInit) => Effect.map(fetched(url, HELLO, init), (reply) => reply.status)
      return {
        put: status({ method: "PUT", body: hello }),
        get: status({}),
        health: Effect.promise(() => fetch(`${url}/health`))
      }
    })

    it.scoped("Given a payload, when 8 days pass since its last put, then it is gone, and not a moment before", () =>
      Effect.gen(function* () {
        const { get, health, put } = yield* server
        expect((yield* health).status).toBe(200)
        expect(yield* put).toBe(200)
        yield* TestClock.adjust(5 * DAY)
        expect(yield* put).toBe(200)
        yield* TestClock.adjust(8 * DAY - 1)
        expect(yield* get).toBe(200)
        yield* TestClock.adjust(1)
        expect(yield* get).toBe(404)
        expect(yield* put).toBe(200)
        expect(yield* get).toBe(200)
      }).pipe(Effect.provide(NodeHttpServer.layerTest))
    )
  })
}

/** A file system of 256 KiB, or a failure where this process may not mount one. */
const smallDisk = Effect.acquireRelease(
  Effect.sync(() => {
    const directory = mkdtempSync(join(tmpdir(), "pod-full-"))
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", directory], { stdio: "ignore" })
    return directory
  }),
  (directory) =>
    Effect.sync(() => {
      execFileSync("umount", [directory])
      rmSync(directory, { recursive: true })
    })
)

const mayMount = Effect.runSync(Effect.isSuccess(Effect.scoped(smallDisk)))

describe("PayloadServer on a full disk", () => {
  it.scopedLive.skipIf(!mayMount)("When more is put, then it is Full, and what is kept stays readable", () =>
    Effect.gen(function* () {
      const { directory, url } = yield* served({ directory: yield* smallDisk })
      const store = yield* storeAt(url)
      const kept = new Uint8Array(20_000).fill(1)
      const hash = yield* store.put(kept)
      for (let again = 0; again < 5; again++) {
        const error = yield* Effect.flip(store.put(new Uint8Array(400_000).fill(again)))
        expect(error).toMatchObject({ reason: "Full", isRetryable: false })
      }
      expect(yield* store.get(hash)).toEqual(kept)
      expect(incoming(directory)).toEqual([])
      yield* store.put(new Uint8Array(20_000).fill(2))
    })
  )
})

describe("PayloadServer, given kill -9", () => {
  it.scopedLive("When payloads arrive, then each file under a hash is whole", () =>
    Effect.gen(function* () {
      const directory = yield* temporary
      const child = spawn(process.execPath, [bundled(CHILD), directory], {
        stdio: ["ignore", "pipe", "inherit"]
      })
      yield* Effect.addFinalizer(() => Effect.sync(() => child.kill("SIGKILL")))
      const url = yield* Effect.async<string>((resume) => {
        child.stdout.once("data", (line: Buffer) => resume(Effect.succeed(line.toString().trim())))
      })
      const store = yield* storeAt(url)
      let done = 0
      yield* Effect.forEach(
        Array.from({ length: 400 }, (_, index) => index),
        (index) => {
          const bytes = new Uint8Array(150_000).fill(index)
          new DataView(bytes.buffer).setUint32(0, index)
          return Effect.tap(store.put(bytes), () => {
            if (++done === 30) child.kill("SIGKILL")
          })
        },
        { concurrency: 8, discard: true }
      ).pipe(Effect.ignore)
      const files = filesOf(directory)
      expect(files.length).toBeGreaterThanOrEqual(30)
      for (const file of files) expect(keyOf(readFileSync(join(directory, file)))).toBe(file.slice(-64))
      expect(existsSync(join(directory, "incoming"))).toBe(true)
    })
  )
})
