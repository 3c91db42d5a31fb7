import { execFileSync, spawn } from "node:child_process"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { connect, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Encoding from "effect/Encoding"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import { StorageError } from "../../layers/payloads/Storage.js"
import * as PayloadServer from "../../layers/PayloadServer.js"
import * as Hash from "../../src/solana/Hash.js"
import { bundled } from "../support/bundled.js"
import { served, storeAt, temporary, TOKEN } from "../support/payloadServers.js"

const CHILD = join(import.meta.dirname, "../support/payloadServerChild.ts")

const bytesOf = (text: string) => new TextEncoder().encode(text)
const hello = bytesOf("hello")
const keyOf = (bytes: Uint8Array) => Encoding.encodeHex(Hash.sha256(bytes))
const HELLO = keyOf(hello)
const AUTHORIZED = `authorization: Bearer ${TOKEN}`

/** Writes the text to the port, and returns what comes back until the server closes, or until `isDone`. */
const raw = (port: number, write: (socket: Socket) => void, isDone = /\r\n\r\n/) =>
  Effect.async<string>((resume) => {
    const socket = connect(port, "127.0.0.1", () => write(socket))
    let text = ""
    const end = () => {
      resume(Effect.succeed(text))
      socket.destroy()
    }
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1")
      if (isDone.test(text)) end()
    })
    socket.on("close", end)
    socket.on("error", end)
    return Effect.sync(() => socket.destroy())
  })

const statusOf = (reply: string) => Number(/^HTTP\/1\.1 (\d{3})/.exec(reply)?.[1])

const head = (line: string, ...headers: ReadonlyArray<string>) =>
  [`${line} HTTP/1.1`, "host: 127.0.0.1", AUTHORIZED, ...headers, "", ""].join("\r\n")

const send = (port: number, text: string) => raw(port, (socket) => socket.write(text))

const fetched = (url: string, key: string, init: RequestInit = {}) =>
  Effect.promise(() =>
    fetch(`${url}/v1/payloads/${key}`, {
      ...init,
      headers: { authorization: `Bearer ${TOKEN}`, ...init.headers }
    })
  )

/** The files of payloads in a folder, of all owners. */
const filesOf = (directory: string): ReadonlyArray<string> =>
  readdirSync(directory, { recursive: true, encoding: "utf8" }).filter((name) => /[0-9a-f]{64}$/.test(name))

const incoming = (directory: string) => readdirSync(join(directory, "incoming"))

