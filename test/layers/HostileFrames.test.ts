import { createHash } from "node:crypto"
import { createServer } from "node:http"
import type { AddressInfo, Socket } from "node:net"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { deflateRawSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Stream from "effect/Stream"
import { SYSTEM_PROGRAM } from "../../src/solana/Address.js"
import { runs } from "../support/runs.js"
import { until } from "./RpcPoolUndiciServer.js"
import { transports } from "./transports.js"

/** Bytes of the heap that are held after a full collection. */
const held = (): number => {
  setFlagsFromString("--expose-gc")
  runInNewContext("gc")()
  return process.memoryUsage().heapUsed
}

const RUNS = runs(400)

/** Bytes by which a run may leave the heap larger, whatever the number of frames. */
const GROWTH = 24e6

const frame = (opcode: number, body: Buffer, { fin = true, compressed = false } = {}): Buffer => {
  const first = (fin ? 0x80 : 0) | (compressed ? 0x40 : 0) | opcode
  if (body.length < 126) return Buffer.concat([Buffer.from([first, body.length]), body])
  const head = Buffer.alloc(body.length < 65_536 ? 4 : 10)
  head[0] = first
  head[1] = body.length < 65_536 ? 126 : 127
  if (body.length < 65_536) head.writeUInt16BE(body.length, 2)
  else head.writeBigUInt64BE(BigInt(body.length), 2)
  return Buffer.concat([head, body])
}

const TEXT = 1
const BINARY = 2

const deep = fc.integer({ min: 1, max: 20_000 }).map((levels) => "[".repeat(levels) + "]".repeat(levels))

/** JSON of any type, at the place of an id or of a result. */
const value = fc.oneof(
  fc.jsonValue().map((json) => JSON.stringify(json)),
  fc.constantFrom(
    "1",
    '"1"',
    "null",
    "1e400",
    "-0",
    "18446744073709551615",
    `${"9".repeat(2000)}`,
    '{"toString":1,"valueOf":{}}',
    '{"__proto__":null}',
    '{"then":1,"toJSON":2}'
  ),
  deep
)

const message = fc.oneof(
  fc.tuple(value, value).map(([id, result]) => `{"jsonrpc":"2.0","id":${id},"result":${result}}`),
  fc.tuple(value, value).map(([id, error]) => `{"jsonrpc":"2.0","id":${id},"error":${error}}`),
  fc.tuple(value, value, value).map(([id, code, text]) => `{"id":${id},"error":{"code":${code},"message":${text}}}`),
  fc
    .tuple(value, value)
    .map(([id, result]) => `{"method":"accountNotification","params":{"subscription":${id},"result":${result}}}`),
  fc.constant(
    '{"method":"accountNotification","params":{"subscription":1,"result":{"context":{"slot":1},"value":{}}}}'
  ),
  value,
  fc.string(),
  fc.integer({ min: 1, max: 300_000 }).map((size) => `{"params":{"subscription":1,"result":"${"x".repeat(size)}"}}`)
)

const mutated = fc.tuple(message, fc.nat(), fc.nat(255)).map(([text, at, byte]) => {
  const bytes = Buffer.from(text)
  if (bytes.length > 0) bytes[at % bytes.length] = byte
  return bytes
})

const body = fc.oneof(
  message.map((text) => Buffer.from(text)),
  mutated
)

/** What a server writes after the handshake: whole, fragmented, compressed, binary and broken frames, and other bytes. */
const written = fc.oneof(
  { weight: 8, arbitrary: body.map((bytes) => frame(TEXT, bytes)) },
  { weight: 2, arbitrary: body.map((bytes) => frame(BINARY, bytes)) },
  {
    weight: 2,
    arbitrary: body.map((bytes) => {
      const middle = bytes.length >> 1
      return Buffer.concat([frame(TEXT, bytes.subarray(0, middle), { fin: false }), frame(0, bytes.subarray(middle))])
    })
  },
  { weight: 1, arbitrary: body.map((bytes) => frame(TEXT, deflateRawSync(bytes), { compressed: true })) },
  { weight: 1, arbitrary: body.map((bytes) => frame(TEXT, bytes, { compressed: true })) },
  { weight: 1, arbitrary: fc.tuple(fc.nat(15), body).map(([opcode, bytes]) => frame(opcode, bytes.subarray(0, 100))) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      Buffer.from([0x81, 127, 0x7f, 255, 255, 255, 255, 255, 255, 255]),
      Buffer.from([0x81, 0xff])
    )
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)) }
)

