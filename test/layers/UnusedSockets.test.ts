import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as TestServices from "effect/TestServices"
import type { WebSocket } from "ws"
import type { RpcTransport } from "../../services/RpcTransport.js"
import { parseCalls, serve, until as untilTrue } from "./RpcPoolUndiciServer.js"
import type { Call } from "./RpcPoolUndiciServer.js"
import { transports } from "./transports.js"

const until = (condition: () => boolean) => TestServices.provideLive(untilTrue(condition))

const send = (socket: WebSocket, message: object) => socket.send(JSON.stringify({ jsonrpc: "2.0", ...message }))

const notify = (socket: WebSocket, text?: string) =>
  send(socket, { method: "rootNotification", params: { subscription: 1, result: text ?? 7 } })

/** Answers a call, and sends a first notification after each subscribe call. */
const answer = ({ id, method }: Call, socket: WebSocket) => {
  send(socket, { id, result: method === "rootSubscribe" ? 1 : true })
  if (method === "rootSubscribe") notify(socket)
}

/** A node that counts its sockets and records the methods that it is called with. */
const node = (onCall: (call: Call, socket: WebSocket) => void = answer) =>
  Effect.gen(function* () {
    const opened: Array<WebSocket> = []
    const methods: Array<string> = []
    const server = yield* serve({
      onSocket: (socket) => {
        opened.push(socket)
        socket.on("message", (data) => {
          for (const call of parseCalls(String(data))) {
            methods.push(call.method)
            onCall(call, socket)
          }
        })
      }
    })
    return { ...server, opened, methods }
  })

const subscription = ({ subscribe }: RpcTransport) => subscribe("root", [])

const first = (roots: ReturnType<typeof subscription>) => Stream.runDrain(Stream.take(roots, 1))

describe.each(transports)("Unused sockets over %s", (_, { bare }) => {
  it.scoped("Given subscriptions one after the other, Then one socket serves them, and closes 10 seconds later", () =>
    Effect.gen(function* () {
      const server = yield* node()
      const roots = subscription(yield* bare(server))
      for (let count = 0; count < 5; count++) yield* first(roots)
      assert.strictEqual(server.opened.length, 1)
      yield* TestClock.adjust("4 seconds")
      yield* first(roots)
      yield* TestClock.adjust("4 seconds")
      yield* first(roots)
      assert.strictEqual(server.opened.length, 1)
      yield* TestClock.adjust("10 seconds")
      yield* until(() => server.sockets.size === 0)
      yield* first(roots)
      assert.strictEqual(server.opened.length, 2)
    })
  )

  it.scoped("Given an unused socket, When a subscription uses it, Then it stays open for that one", () =>
    Effect.gen(function* () {
      const server = yield* node()
      const roots = subscription(yield* bare(server))
      yield* first(roots)
      const seen: Array<unknown> = []
      yield* Effect.forkScoped(Stream.runForEach(roots, (root) => Effect.sync(() => seen.push(root))))
      yield* until(() => seen.length === 1)
      yield* TestClock.adjust("20 seconds")
      for (const socket of server.opened) notify(socket)
      yield* until(() => seen.length === 2)
      assert.strictEqual(server.opened.length, 1)
    })
  )

  it.scoped("Given an unused socket, When the scope closes, Then the socket closes at once", () =>
    Effect.gen(function* () {
      const server = yield* node()
      const scope = yield* Scope.make()
      const roots = subscription(yield* Scope.extend(bare(server), scope))
      yield* first(roots)
      yield* until(() => server.methods.includes("rootUnsubscribe"))
      assert.strictEqual(server.sockets.size, 1)
      yield* Scope.close(scope, Exit.void)
      yield* until(() => server.sockets.size === 0)
    })
  )

  it.scoped("Given a subscription without an answer, When its subscriber leaves, Then its socket closes at once", () =>
    Effect.gen(function* () {
      const server = yield* node(() => {})
      const roots = subscription(yield* bare(server))
      const fiber = yield* Effect.fork(first(roots))
      yield* until(() => server.methods.length === 1)
      yield* Fiber.interrupt(fiber)
      yield* until(() => server.sockets.size === 0)
    })
  )

  it.scoped("Given a node that sends on after the last subscription, Then its socket closes", () =>
    Effect.gen(function* () {
      const server = yield* node((call, socket) => {
        answer(call, socket)
        if (call.method === "rootUnsubscribe") {
          for (let count = 0; count < 65; count++) notify(socket, "A".repeat(1024))
        }
      })
      const roots = subscription(yield* bare(server))
      yield* first(roots)
      yield* until(() => server.methods.includes("rootUnsubscribe"))
      yield* until(() => server.sockets.size === 0)
      yield* first(roots)
      assert.strictEqual(server.opened.length, 2)
    })
  )
})
