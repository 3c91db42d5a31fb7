/** Handshakes over raw sockets: whatever a client writes, it gets an answer or an end, and holds no scope open. */
import { connect, type Socket } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { WebSocket } from "ws"
import * as EmbeddedCluster from "../../layers/EmbeddedCluster.js"
import * as Server from "../../layers/EmbeddedServer.js"

const KEY = "dGhlIHNhbXBsZSBub25jZQ=="

const handshake = {
  method: "GET",
  host: "127.0.0.1",
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-key": KEY,
  "sec-websocket-version": "13"
}

const text = ({ method, ...headers }: Readonly<Record<string, string | undefined>>) =>
  `${method} / HTTP/1.1\r\n${Object.entries(headers)
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}\r\n`]))
    .join("")}\r\n`

/** Each handshake that is refused, with its status. */
const REFUSED = [
  [{ "sec-websocket-key": undefined }, 400],
  [{ "sec-websocket-key": "short" }, 400],
  [{ "sec-websocket-version": "99" }, 400],
  [{ "sec-websocket-version": undefined }, 400],
  [{ "sec-websocket-protocol": "a,,b" }, 400],
  [{ upgrade: "h2c" }, 400],
  [{ upgrade: undefined }, 426],
  [{ connection: "close" }, 426],
  [{ method: "POST" }, 405],
  [{ method: "PUT", "sec-websocket-key": undefined }, 405],
  [{ origin: "https://evil.example" }, 403],
  [{ origin: "https://evil.example", upgrade: undefined }, 403]
] as const

/** Writes the bytes and keeps the socket, whatever the server does. */
const write = (port: number, bytes: string) =>
  Effect.async<{ readonly socket: Socket; readonly received: () => string }>((resume) => {
    let received = ""
    const socket = connect(port, "127.0.0.1", () => {
      socket.write(bytes)
      resume(Effect.succeed({ socket, received: () => received }))
    })
    socket.on("error", () => undefined).on("data", (chunk) => (received += chunk.toString("latin1")))
  })

const until = (condition: () => boolean) => Effect.repeat(Effect.sleep("5 millis"), { until: condition })

/** Serves, uses the ports, and closes the scope, which must not wait for any client. */
const served = (use: (port: number) => Effect.Effect<void>) =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const { port } = yield* Scope.extend(Server.serve(), scope)
    yield* use(port)
    const closing = Effect.timeout(Effect.disconnect(Scope.close(scope, Exit.void)), "10 seconds")
    assert.isTrue(Exit.isSuccess(yield* Effect.exit(closing)), "the scope closes")
  }).pipe(Effect.provide(EmbeddedCluster.layer({ podProgram: false })))

describe("handshakes of a served cluster", () => {
  it.live("Given invalid handshakes, When they are sent, Then each is refused and the scope closes", () =>
    served((port) =>
      Effect.forEach(
        REFUSED,
        ([fields, status]) =>
          Effect.gen(function* () {
            const { received } = yield* write(port + 1, text({ ...handshake, ...fields }))
            yield* until(() => received().includes("\r\n\r\n"))
            assert.match(received(), new RegExp(`^HTTP/1\\.1 ${status} `), JSON.stringify(fields))
          }),
        { discard: true }
      )
    )
  )

  it.live("Given a handshake that is cut at any byte, When the client keeps or drops it, Then the scope closes", () =>
    served((port) =>
      Effect.gen(function* () {
        const whole = text(handshake)
        for (let at = 0; at <= whole.length; at += 7) {
          yield* write(port + 1, whole.slice(0, at))
          const reset = yield* write(port + 1, whole.slice(0, at))
          reset.socket.resetAndDestroy()
          const ended = yield* write(port + 1, whole.slice(0, at))
          ended.socket.end()
        }
        const reset = yield* write(port + 1, whole)
        reset.socket.resetAndDestroy()
      })
    )
  )

  it.live("Given an upgrade on the port of HTTP, When sent, Then it is answered as a request", () =>
    served((port) =>
      Effect.gen(function* () {
        const get = yield* write(port, text(handshake))
        yield* until(() => get.received().includes("\r\n\r\n"))
        assert.match(get.received(), /^HTTP\/1\.1 200 /)
        const body = '{"jsonrpc":"2.0","id":1,"method":"getHealth"}'
        const fields = { method: "POST", "content-type": "application/json", "content-length": `${body.length}` }
        const post = yield* write(port, text({ ...handshake, ...fields }) + body)
        yield* until(() => post.received().includes('"ok"'))
      })
    )
  )

  it.live(
    "Given a client that dials before the server listens, When the server starts, Then the first socket is served",
    () =>
      Effect.gen(function* () {
        const { port } = yield* Effect.scoped(Server.serve())
        const answer = yield* Effect.async<string, string>((resume) => {
          const socket = new WebSocket(`ws://127.0.0.1:${port + 1}`)
          socket.on("error", () => resume(Effect.fail("refused")))
          socket.on("open", () => socket.send('{"jsonrpc":"2.0","id":1,"method":"getHealth"}'))
          socket.on("message", (data: Buffer) => resume(Effect.succeed(data.toString())))
          return Effect.sync(() => socket.terminate())
        }).pipe(Effect.retry({ while: (reason) => reason === "refused" }), Effect.fork)
        yield* Server.serve({ port })
        assert.include(yield* Fiber.join(answer), '"ok"')
      }).pipe(Effect.scoped, Effect.timeout("20 seconds"), Effect.provide(EmbeddedCluster.layer({ podProgram: false })))
  )
})
