/** Replies over HTTP/1.1 and HTTP/2 to both clients. */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as RpcPoolHttpClient from "../../layers/RpcPoolHttpClient.js"
import * as RpcPoolUndici from "../../layers/RpcPoolUndici.js"
import { RpcError, type RpcTransport } from "../../services/RpcTransport.js"
import { METHODS, reply, serving, servingHttp2 } from "../support/hostileReplies.js"
import { ca } from "../support/secure.js"
import * as WebSockets from "../support/webSockets.js"
import * as Supply from "./Supply.js"
import * as Tally from "./Tally.js"

const LIMITS = { headersTimeout: "2 seconds", bodyTimeout: "2 seconds", requestTimeout: "5 seconds" } as const

const clients = Layer.merge(FetchHttpClient.layer, WebSockets.ws)

const roads = [
  {
    name: "undici, HTTP/1.1",
    serve: serving,
    connect: (port: number) =>
      RpcPoolUndici.transport({ url: Redacted.make(`http://127.0.0.1:${port}`), connections: 8, ...LIMITS })
  },
  {
    name: "undici, HTTP/2",
    serve: servingHttp2,
    connect: (port: number) =>
      RpcPoolUndici.transport({ url: Redacted.make(`https://127.0.0.1:${port}`), ca, ...LIMITS })
  },
  {
    name: "fetch",
    serve: serving,
    connect: (port: number) =>
      Effect.provide(
        RpcPoolHttpClient.transport({
          url: Redacted.make(`http://127.0.0.1:${port}`),
          requestTimeout: LIMITS.requestTimeout
        }),
        clients
      )
  }
]

const call = (transport: RpcTransport, nth: number): Effect.Effect<unknown, RpcError> => {
  const method = METHODS[nth % METHODS.length] ?? "getSlot"
  return nth % 7 === 0
    ? transport.batch([
        { method, params: [] },
        { method: "getSlot", params: [] }
      ])
    : transport.request(method, [])
}

export const play = (tally: Tally.Tally, cases: number, seed: number) =>
  Effect.forEach(
    roads,
    ({ connect, name, serve }, road) =>
      Effect.scoped(
        Effect.gen(function* () {
          let served = 0
          const draw = Supply.make(reply, seed + road * 1_000_003)
          const { port } = yield* serve(() => {
            served++
            return draw()
          })
          const transport = yield* connect(port)
          yield* Effect.forEach(
            Arr.range(1, Math.ceil(cases / roads.length)),
            (nth) => Tally.end(tally, `reply over ${name}`, call(transport, nth), (error) => error instanceof RpcError),
            { concurrency: 32, discard: true }
          )
          tally.cases += served
        })
      ),
    { discard: true }
  )
