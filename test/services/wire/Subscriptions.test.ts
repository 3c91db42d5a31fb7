import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Subscriptions from "../../../services/wire/Subscriptions.js"
import * as SafeText from "../../../src/SafeText.js"
import { parseCalls } from "../../layers/RpcPoolUndiciServer.js"

/** Answers a call, and sends a notification after a subscribe call. */
const answer = ({ onMessage }: Subscriptions.SocketHandlers, text: string) => {
  for (const { id, method } of parseCalls(text)) {
    const isSubscribe = method.endsWith("Subscribe")
    onMessage(JSON.stringify({ jsonrpc: "2.0", id, result: isSubscribe ? id : true }))
    if (isSubscribe) onMessage(JSON.stringify({ jsonrpc: "2.0", params: { subscription: id, result: 7 } }))
  }
}

/** Sockets of a node that answers at once. */
const node = () => {
  const open = new Set<Subscriptions.Socket>()
  let opened = 0
  const options = (perSocket: number): Subscriptions.Options => ({
    host: "node",
    clean: SafeText.make,
    open: (handlers) => {
      opened++
      const socket: Subscriptions.Socket = {
        send: (text) => queueMicrotask(() => answer(handlers, text)),
        close: () => open.delete(socket)
      }
      open.add(socket)
      queueMicrotask(handlers.onOpen)
      return socket
    },
    unread: { items: 100, bytes: 100_000 },
    maxMessageBytes: 100_000,
    timeout: Duration.seconds(5),
    perSocket
  })
  return { open, opened: () => opened, options }
}

const settle = Effect.repeatN(Effect.yieldNow(), 60)

/** A fiber yields after so few steps that another one can run between any two of them. */
const STEPS = 40

describe("Subscriptions", () => {
  it.scoped(
    "Given an unused socket and one in use with room, Then new subscriptions use the latter, and the other closes",
    () =>
      Effect.gen(function* () {
        const { open, opened, options } = node()
        const subscribe = yield* Subscriptions.make(options(2))
        const stay = Effect.zipLeft(Effect.fork(Stream.runDrain(subscribe("root", []))), settle)
        const leaving = [yield* stay, yield* stay]
        yield* stay
        assert.strictEqual(opened(), 2)
        yield* Fiber.interruptAll(leaving)
        for (let second = 0; second < 12; second++) {
          yield* Stream.runDrain(Stream.take(subscribe("root", []), 1))
          yield* TestClock.adjust("1 second")
        }
        assert.strictEqual(open.size, 1)
        assert.strictEqual(opened(), 2)
      })
  )

  it.effect("Given a scope that closes at any step of a subscription, Then no socket stays open", () =>
    Effect.gen(function* () {
      for (let turns = 0; turns < 60; turns++) {
        const { open, options } = node()
        const scope = yield* Scope.make()
        const subscribe = yield* Scope.extend(Subscriptions.make(options(100)), scope)
        const fiber = yield* Effect.fork(
          Effect.withMaxOpsBeforeYield(Effect.exit(Stream.runDrain(Stream.take(subscribe("root", []), 1))), STEPS)
        )
        for (let turn = 0; turn < turns; turn++) yield* Effect.yieldNow()
        yield* Scope.close(scope, Exit.void)
        yield* Fiber.join(fiber)
        assert.strictEqual(open.size, 0)
      }
    })
  )
})
