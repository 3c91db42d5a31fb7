/** Replies over HTTP that are random, broken or mutated, and servers that write them. */
import { constants, createServer as createHttp2Server } from "node:http2"
import { connect, createServer } from "node:net"
import type { AddressInfo, Socket } from "node:net"
import { createServer as createTlsServer } from "node:tls"
import { brotliCompressSync, gzipSync } from "node:zlib"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import { identity } from "./secure.js"

export const METHODS = ["getSlot", "getVersion", "getLatestBlockhash", "getProgramAccounts", "sendTransaction"]

const outcome = FastCheck.oneof(
  FastCheck.record({ result: FastCheck.jsonValue() }),
  FastCheck.record({ error: FastCheck.oneof(FastCheck.jsonValue(), FastCheck.record({ code: FastCheck.integer() })) }),
  FastCheck.constant({ result: { context: { slot: 1 }, value: [{}, null, { account: 1 }] } })
)

const id = FastCheck.oneof({ arbitrary: FastCheck.constant("ID"), weight: 3 }, FastCheck.jsonValue())

const body = FastCheck.oneof(
  {
    weight: 9,
    arbitrary: FastCheck.tuple(id, outcome).map(([id, outcome]) => JSON.stringify({ jsonrpc: "2.0", id, ...outcome }))
  },
  {
    weight: 9,
    arbitrary: FastCheck.array(FastCheck.tuple(id, outcome)).map((items) =>
      JSON.stringify(items.map(([id, outcome]) => ({ id, ...outcome })))
    )
  },
  {
    weight: 1,
    arbitrary: FastCheck.integer({ min: 1, max: 20_000 }).map(
      (depth) => `{"id":"ID","result":${"[".repeat(depth)}${"]".repeat(depth)}}`
    )
  },
  {
    weight: 1,
    arbitrary: FastCheck.integer({ min: 1, max: 60_000 }).map(
      (count) => `{"id":"ID","result":[${"{},".repeat(count)}0]}`
    )
  },
  { weight: 9, arbitrary: FastCheck.string({ unit: "binary" }) }
)

export interface Reply {
  readonly body: string
  readonly status: number
  readonly encoding: string | undefined
  readonly headers: ReadonlyArray<readonly [string, string]>
  readonly isChunked: boolean
  readonly flips: ReadonlyArray<readonly [at: number, byte: number]>
  readonly cut: number | undefined
}

export const reply: FastCheck.Arbitrary<Reply> = FastCheck.record({
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

const encode = ({ body, encoding }: Reply, id: string): Buffer => {
  const text = Buffer.from(body.replaceAll('"ID"', id))
  return encoding === "gzip" ? gzipSync(text) : encoding === "br" ? brotliCompressSync(text) : text
}

/** The bytes of a reply, with its changes and its cut. */
const spoil = (bytes: Buffer, { cut, flips }: Pick<Reply, "cut" | "flips">): Buffer => {
  for (const [at, byte] of flips) bytes[at % bytes.length] = byte
  return cut === undefined || bytes.length === 0 ? bytes : bytes.subarray(0, cut % bytes.length)
}

const bytesOf = (reply: Reply, id: string): Buffer => {
  const encoded = encode(reply, id)
  const head = [
    `HTTP/1.1 ${reply.status} X`,
    ...reply.headers.map(([name, value]) => `${name}: ${value}`),
    ...(reply.encoding === undefined ? [] : [`content-encoding: ${reply.encoding}`]),
    reply.isChunked ? "transfer-encoding: chunked" : `content-length: ${encoded.length}`
  ].join("\r\n")
  const framed = reply.isChunked
    ? Buffer.concat([Buffer.from(`${encoded.length.toString(16)}\r\n`), encoded, Buffer.from("\r\n0\r\n\r\n")])
    : encoded
  return spoil(Buffer.concat([Buffer.from(`${head}\r\n\r\n`), framed]), reply)
}

/** An HTTP/1.1 server that answers each call with the next reply. */
export const serving = (next: () => Reply) =>
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

/**
 * An HTTP/2 server that answers each call with the next reply, and changes the bytes of its connection in the same way.
 */
export const servingHttp2 = (next: () => Reply) =>
  Effect.acquireRelease(
    Effect.async<{ readonly port: number; readonly close: () => void }>((resume) => {
      const sockets = new Set<Socket>()
      const keep = (socket: Socket) => {
        sockets.add(socket)
        socket.on("error", () => undefined).on("close", () => sockets.delete(socket))
      }
      let spoiling: Array<Reply> = []
      const inner = createHttp2Server()
        .on("connection", keep)
        .on("sessionError", () => undefined)
      inner.on("stream", (stream) => {
        let text = ""
        stream.on("error", () => undefined)
        stream.on("data", (chunk) => {
          text += chunk.toString()
        })
        stream.on("end", () => {
          const reply = next()
          if (reply.cut !== undefined || reply.flips.length > 0) spoiling.push(reply)
          try {
            stream.respond({
              ":status": reply.status,
              ...Object.fromEntries(reply.headers),
              ...(reply.encoding === undefined ? {} : { "content-encoding": reply.encoding })
            })
            stream.end(encode(reply, /"id":(\d+)/.exec(text)?.[1] ?? "0"))
          } catch {
            // Node refuses to send some statuses and headers.
            stream.close(constants.NGHTTP2_PROTOCOL_ERROR)
          }
        })
      })
      const outer = createTlsServer({ ...identity, ALPNProtocols: ["h2"] }, (client) => {
        keep(client)
        const upstream = connect((inner.address() as AddressInfo).port, "127.0.0.1")
        upstream.on("error", () => undefined).on("close", () => client.destroy())
        client.on("close", () => upstream.destroy()).pipe(upstream)
        upstream.on("data", (chunk: Buffer) => {
          const spoils = spoiling
          spoiling = []
          client.write(spoils.reduce(spoil, chunk))
          if (spoils.some(({ cut }) => cut !== undefined)) client.end()
        })
      }).on("tlsClientError", () => undefined)
      inner.listen(0, "127.0.0.1", () =>
        outer.listen(0, "127.0.0.1", () =>
          resume(
            Effect.succeed({
              port: (outer.address() as AddressInfo).port,
              close: () => {
                for (const socket of sockets) socket.destroy()
                outer.close()
                inner.close()
              }
            })
          )
        )
      )
    }),
    ({ close }) => Effect.sync(close)
  )

/** A reply without a body. */
export const EMPTY: Reply = {
  body: "",
  status: 200,
  encoding: undefined,
  headers: [],
  isChunked: false,
  flips: [],
  cut: undefined
}
