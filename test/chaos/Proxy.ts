import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { text } from "node:stream/consumers"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { Agent } from "undici"
import { WebSocket, WebSocketServer } from "ws"
import * as Json from "../../src/solana/Json.js"
import { Answer, type Call } from "./Call.js"
import * as Dice from "./Dice.js"
import * as Exchange from "./Exchange.js"
import type { Faults } from "./Faults.js"
import { relay } from "./Relay.js"

/** The addresses of a node. */
export interface Endpoint {
  readonly url: string
  readonly wsUrl: string
}

export interface Options {
  readonly upstream: Endpoint
  readonly faults: Faults
  /** The seed: with it, the n-th call, and the n-th message of the n-th WebSocket, always meet the same faults. */
  readonly seed: number
  /** Whether the node lags in all its replies. */
  readonly lags: boolean
  /** Whether the node lies, with the probability in the faults. */
  readonly lies: boolean
}

/** Separates a connection's dice from those of calls. */
const SOCKETS = -1

const listen = (server: Server): Effect.Effect<number, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async<number>((resume) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
      })
    }),
    () =>
      Effect.async<void>((resume) => {
        server.close(() => resume(Effect.void))
        server.closeAllConnections()
      })
  )

const decodeAnswer = Schema.decodeUnknown(Answer)

const nodeAt = ({ url }: Endpoint): Effect.Effect<(call: Call) => Effect.Effect<Answer>, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => new Agent({ connections: 64 })),
      (agent) => Effect.promise(() => agent.destroy())
    ),
    (agent) => (call) =>
      Effect.promise((signal) =>
        agent
          .request({
            origin: url,
            path: "/",
            method: "POST",
            headers: { "content-type": "application/json" },
            body: Json.stringify(call),
            signal
          })
          .then(({ body }) => body.text())
      ).pipe(Effect.flatMap(Json.parse), Effect.flatMap(decodeAnswer), Effect.orDie)
  )

const respond = (response: ServerResponse, reply: Exchange.Reply): void => {
  if (reply._tag === "Cut") {
    response.destroy()
    return
  }
  response.writeHead(reply.status, { ...reply.headers, "content-length": reply.body.length })
  if (reply.cutAfter === undefined) response.end(reply.body)
  else response.write(reply.body.subarray(0, reply.cutAfter), () => response.destroy())
}

/** Passes calls and messages between a client and a node, with the faults, until the scope closes. */
export const make = ({ faults, lags, lies, seed, upstream }: Options): Effect.Effect<Endpoint, never, Scope.Scope> =>
  Effect.gen(function* () {
    const run = yield* FiberSet.makeRuntime<Scope.Scope>()
    const exchange = Exchange.make({ faults, lags, lies, node: yield* nodeAt(upstream) })
    let calls = 0
    const http = createServer((request: IncomingMessage, response: ServerResponse) => {
      const dice = Dice.at(seed, calls++)
      run(
        Effect.promise(() => text(request)).pipe(
          Effect.flatMap((body) => exchange(body, dice)),
          Effect.map((reply) => respond(response, reply)),
          Effect.onError(() => Effect.sync(() => response.destroy()))
        )
      )
    })

    let sockets = 0
    const upgrades = createServer()
    const webSockets = new WebSocketServer({ server: upgrades, autoPong: false }).on("connection", (client) => {
      const socket = sockets++
      let messages = 0
      const next = () => Dice.at(seed, SOCKETS, socket, messages++)
      relay(client, new WebSocket(upstream.wsUrl), { faults, lags, next })
    })

    const port = yield* listen(http)
    const wsPort = yield* listen(upgrades)
    yield* Effect.addFinalizer(() => Effect.sync(() => webSockets.clients.forEach((client) => client.terminate())))
    return { url: `http://127.0.0.1:${port}`, wsUrl: `ws://127.0.0.1:${wsPort}` }
  })
