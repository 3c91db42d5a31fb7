import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as RpcPoolUndici from "../../layers/RpcPoolUndici.js"
import * as Deadline from "../../services/Deadline.js"
import { NOT_STARTED, start } from "../support/direct.js"
import { serve, until } from "./RpcPoolUndiciServer.js"

const SEND = "sendTransaction"

const reasonOf = (exit: Exit.Exit<unknown, unknown>) => Exit.match(exit, { onSuccess: String, onFailure: String })

describe("RpcPoolUndici without a fiber", () => {
  it.scopedLive(
    "Given calls that nobody answers, When they are cancelled, Then their sockets close and the queue is empty",
    () =>
      Effect.gen(function* () {
        const server = yield* serve({})
        const transport = yield* RpcPoolUndici.transport({ url: Redacted.make(server.url), connections: 1 })
        const sending = yield* Effect.fork(start(transport, SEND))
        const waiting = yield* Effect.fork(start(transport, SEND))
        yield* until(() => server.requests.length === 1)
        yield* Fiber.interruptAll([waiting, sending])
        yield* until(() => server.sockets.size === 0)
        assert.strictEqual(server.requests.length, 1)
      })
  )

  it.scopedLive("Given a call that nobody answers, When its deadline comes, Then it is Timeout", () =>
    Effect.gen(function* () {
      const { url } = yield* serve({})
      const transport = yield* RpcPoolUndici.transport({ url: Redacted.make(url) })
      const answer = yield* Effect.either(Deadline.within("50 millis")(start(transport, SEND)))
      assert.deepInclude(Either.getOrThrow(Either.flip(answer)), { reason: "Timeout", method: SEND })
      assert.strictEqual(yield* Deadline.at(0)(start(transport, SEND)), NOT_STARTED)
    })
  )

  it.scopedLive("Given a pool that closes, When a call is in flight, Then that one fails, and none starts later", () =>
    Effect.gen(function* () {
      const server = yield* serve({})
      const scope = yield* Scope.make()
      const transport = yield* Scope.extend(RpcPoolUndici.transport({ url: Redacted.make(server.url) }), scope)
      const sending = yield* Effect.fork(start(transport, SEND))
      yield* until(() => server.requests.length === 1)
      yield* Scope.close(scope, Exit.void)
      assert.match(reasonOf(yield* Fiber.await(sending)), /Transport|closed/)
      assert.strictEqual(yield* start(transport, SEND), NOT_STARTED)
    })
  )
})
