/** Replies over HTTP that are random, broken or mutated: each call ends with a result or a typed error, and nothing grows. */
import { createServer } from "node:net"
import type { AddressInfo, Socket } from "node:net"
import { brotliCompressSync, gzipSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Redacted from "effect/Redacted"
import * as RpcPoolUndici from "../../layers/RpcPoolUndici.js"
import * as RpcPool from "../../services/RpcPool.js"
import { RpcError } from "../../services/RpcTransport.js"
import { runs } from "../support/runs.js"

const METHODS = ["getSlot", "getVersion", "getLatestBlockhash", "getProgramAccounts", "sendTransaction"]

const outcome = FastCheck.oneof(
  FastCheck.record({ result: FastCheck.jsonValue() }),
  FastCheck.record({ error: FastCheck.oneof(FastCheck.jsonValue(), FastCheck.record({ code: FastCheck.integer() })) }),
  FastCheck.constant({ result: { context: { slot: 1 }, value: [{}, null, { account: 1 }] } })
)

const id = FastCheck.oneof({ arbitrary: FastCheck.constant("ID"), weight: 3 }, FastCheck.jsonValue())

const body = FastCheck.oneof(
  FastCheck.tuple(id, outcome).map(([id, outcome]) => JSON.stringify({ jsonrpc: "2.0", id, ...outcome })),
  FastCheck.array(FastCheck.tuple(id, outcome)).map((items) =>
    JSON.stringify(items.map(([id, outcome]) => ({ id, ...outcome })))
  ),
  FastCheck.integer({ min: 1, max: 20_000 }).map(
    (depth) => `{"id":"ID","result":${"[".repeat(depth)}${"]".repeat(depth)}}`
  ),
  FastCheck.integer({ min: 1, max: 60_000 }).map((count) => `{"id":"ID","result":[${"{},".repeat(count)}0]}`),
  FastCheck.string({ unit: "binary" })
)

interface Reply {
  readonly body: string
  readonly status: number
  readonly encoding: string | undefined
  readonly headers: ReadonlyArray<readonly [string, string]>
  readonly isChunked: boolean
  readonly flips: ReadonlyArray<readonly [at: number, byte: number]>
  readonly cut: number | undefined
}

const reply: FastCheck.Arbitrary<Reply> = FastCheck.record({
  body,
  status: FastCheck.oneof(
    FastCheck.constantFrom(200, 200, 204, 301, 400, 429, 500, 503),
    FastCheck.integer({ min: 0, max: 999 })
  ),
  encoding: FastCheck.constantFrom(undefined, undefined, "gzip", "br", "x"),
  headers: FastCheck.array(
    FastCheck.tuple(FastCheck.constantFrom("retry-after", "x-a", "connection", "content-type"), FastCheck.string()),
    { maxLength: 3 }
  ),
  isChunked: FastCheck.boolean(),
  flips: FastCheck.oneof(
    FastCheck.constant([]),
    FastCheck.array(FastCheck.tuple(FastCheck.nat(), FastCheck.nat(255)), { maxLength: 3 })
  ),
  cut: FastCheck.option(FastCheck.nat(), { nil: undefined })
})

const bytesOf = (reply: Reply, id: string): Buffer => {
  const text = Buffer.from(reply.body.replaceAll('"ID"', id))
  const encoded = reply.encoding === "gzip" ? gzipSync(text) : reply.encoding === "br" ? brotliCompressSync(text) : text
  const head = [
    `HTTP/1.1 ${reply.status} X`,
    ...reply.headers.map(([name, value]) => `${name}: ${value}`),
    ...(reply.encoding === undefined ? [] : [`content-encoding: ${reply.encoding}`]),
    reply.isChunked ? "transfer-encoding: chunked" : `content-length: ${encoded.length}`
  ].join("\r\n")
  const framed = reply.isChunked
    ? Buffer.concat([Buffer.from(`${encoded.length.toString(16)}\r\n`), encoded, Buffer.from("\r\n0\r\n\r\n")])
    : encoded
  const bytes = Buffer.concat([Buffer.from(`${head}\r\n\r\n`), framed])
  for (const [at, byte] of reply.flips) bytes[at % bytes.length] = byte
  return reply.cut === undefined ? bytes : bytes.subarray(0, reply.cut % bytes.length)
}

const serving = (next: () => Reply) =>
  Effect.acquireRelease(
    Effect.async<{ readonly port: number; readonly close: () => void }>((resume) => {
      const sockets = new Set<Socket>()
      const server = createServer((socket) => {
        let text = ""
        sockets.add(socket)
        socket.on("error", () => undefined)
        socket.on("close", () => sockets.delete(socket))
        socket.on("data", (chunk) => {
          text += chunk.toString()
          const id = /"id":(\d+)/.exec(text)?.[1]
          if (id === undefined) return
          text = ""
          const reply = next()
          socket.write(bytesOf(reply, id))
          if (reply.cut !== undefined || reply.flips.length > 0 || reply.status < 200) socket.end()
        })
      })
      server.listen(0, "127.0.0.1", () =>
        resume(
          Effect.succeed({
            port: (server.address() as AddressInfo).port,
            close: () => {
              for (const socket of sockets) socket.destroy()
              server.close()
            }
          })
        )
      )
    }),
    ({ close }) => Effect.sync(close)
  )

const SLICE = 200

describe("replies that are no replies", () => {
  it.scopedLive(
    "Given random and mutated replies / When calls are made / Then each ends with a result or a typed error",
    () =>
      Effect.gen(function* () {
        const total = runs(600)
        let replies: Array<Reply> = []
        const { port } = yield* serving(
          () =>
            replies.pop() ?? {
              body: "",
              status: 200,
              encoding: undefined,
              headers: [],
              isChunked: false,
              flips: [],
              cut: undefined
            }
        )
        const rpc = RpcPool.make(
          yield* RpcPoolUndici.transport({
            url: Redacted.make(`http://127.0.0.1:${port}`),
            connections: 8,
            headersTimeout: "2 seconds",
            bodyTimeout: "2 seconds",
            requestTimeout: "5 seconds"
          })
        )
        const thrown: Array<unknown> = []
        const onThrown = (error: unknown) => void thrown.push(error)
        process.on("uncaughtExceptionMonitor", onThrown)
        yield* Effect.addFinalizer(() => Effect.sync(() => process.off("uncaughtExceptionMonitor", onThrown)))
        let memory = 0
        for (let done = 0; done < total; done += SLICE) {
          replies = FastCheck.sample(reply, SLICE)
          const exits = yield* Effect.forEach(
            Array.from({ length: SLICE }, (_, nth) => METHODS[nth % METHODS.length] ?? "getSlot"),
            (method, nth) => {
              const call: Effect.Effect<unknown, RpcError> =
                nth % 7 === 0
                  ? rpc.batch([
                      { method, params: [] },
                      { method: "getSlot", params: [] }
                    ])
                  : method === "getSlot"
                    ? rpc.getSlot()
                    : rpc.request(method)
              return Effect.exit(call)
            },
            { concurrency: 16 }
          )
          for (const exit of exits) {
            if (Exit.isSuccess(exit)) continue
            assert.isTrue(
              Cause.isFailType(exit.cause) && exit.cause.error instanceof RpcError,
              Cause.pretty(exit.cause)
            )
            assert.isString(JSON.stringify(Cause.squash(exit.cause)))
          }
          if (done === 20 * SLICE) memory = process.memoryUsage().heapUsed
        }
        if (memory > 0) assert.isBelow(process.memoryUsage().heapUsed - memory, 128 * 1024 * 1024)
        assert.deepStrictEqual(thrown, [])
      }),
    600_000
  )
})
