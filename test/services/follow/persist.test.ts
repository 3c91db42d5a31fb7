import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import { persist } from "../../../services/internal/persist.js"
import { RpcError } from "../../../services/RpcTransport.js"

const garbled = new RpcError({ reason: "Decode", method: "getProgramAccounts", detail: "the reply is not JSON" })
const refused = new RpcError({ reason: "Node", method: "getProgramAccounts", detail: "no such method", code: -32601 })

/** Fails so often with this, and then reads. Counts how often it was asked. */
const failing = (times: number, error: RpcError) => {
  const asked = { times: 0 }
  const read = Effect.suspend(() => (++asked.times > times ? Effect.succeed("read") : Effect.fail(error)))
  return { asked, read }
}

describe("reads of a follower", () => {
  it.effect(
    "Given an error page of a proxy once or twice, When the follower reads, Then it asks again and succeeds",
    () =>
      Effect.gen(function* () {
        const { asked, read } = failing(2, garbled)
        const fiber = yield* Effect.fork(persist(read))
        yield* TestClock.adjust("5 seconds")
        expect(yield* Fiber.join(fiber)).toBe("read")
        expect(asked.times).toBe(3)
      })
  )

  it.effect(
    "Given a node whose replies cannot be decoded, When the follower reads, Then it fails after six attempts",
    () =>
      Effect.gen(function* () {
        const { asked, read } = failing(Infinity, garbled)
        const fiber = yield* Effect.fork(Effect.flip(persist(read)))
        yield* TestClock.adjust("30 seconds")
        expect(yield* Fiber.join(fiber)).toBe(garbled)
        expect(asked.times).toBe(6)
      })
  )

  it.effect("Given a refusal that is not retryable, When the follower reads, Then it fails at once", () =>
    Effect.gen(function* () {
      const { asked, read } = failing(Infinity, refused)
      expect(yield* Effect.flip(persist(read))).toBe(refused)
      expect(asked.times).toBe(1)
    })
  )
})
