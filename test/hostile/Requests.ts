/** Requests, upgrades and frames to the embedded cluster over TCP. */
import { connect } from "node:net"
import { gzipSync } from "node:zlib"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as fc from "effect/FastCheck"
import * as Scope from "effect/Scope"
import * as EmbeddedCluster from "../../layers/EmbeddedCluster.js"
import * as Server from "../../layers/EmbeddedServer.js"
import { request } from "../support/hostileCalls.js"
import { BINARY, body, frame, TEXT } from "../support/hostileFrames.js"
import * as Supply from "./Supply.js"
import * as Tally from "./Tally.js"

/** The input of one connection. */
interface Input {
  readonly name: string
  readonly isWebSocket: boolean
  readonly bytes: Buffer
  /** The expected text in the answer to well-formed bytes. Without it, the client closes its side. */
  readonly answer: string | undefined
}

/** Frames of a client carry a mask. */
const masked = (frame: Buffer, mask = Buffer.from([1, 2, 3, 4])): Buffer => {
  const size = frame[1] ?? 0
  const head = size === 127 ? 10 : size === 126 ? 4 : 2
  const payload = frame.subarray(head).map((byte, at) => byte ^ (mask[at % 4] ?? 0))
  const masked = Buffer.concat([frame.subarray(0, head), mask, payload])
  masked[1] = size | 0x80
  return masked
}

const head = (method: string, path: string, headers: ReadonlyArray<readonly [string, string]>): Buffer =>
  Buffer.from(`${method} ${path} HTTP/1.1\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`)

const HOST = ["host", "127.0.0.1"] as const
const JSON_TYPE = ["content-type", "application/json"] as const
const CLOSE = ["connection", "close"] as const

const calls = fc.oneof(
  request,
  fc.array(request, { maxLength: 5 }).map((items) => `[${items.join()}]`)
)

const text = fc.oneof(
  calls.map((text) => Buffer.from(text)),
  body
)

const post = text.map((bytes): Input => ({
  name: "a whole request",
  isWebSocket: false,
  bytes: Buffer.concat([head("POST", "/", [HOST, JSON_TYPE, CLOSE, ["content-length", String(bytes.length)]]), bytes]),
  answer: "HTTP/1.1 "
}))

const header = fc.tuple(
  fc.constantFrom(
    "host",
    "content-type",
    "content-length",
    "content-encoding",
    "transfer-encoding",
    "connection",
    "expect",
    "origin",
    "upgrade",
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-extensions",
    "sec-websocket-protocol",
    "__proto__"
  ),
  fc.oneof(
    fc.constantFrom("127.0.0.1", "application/json", "0", "-1", "1e9", "chunked", "gzip", "close", "upgrade"),
    fc.constantFrom("websocket", "100-continue", "null", "http://evil.example", "13", "dGhlIHNhbXBsZSBub25jZQ=="),
    fc.constantFrom("permessage-deflate", "permessage-deflate; client_max_window_bits=99", "x".repeat(20_000)),
    fc.string()
  )
)

/** Headers and lengths of any kind, before bytes that may be compressed. */
const broken = fc
  .tuple(
    fc.constantFrom("POST", "POST", "GET", "OPTIONS", "PUT", "CONNECT", "TRACE", "X"),
    fc.oneof(fc.constantFrom("/", "/health", "*", "//", "http://x/"), fc.string()),
    fc.array(header, { maxLength: 6 }),
    text,
    fc.boolean()
  )
  .map(([method, path, headers, bytes, isCompressed]) =>
    isCompressed
      ? Buffer.concat([head(method, path, [...headers, ["content-encoding", "gzip"]]), gzipSync(bytes)])
      : Buffer.concat([head(method, path, headers), bytes])
  )

const UPGRADE = [
  HOST,
  ["connection", "upgrade"],
  ["upgrade", "websocket"],
  ["sec-websocket-version", "13"],
  ["sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="]
] as const

const upgrade = (headers: ReadonlyArray<readonly [string, string]> = []) => head("GET", "/", [...UPGRADE, ...headers])

const LAST = '{"jsonrpc":"2.0","id":"the last call","method":"getHealth"}'

const session = fc.array(calls, { maxLength: 10 }).map((texts): Input => ({
  name: "whole frames",
  isWebSocket: true,
  bytes: Buffer.concat([upgrade(), ...[...texts, LAST].map((text) => masked(frame(TEXT, Buffer.from(text))))]),
  answer: '"the last call"'
}))

