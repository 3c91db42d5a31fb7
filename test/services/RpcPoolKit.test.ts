import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as RpcPool from "../../services/RpcPool.js"
import { RpcError } from "../../services/RpcTransport.js"
import { fake } from "./transport/support.js"

describe("RpcPool.kit", () => {
  it.effect(
    "Given a pool, When Kit's Rpc makes a call, Then the call, its errors and its abort go through the pool",
    () =>
      Effect.gen(function* () {
        const asked: Array<unknown> = []
        let isInterrupted = false
        const rpc = RpcPool.make(
          fake({
            request: (method, params) => {
              asked.push([method, params])
              if (method === "getSlot") return Effect.succeed(7)
              if (method === "getBlockHeight") {
                return Effect.onInterrupt(Effect.never, () => Effect.sync(() => (isInterrupted = true)))
              }
              return new RpcError(
                method === "getHealth"
                  ? { reason: "Node", method, detail: "behind", code: -32005, data: { numSlotsBehind: 42 } }
                  : { reason: "Timeout", method, detail: "no reply in time" }
              )
            }
          })
        )
        const kit = yield* rpc.kit

        const slot = yield* Effect.promise(() => kit.getSlot().send())
        const behind = yield* Effect.flip(Effect.tryPromise({ try: () => kit.getHealth().send(), catch: String }))
        const timeout = yield* Effect.flip(
          Effect.tryPromise({ try: () => kit.getVersion().send(), catch: (error) => error })
        )
        const fiber = yield* Effect.fork(Effect.tryPromise((abortSignal) => kit.getBlockHeight().send({ abortSignal })))
        yield* Effect.yieldNow()
        yield* Fiber.interrupt(fiber)
        yield* Effect.promise(() => Promise.resolve())

        assert.strictEqual(slot, 7n)
        assert.deepStrictEqual(asked[0], ["getSlot", [{ commitment: "confirmed" }]])
        assert.include(behind, "42")
        assert.isTrue(timeout instanceof RpcError && timeout.reason === "Timeout")
        assert.isTrue(isInterrupted)
      })
  )
})