/** A server that shakes hands and then writes what it is given, in the same piece or after it. */
const hostile = (next: () => Buffer) =>
  Effect.acquireRelease(
    Effect.async<{ readonly server: ReturnType<typeof createServer>; readonly sockets: Set<Socket> }>((resume) => {
      const sockets = new Set<Socket>()
      const server = createServer().on("upgrade", ({ headers }, socket: Socket) => {
        sockets.add(socket)
        socket.on("error", () => undefined).on("close", () => sockets.delete(socket))
        const accept = createHash("sha1")
          .update(`${headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
          .digest("base64")
        const answer = (extension: string) =>
          `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: ${accept}\r\n${extension}\r\n`
        socket.write(
          Buffer.concat([
            Buffer.from(answer("sec-websocket-extensions: permessage-deflate\r\n")),
            frame(TEXT, Buffer.from('{"jsonrpc":"2.0","id":1,"result":1}'))
          ])
        )
        const write = () => {
          if (socket.destroyed) return
          socket.write(frame(TEXT, Buffer.from('{"jsonrpc":"2.0","id":1,"result":1}')))
          for (let nth = 0; nth < 20; nth++) socket.write(next())
          setTimeout(write, 1)
        }
        write()
      })
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed({ server, sockets })))
    }),
    ({ server, sockets }) =>
      Effect.async<void>((resume) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resume(Effect.void))
      })
  )

describe.each(transports)("Hostile frames over %s", (_, { pool }) => {
  it.scopedLive(
    "Given any frames of a node / When they come / Then nothing is thrown outside of an Effect, and memory stays",
    () =>
      Effect.gen(function* () {
        let frames: Array<Buffer> = []
        let sent = 0
        const thrown: Array<unknown> = []
        const note = (error: unknown) => void thrown.push(error)
        yield* Effect.acquireRelease(
          Effect.sync(() => process.on("uncaughtException", note).on("unhandledRejection", note)),
          () => Effect.sync(() => process.off("uncaughtException", note).off("unhandledRejection", note))
        )
        const { server } = yield* hostile(() => {
          sent++
          if (frames.length === 0) frames = fc.sample(written, 100)
          return frames.pop() ?? Buffer.alloc(0)
        })
        const wsUrl = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
        const before = held()
        const rpc = yield* pool(
          { url: "http://127.0.0.1:1", wsUrl },
          {
            reconnect: { base: "1 millis", cap: "1 millis" },
            circuit: { cooldown: "1 millis", maxCooldown: "1 millis" },
            maxNotificationBytes: 1_000_000
          }
        )
        const defects: Array<unknown> = []

        const reader = yield* rpc.accountSubscribe(SYSTEM_PROGRAM).pipe(
          Stream.runDrain,
          Effect.catchAllDefect((defect) => Effect.sync(() => void defects.push(defect))),
          Effect.ignore,
          Effect.forever,
          Effect.fork
        )
        yield* until(() => sent >= RUNS)
        yield* Fiber.interrupt(reader)

        assert.deepStrictEqual([thrown, defects], [[], []])
        frames = []
        assert.isBelow(held() - before, GROWTH)
      }).pipe(Effect.provide(Logger.remove(Logger.defaultLogger))),
    600_000
  )
})