const frames = fc
  .array(
    fc
      .tuple(fc.oneof(fc.constantFrom(TEXT, BINARY, 0), fc.nat(15)), text, fc.boolean(), fc.boolean(), fc.nat(9))
      .map(([opcode, bytes, fin, compressed, nth]) => {
        const bare = frame(opcode, bytes, { fin, compressed })
        return nth === 0 ? bare : masked(bare)
      }),
    { maxLength: 10 }
  )
  .chain((frames) => fc.array(header, { maxLength: 2 }).map((headers) => Buffer.concat([upgrade(headers), ...frames])))

/** The bytes with some of them changed, cut at a random place. */
const spoilt = (bytes: fc.Arbitrary<Buffer>) =>
  fc
    .tuple(
      bytes,
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
      fc.option(fc.nat(), { nil: undefined, freq: 3 })
    )
    .map(([bytes, flips, cut]) => {
      const copy = Buffer.from(bytes)
      for (const [at, byte] of flips) copy[at % Math.max(1, copy.length)] = byte
      return cut === undefined ? copy : copy.subarray(0, cut % Math.max(1, copy.length))
    })

const anyBytes = fc.oneof(
  { weight: 3, arbitrary: spoilt(broken) },
  { weight: 3, arbitrary: spoilt(frames) },
  { weight: 2, arbitrary: spoilt(fc.oneof(post, session).map(({ bytes }) => bytes)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) }
)

const input: fc.Arbitrary<Input> = fc.oneof(
  { weight: 3, arbitrary: post },
  { weight: 2, arbitrary: session },
  {
    weight: 5,
    arbitrary: fc
      .tuple(anyBytes, fc.boolean())
      .map(([bytes, isWebSocket]): Input => ({ name: "broken bytes", isWebSocket, bytes, answer: undefined }))
  }
)

/** Sends an input and reads until the expected answer has come. Without one, reads until the server closes. */
const exchange = (port: number, { answer, bytes, isWebSocket }: Input) =>
  Effect.async<string>((resume) => {
    let received = ""
    const socket = connect(isWebSocket ? port + 1 : port, "127.0.0.1")
    const done = () => resume(Effect.succeed(received))
    socket.on("error", () => undefined).on("close", done)
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1")
      if (isWebSocket && answer !== undefined && received.includes(answer)) socket.end()
    })
    socket.write(bytes)
    if (answer === undefined) socket.end()
    return Effect.sync(() => socket.destroy())
  })

/** A defect of the server shows as JSON-RPC's internal error or as HTTP status 500. */
const DEFECT = /"message":"Internal error"|^HTTP\/1\.1 500 /

const send = (tally: Tally.Tally, port: number, input: Input) => {
  const what = `${input.name} to port ${input.isWebSocket ? "of WebSocket" : "of HTTP"}`
  const call = Effect.map(exchange(port, input), (received) => {
    tally.cases++
    const sent = () => `${what}: ${JSON.stringify(input.bytes.toString("latin1").slice(0, 600))}`
    if (DEFECT.test(received)) tally.crashes.push(`${sent()} → ${received.slice(0, 300)}`)
    if (input.answer !== undefined && !received.includes(input.answer)) {
      tally.hangs.push(`${sent()} → closed without its answer: ${received.slice(0, 300)}`)
    }
  })
  return Tally.end(tally, what, call, () => true)
}

/** After all inputs, each port must still answer. */
const WHOLE: ReadonlyArray<Input> = [
  {
    name: "the last request",
    isWebSocket: false,
    bytes: Buffer.concat([
      head("POST", "/", [HOST, JSON_TYPE, CLOSE, ["content-length", String(LAST.length)]]),
      Buffer.from(LAST)
    ]),
    answer: '"the last call"'
  },
  {
    name: "the last frame",
    isWebSocket: true,
    bytes: Buffer.concat([upgrade(), masked(frame(TEXT, Buffer.from(LAST)))]),
    answer: '"the last call"'
  }
]

export const play = (tally: Tally.Tally, cases: number, seed: number) =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const { port } = yield* Scope.extend(Server.serve(), scope)
    const draw = Supply.make(input, seed)
    yield* Effect.forEach(Arr.range(1, cases), () => Effect.suspend(() => send(tally, port, draw())), {
      concurrency: 16,
      discard: true
    })
    yield* Effect.forEach(WHOLE, (input) => send(tally, port, input))
    yield* Tally.end(tally, "the server's scope does not close", Scope.close(scope, Exit.void), () => true)
  }).pipe(Effect.provide(EmbeddedCluster.layer({ maxBlocks: 500, maxTransactions: 500, maxStatuses: 500 })))
