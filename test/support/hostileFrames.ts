/** WebSocket frames that are random, broken or mutated, and a server that writes them. */
import { createHash } from "node:crypto"
import { createServer, type Server } from "node:http"
import type { AddressInfo, Socket } from "node:net"
import { deflateRawSync } from "node:zlib"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import type * as Scope from "effect/Scope"

/** One frame of a server: without a mask. */
export const frame = (opcode: number, body: Buffer, { fin = true, compressed = false } = {}): Buffer => {
  const first = (fin ? 0x80 : 0) | (compressed ? 0x40 : 0) | opcode
  if (body.length < 126) return Buffer.concat([Buffer.from([first, body.length]), body])
  const head = Buffer.alloc(body.length < 65_536 ? 4 : 10)
  head[0] = first
  head[1] = body.length < 65_536 ? 126 : 127
  if (body.length < 65_536) head.writeUInt16BE(body.length, 2)
  else head.writeBigUInt64BE(BigInt(body.length), 2)
  return Buffer.concat([head, body])
}

export const TEXT = 1
export const BINARY = 2

const deep = fc.integer({ min: 1, max: 20_000 }).map((levels) => "[".repeat(levels) + "]".repeat(levels))

/** JSON of any type, for an id or a result. */
const value = fc.oneof(
  { weight: 9, arbitrary: fc.jsonValue().map((json) => JSON.stringify(json)) },
  {
    weight: 9,
    arbitrary: fc.constantFrom(
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
    )
  },
  { weight: 1, arbitrary: deep }
)

const message = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.tuple(value, value).map(([id, result]) => `{"jsonrpc":"2.0","id":${id},"result":${result}}`)
  },
  {
    weight: 5,
    arbitrary: fc.tuple(value, value).map(([id, error]) => `{"jsonrpc":"2.0","id":${id},"error":${error}}`)
  },
  {
    weight: 5,
    arbitrary: fc
      .tuple(value, value, value)
      .map(([id, code, text]) => `{"id":${id},"error":{"code":${code},"message":${text}}}`)
  },
  {
    weight: 5,
    arbitrary: fc
      .tuple(value, value)
      .map(([id, result]) => `{"method":"accountNotification","params":{"subscription":${id},"result":${result}}}`)
  },
  {
    weight: 5,
    arbitrary: fc.constant(
      '{"method":"accountNotification","params":{"subscription":1,"result":{"context":{"slot":1},"value":{}}}}'
    )
  },
  { weight: 5, arbitrary: value },
  { weight: 5, arbitrary: fc.string() },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: 1, max: 300_000 })
      .map((size) => `{"params":{"subscription":1,"result":"${"x".repeat(size)}"}}`)
  }
)

const mutated = fc.tuple(message, fc.nat(), fc.nat(255)).map(([text, at, byte]) => {
  const bytes = Buffer.from(text)
  if (bytes.length > 0) bytes[at % bytes.length] = byte
  return bytes
})

/** A message, whole or with one byte changed. */
export const body = fc.oneof(
  message.map((text) => Buffer.from(text)),
  mutated
)