describe("PayloadServer, given a raw socket", () => {
  const put = `PUT /v1/payloads/${HELLO}`

  it.scopedLive("When requests break the rules, then each gets its status and nothing is kept", () =>
    Effect.gen(function* () {
      const { directory, port } = yield* served({ maxBytes: 1000 })
      const cases: ReadonlyArray<readonly [text: string, status: number]> = [
        [`${head(put, "content-length: 5")}hellO`, 400],
        [`${head("PUT /v1/payloads/../../etc/passwd", "content-length: 0")}`, 404],
        [`${head(`PUT /v1/payloads/..%2f${HELLO}`, "content-length: 0")}`, 404],
        [`${head(`PUT /v1/payloads/${HELLO.toUpperCase()}`, "content-length: 5")}hello`, 400],
        [`${head("PUT /v1/payloads/abc", "content-length: 5")}hello`, 400],
        [`${head("GET /v1/payloads/")}`, 404],
        [`${head("GET /")}`, 404],
        [`${head(put, "content-length: 1001")}`, 413],
        [`${head(put, "content-length: 99999999999999999999")}`, 400],
        [`${head(put, "content-length: 5", "content-encoding: gzip")}hello`, 415],
        [`${head(put, "content-length: -1")}`, 400],
        [`${head(put, "transfer-encoding: chunked")}zz\r\n`, 400],
        [`${head(put, "transfer-encoding: chunked", "content-length: 5")}5\r\nhello\r\n0\r\n\r\n`, 400],
        [`${head(`GET /v1/payloads/${HELLO}`)}`, 404],
        [`${head(`POST /v1/payloads/${HELLO}`, "content-length: 0")}`, 405],
        [`PUT /v1/payloads/${HELLO} HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello`, 401],
        [
          `PUT /v1/payloads/${HELLO} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer other\r\ncontent-length: 5\r\n\r\nhello`,
          401
        ],
        [`${head("GET /health", `x: ${"y".repeat(10_000)}`)}`, 431],
        ["\u0000\u0001\u0002 nothing of HTTP\r\n\r\n", 400]
      ]
      for (const [text, status] of cases) {
        expect([text.slice(0, 80), statusOf(yield* send(port, text))]).toEqual([text.slice(0, 80), status])
      }
      expect(filesOf(directory)).toEqual([])
      expect(incoming(directory)).toEqual([])
      expect(statusOf(yield* send(port, `${head(put, "content-length: 5")}hello`))).toBe(200)
      expect(filesOf(directory)).toHaveLength(1)
    })
  )

  it.scopedLive("When a chunked body exceeds the limit, then it is 413 and its rest is not kept", () =>
    Effect.gen(function* () {
      const { directory, port } = yield* served({ maxBytes: 100_000 })
      const piece = `10000\r\n${"x".repeat(65_536)}\r\n`
      const reply = yield* send(port, head(put, "transfer-encoding: chunked") + piece.repeat(3))
      expect(statusOf(reply)).toBe(413)
      expect(filesOf(directory)).toEqual([])
      expect(incoming(directory)).toEqual([])
    })
  )

  it.scopedLive("When requests come before the former answers, then each is answered in order", () =>
    Effect.gen(function* () {
      const { port, url } = yield* served()
      yield* Effect.flatMap(storeAt(url), (store) => store.put(hello))
      const requests = [
        head(`GET /v1/payloads/${HELLO}`),
        `${head(put, "content-length: 5")}hello`,
        head("GET /nothing")
      ]
      const text = requests.join("").repeat(100) + head("GET /health", "connection: close")
      const reply = yield* raw(port, (socket) => socket.write(text), /\r\n\r\nok$/)
      const statuses = [...reply.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status))
      expect(statuses).toEqual([...Array.from({ length: 100 }, () => [200, 200, 404]).flat(), 200])
    })
  )

  it.scopedLive("When a client reads no answers, then the server begins no more than fit the socket", () =>
    Effect.gen(function* () {
      const { port, url } = yield* served({ metrics: "public" })
      const long = new Uint8Array(60_000)
      yield* Effect.flatMap(storeAt(url), (store) => store.put(long))
      const begun = Effect.promise(async () => {
        const text = await (await fetch(`${url}/metrics`)).text()
        return Number(/^pod_payload_server_requests_total\{method="GET",status="206"\} (\d+)$/m.exec(text)?.[1] ?? 0)
      })
      const before = yield* begun
      const socket = connect(port, "127.0.0.1").pause()
      yield* Effect.addFinalizer(() => Effect.sync(() => socket.destroy()))
      socket.write(head(`GET /v1/payloads/${keyOf(long)}`, "range: bytes=0-59998").repeat(2000))
      yield* Effect.sleep("1500 millis")
      expect((yield* begun) - before).toBeLessThan(500)
    })
  )

  it.scopedLive("When a refused body is said to be long, then its client still reads 413", () =>
    Effect.gen(function* () {
      const { url } = yield* served({ maxBytes: 1000 })
      const long = new Uint8Array(20_000_000)
      const replies = yield* Effect.all(
        Array.from({ length: 5 }, () => fetched(url, keyOf(long), { method: "PUT", body: long }))
      )
      expect(replies.map(({ status }) => status)).toEqual([413, 413, 413, 413, 413])
    })
  )

  it.scopedLive("When a body never ends, then it is 408 and leaves nothing", () =>
    Effect.gen(function* () {
      const { directory, port } = yield* served({ bodyTimeout: 300 })
      const piece = `20000\r\n${"x".repeat(0x20000)}\r\n`
      const replies = yield* Effect.all(
        [
          send(port, head(put, "transfer-encoding: chunked") + piece),
          send(port, head(put, "content-length: 5") + "hel")
        ],
        { concurrency: 2 }
      )
      expect(replies.map(statusOf)).toEqual([408, 408])
      expect(incoming(directory)).toEqual([])
    })
  )

  it.scopedLive("When clients leave half-way, then nothing is left and others are served", () =>
    Effect.gen(function* () {
      const { directory, port, url } = yield* served()
      const long = new Uint8Array(300_000).fill(7)
      yield* Effect.forEach(
        Array.from({ length: 20 }),
        () =>
          raw(port, (socket) => {
            socket.write(head(`PUT /v1/payloads/${keyOf(long)}`, `content-length: ${long.length}`))
            socket.write(long.subarray(0, 200_000), () => socket.destroy())
          }),
        { concurrency: 20 }
      )
      const store = yield* storeAt(url)
      yield* store.put(long)
      yield* Effect.sync(() => expect(incoming(directory)).toEqual([])).pipe(
        Effect.sandbox,
        Effect.retry(Schedule.spaced(50).pipe(Schedule.upTo("5 seconds")))
      )
      expect(filesOf(directory)).toHaveLength(1)
    })
  )
})

const ask = (url: string, path: string, init?: RequestInit) =>
  Effect.promise(async () => {
    const response = await fetch(url + path, init)
    return { status: response.status, text: await response.text(), headers: response.headers }
  })
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })

/** The status of /health over a storage. */
const health = (storage: PayloadServer.Storage) =>
  Effect.gen(function* () {
    const app = yield* PayloadServer.make(storage)
    const request = HttpServerRequest.fromWeb(new Request("http://localhost/health"))
    const { status } = yield* Effect.provideService(app, HttpServerRequest.HttpServerRequest, request)
    return status
  })

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
