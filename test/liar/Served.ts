/**
 * The lies over real sockets: a `Node` on a port, whose HTTP answers and notifications pass through one lie. HTTP
 * statuses are real here; the transports in process only simulate them.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { text } from "node:stream/consumers"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FiberSet from "effect/FiberSet"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { RpcTransport } from "../../services/RpcTransport.js"
import * as Json from "../../src/solana/Json.js"
import { Call } from "../chaos/Call.js"
import * as Answer from "./Answer.js"
import type { Lie } from "./Lies.js"

const readCalls = Schema.decodeUnknownEither(Schema.Union(Call, Schema.Array(Call)))

interface Reply {
  readonly status: number
  readonly body: string
}

const page = (status: number): Reply => ({ status, body: "<html><body>no</body></html>" })

const respond = (response: ServerResponse, { body, status }: Reply): void => {
  response.writeHead(status, { "content-type": status === 200 ? "application/json" : "text/html" }).end(body)
}

/** The answer to one call, or an HTTP status for all of them. */
const answer = (node: RpcTransport, { method, tell }: Lie, onTold: () => void, call: Call) =>
  Effect.map(Effect.either(node.request(call.method, call.params)), (said) => {
    const truth = Option.fromNullable(Answer.fromEither(said))
    const told = call.method === method ? Option.map(truth, tell) : truth
    if (Option.getOrUndefined(told) !== Option.getOrUndefined(truth)) onTold()
    const id = { jsonrpc: "2.0", id: call.id }
    if (Option.isNone(told) || told.value._tag === "Silence") return page(500)
    switch (told.value._tag) {
      case "Result":
        return { ...id, result: told.value.result }
      case "Error": {
        const { code, data, message } = told.value
        return { ...id, error: { code, message, data } }
      }
      case "Status":
        return page(told.value.status)
    }
  })

const isPage = (value: object): value is Reply => "status" in value

/** The answer to the text of a request, a call or an array of them. */
const reply = (node: RpcTransport, lie: Lie, onTold: () => void, body: string): Effect.Effect<Reply> =>
  Either.match(Either.flatMap(Json.parse(body), readCalls), {
    onLeft: () => Effect.succeed(page(400)),
    onRight: (asked) =>
      "method" in asked
        ? Effect.map(answer(node, lie, onTold, asked), (one) =>
            isPage(one) ? one : { status: 200, body: Json.stringify(one) }
          )
        : Effect.map(
            Effect.forEach(asked, (call) => answer(node, lie, onTold, call)),
            (all) => all.find(isPage) ?? { status: 200, body: Json.stringify(all) }
          )
  })

/** Serves calls until the scope closes, and returns the URL. */
export const make = (node: RpcTransport, lie: Lie, onTold: () => void): Effect.Effect<string, never, Scope.Scope> =>
  Effect.gen(function* () {
    const run = yield* FiberSet.makeRuntime()
    const server = createServer((request: IncomingMessage, response: ServerResponse) => {
      run(
        Effect.promise(() => text(request)).pipe(
          Effect.flatMap((body) => reply(node, lie, onTold, body)),
          Effect.map((told) => respond(response, told)),
          Effect.onError(() => Effect.sync(() => response.destroy()))
        )
      )
    })
    yield* Effect.acquireRelease(
      Effect.async<void>((resume) => {
        server.listen(0, "127.0.0.1", () => resume(Effect.void))
      }),
      () =>
        Effect.async<void>((resume) => {
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
    )
    const address = server.address()
    return `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`
  })