/** The bytes after the handshake: whole, fragmented, compressed, binary and broken frames, and other bytes. */
export const written = fc.oneof(
  { weight: 24, arbitrary: body.map((bytes) => frame(TEXT, bytes)) },
  { weight: 6, arbitrary: body.map((bytes) => frame(BINARY, bytes)) },
  {
    weight: 6,
    arbitrary: body.map((bytes) => {
      const middle = bytes.length >> 1
      return Buffer.concat([frame(TEXT, bytes.subarray(0, middle), { fin: false }), frame(0, bytes.subarray(middle))])
    })
  },
  { weight: 4, arbitrary: body.map((bytes) => frame(TEXT, deflateRawSync(bytes), { compressed: true })) },
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

const PING = 9
const PONG = 0x8a

/** Marks the pings between the frames, so that pongs to hostile pings are not counted. */
const MARK = Buffer.from("hostile:")

const ping = (nth: number): Buffer => {
  const count = Buffer.alloc(4)
  count.writeUInt32BE(nth)
  return frame(PING, Buffer.concat([MARK, count]))
}

/** Reads the marked pongs in the bytes of a client, and calls back with their numbers. */
const pongs = (onPong: (nth: number) => void) => {
  let held = Buffer.alloc(0)
  return (chunk: Buffer): void => {
    held = Buffer.concat([held, chunk])
    for (;;) {
      const short = (held[1] ?? 0) & 0x7f
      const head = short === 127 ? 10 : short === 126 ? 4 : 2
      if (held.length < head + 4) return
      const size = short === 127 ? Number(held.readBigUInt64BE(2)) : short === 126 ? held.readUInt16BE(2) : short
      if (held.length < head + 4 + size) return
      const mask = held.subarray(head, head + 4)
      const payload = held.subarray(head + 4, head + 4 + size).map((byte, at) => byte ^ (mask[at % 4] ?? 0))
      if (held[0] === PONG && payload.length === MARK.length + 4 && MARK.equals(payload.subarray(0, MARK.length))) {
        onPong(Buffer.from(payload).readUInt32BE(MARK.length))
      }
      held = held.subarray(head + 4 + size)
    }
  }
}

const ANSWER = frame(TEXT, Buffer.from('{"jsonrpc":"2.0","id":1,"result":1}'))

const FRAMES_AT_ONCE = 20

/**
 * Milliseconds without a pong after which the server closes its side: the client may wait for the rest of a broken
 * frame.
 */
const IDLE_MILLIS = 50

/** Milliseconds after which the server cuts an open connection and counts it as stuck. */
const STUCK_MILLIS = 30_000

export interface Frames {
  readonly wsUrl: string
  /** Frames that a client has read: it answered the ping after them, or closed the connection because of them. */
  readonly read: () => number
  /** Connections that a client kept although the server had closed its side. */
  readonly stuck: () => number
}

/** Writes frames, each with a ping after it, and waits for the pongs before it writes more. */
const play = (socket: Socket, next: () => Buffer, onRead: (frames: number) => void, onStuck: () => void): void => {
  let written = 0
  let read = 0
  let idle: NodeJS.Timeout | undefined
  const count = (nth: number) => {
    onRead(nth - read)
    read = nth
  }
  const wait = () => {
    clearTimeout(idle)
    idle = setTimeout(() => {
      socket.end()
      idle = setTimeout(() => {
        onStuck()
        socket.destroy()
      }, STUCK_MILLIS)
    }, IDLE_MILLIS)
  }
  const write = () => {
    const pieces = [ANSWER]
    for (let nth = 0; nth < FRAMES_AT_ONCE; nth++) pieces.push(next(), ping(++written))
    socket.write(Buffer.concat(pieces))
    wait()
  }
  const onPong = (nth: number) => {
    if (nth <= read || nth > written) return
    count(nth)
    if (socket.writableEnded) return
    if (nth === written) write()
    else wait()
  }
  socket.on("data", pongs(onPong))
  socket.on("end", () => socket.end())
  socket.on("close", () => {
    clearTimeout(idle)
    if (read < written) count(read + 1)
  })
  write()
}

/** A server that shakes hands and then writes frames. */
export const serveFrames = (next: () => Buffer): Effect.Effect<Frames, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.async<{ readonly server: Server; readonly sockets: Set<Socket>; read: number; stuck: number }>(
        (resume) => {
          const server = createServer()
          const state = { server, sockets: new Set<Socket>(), read: 0, stuck: 0 }
          server.on("upgrade", ({ headers }, socket: Socket) => {
            state.sockets.add(socket)
            socket.on("error", () => undefined).on("close", () => state.sockets.delete(socket))
            const accept = createHash("sha1")
              .update(`${headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
              .digest("base64")
            socket.write(
              `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: ${accept}\r\nsec-websocket-extensions: permessage-deflate\r\n\r\n`
            )
            const onRead = (frames: number) => void (state.read += frames)
            play(socket, next, onRead, () => state.stuck++)
          })
          server.listen(0, "127.0.0.1", () => resume(Effect.succeed(state)))
        }
      ),
      ({ server, sockets }) =>
        Effect.async<void>((resume) => {
          for (const socket of sockets) socket.destroy()
          server.close(() => resume(Effect.void))
        })
    ),
    (state) => ({
      wsUrl: `ws://127.0.0.1:${(state.server.address() as AddressInfo).port}`,
      read: () => state.read,
      stuck: () => state.stuck
    })
  )
