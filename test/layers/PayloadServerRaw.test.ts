import { connect, type Socket } from "node:net"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { fetched, filesOf, HELLO, hello, incoming, keyOf, served, storeAt, TOKEN } from "../support/payloadServers.js"

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
