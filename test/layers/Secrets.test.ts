import { createServer, type ServerResponse } from "node:http"
import { createServer as createTcpServer, type AddressInfo, type Server } from "node:net"
import { inspect } from "node:util"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { WebSocketServer } from "ws"
import * as RpcPoolHttpClient from "../../layers/RpcPoolHttpClient.js"
import * as RpcPoolUndici from "../../layers/RpcPoolUndici.js"
import * as WebSockets from "../support/webSockets.js"

const KEY = "S3CR3T-path-k3y"
const TOKEN = "t0k3n+of/query"
const HEADER = "Bearer h34d3r-s3cr3t"
const SECRETS = [KEY, TOKEN, encodeURIComponent(TOKEN), "h34d3r-s3cr3t", "REPLYBYTES"]

const pathOf = `/v2/${KEY}?token=${encodeURIComponent(TOKEN)}`

const listening = <A extends Server>(server: A) =>
  Effect.acquireRelease(
    Effect.async<number>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed((server.address() as AddressInfo).port)))
    }),
    () => Effect.sync(() => server.close())
  )

const connections = {
  "undici, given plain texts": (port: number, wsPort = port) =>
    RpcPoolUndici.transport({
      url: `http://127.0.0.1:${port}${pathOf}`,
      wsUrl: `ws://127.0.0.1:${wsPort}${pathOf}`,
      headers: { authorization: HEADER }
    }),
  "fetch, given plain texts": (port: number, wsPort = port) =>
    RpcPoolHttpClient.transport({
      url: `http://127.0.0.1:${port}${pathOf}`,
      wsUrl: `ws://127.0.0.1:${wsPort}${pathOf}`,
      headers: { authorization: HEADER }
    }).pipe(Effect.provide([FetchHttpClient.layer, WebSockets.ws])),
  undici: (port: number, wsPort = port) =>
    RpcPoolUndici.transport({
      url: Redacted.make(`http://127.0.0.1:${port}${pathOf}`),
      wsUrl: Redacted.make(`ws://127.0.0.1:${wsPort}${pathOf}`),
      headers: { authorization: Redacted.make(HEADER) }
    }),
  fetch: (port: number, wsPort = port) =>
    RpcPoolHttpClient.transport({
      url: Redacted.make(`http://127.0.0.1:${port}${pathOf}`),
      wsUrl: Redacted.make(`ws://127.0.0.1:${wsPort}${pathOf}`),
      headers: { authorization: Redacted.make(HEADER) }
    }).pipe(Effect.provide([FetchHttpClient.layer, WebSockets.ws]))
}

const expectClean = (error: unknown) => {
  const shown = [
    Cause.pretty(Cause.fail(error), { renderErrorCause: true }),
    inspect(error, { depth: 20, showHidden: true }),
    JSON.stringify(error)
  ].join("\n")
  for (const secret of SECRETS) expect(shown).not.toContain(secret)
  expect(shown).not.toMatch(/(?![\n\t])[\p{Cc}\p{Cf}]/u)
}

/** A text whose cut at `length` characters would leave a part of a secret. */
const cutAt = (length: number) => "x".repeat(length - KEY.length / 2) + KEY

const ECHO = `no such route: http://127.0.0.1${pathOf}, ${TOKEN}, authorization: ${HEADER}\u001b[2J\u202e`

const respond = (text: string, status: number, reply: (id: number) => unknown, response: ServerResponse) => {
  const calls: unknown = JSON.parse(text)
  const answers = [calls].flat().map((_, index) => reply(index + 1))
  response.writeHead(status, { "content-type": "application/json" })
  response.end(JSON.stringify(Array.isArray(calls) ? answers : answers[0]))
}

describe.each(Object.entries(connections))("secrets of an endpoint over %s", (_, connect) => {
  it.scopedLive.each([
    [200, (id: number) => ({ jsonrpc: "2.0", id, error: { code: -32601, message: ECHO, data: { [ECHO]: [ECHO] } } })],
    [500, (id: number) => ({ jsonrpc: "2.0", id, error: { code: -32000, message: ECHO, data: ECHO } })],
    [404, () => ({ error: ECHO })],
    [429, () => ECHO]
  ] as const)(
    "Given a node that repeats the secrets with status %i, When a call fails, Then no error shows them",
    ([status, reply]) =>
      Effect.gen(function* () {
        const port = yield* listening(
          createServer((request, response) => {
            let text = ""
            request
              .on("data", (bytes) => (text += String(bytes)))
              .on("end", () => respond(text, status, reply, response))
          })
        )
        const transport = yield* connect(port)
        expectClean(yield* Effect.flip(transport.request("getSlot", [])))
        const batch = yield* Effect.either(transport.batch([{ method: "getSlot", params: [] }]))
        expectClean(batch._tag === "Left" ? batch.left : batch.right[0])
      })
  )

  it.scopedLive(
    "Given secrets where long texts are cut, When a call or a subscription fails, Then no part is shown",
    () =>
      Effect.gen(function* () {
        const error = { code: -32000, message: cutAt(500), data: { logs: [cutAt(500), cutAt(16_384)] } }
        const server = createServer((request, response) => {
          let text = ""
          request
            .on("data", (bytes) => (text += String(bytes)))
            .on("end", () => respond(text, 200, (id) => ({ jsonrpc: "2.0", id, error }), response))
        })
        new WebSocketServer({ server }).on("connection", (socket) =>
          socket.on("message", () => socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, error })))
        )
        const port = yield* listening(server)
        const { batch } = yield* connect(port)
        const { request, subscribe } = yield* connect(port)
        const failures = [
          yield* Effect.flip(request("getSlot", [])),
          (yield* batch([{ method: "getSlot", params: [] }]))[0],
          yield* Effect.flip(Stream.runDrain(subscribe("slot", [])))
        ]
        for (const failure of failures) {
          expect(inspect(failure, { depth: 20, showHidden: true, maxStringLength: null })).not.toContain("S3C")
        }
      })
  )

  it.scopedLive("Given bytes that are no HTTP, When a call fails, Then its error and cause do not keep them", () =>
    Effect.gen(function* () {
      const port = yield* listening(
        createTcpServer((socket) => socket.on("data", () => socket.end(`REPLYBYTES ${KEY}\r\n\r\n`)))
      )
      const transport = yield* connect(port)
      const error = yield* Effect.flip(transport.request("getSlot", []))
      expect(error.reason).toBe("Transport")
      expectClean(error)
    })
  )

  it.scopedLive(
    "Given a node that repeats the secrets in a refusal, When a subscription fails, Then its error shows none",
    () =>
      Effect.gen(function* () {
        const server = createServer()
        const sockets = new WebSocketServer({ server })
        sockets.on("connection", (socket) =>
          socket.on("message", () =>
            socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, error: { code: -32602, message: ECHO } }))
          )
        )
        const port = yield* listening(server)
        const transport = yield* connect(port)
        const error = yield* Effect.flip(Stream.runDrain(transport.subscribe("slot", [])))
        expect(error.reason).toBe("Refused")
        expectClean(error)
      })
  )
})

it.scopedLive("Given headers with short values, When a node refuses a transaction, Then the reason is whole", () =>
  Effect.gen(function* () {
    const data = {
      err: { InstructionError: [0, { Custom: 1 }] },
      logs: ["Program 11111111111111111111111111111111 failed"]
    }
    const port = yield* listening(
      createServer((request, response) => {
        let text = ""
        const error = { code: -32002, message: "Transaction simulation failed", data }
        request
          .on("data", (bytes) => (text += String(bytes)))
          .on("end", () => respond(text, 200, (id) => ({ jsonrpc: "2.0", id, error }), response))
      })
    )
    const headers = { "x-debug": "on", "x-version": "1" }
    const transport = yield* RpcPoolUndici.transport({ url: `http://127.0.0.1:${port}`, headers })
    const error = yield* Effect.flip(transport.request("sendTransaction", []))
    expect(error).toMatchObject({ detail: "Transaction simulation failed", data })
  })
)
