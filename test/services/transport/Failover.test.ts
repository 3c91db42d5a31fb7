import { assert, describe, it } from "@effect/vitest"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as Deadline from "../../../services/Deadline.js"
import { AttemptsFailed } from "../../../services/transport/failures.js"
import { settle } from "./sockets.js"
import { fail, node, pool } from "./support.js"

const hanging = { request: () => Effect.never }

const broadcast = { genesis: "any", probeInterval: Infinity, broadcast: 2 }

const hedging = { genesis: "any", probeInterval: Infinity, hedge: { after: "1 second" } } as const

/** Whether the effect ends within two seconds. */
const ends = (effect: Effect.Effect<unknown>) =>
  Effect.gen(function* () {
    const within = yield* Effect.fork(Effect.timeoutOption(Effect.disconnect(effect), "2 seconds"))
    for (let second = 0; second < 2; second++) {
      yield* settle
      yield* TestClock.adjust("1 second")
    }
    return Option.isSome(yield* Fiber.join(within))
  })

describe("Failover", () => {
  it.effect(
    "Given a broadcast in flight, When the scope of the pool closes, Then the sender learns that it may land",
    () =>
      Effect.gen(function* () {
        const scope = yield* Scope.make()
        const transport = yield* Scope.extend(pool([[node("a", hanging)], [node("b", hanging)]], broadcast), scope)
        const sender = yield* Effect.forkDaemon(Effect.flip(transport.request("sendTransaction", ["wire"])))
        yield* settle
        yield* Scope.close(scope, Exit.void)
        assert.isTrue(yield* ends(Fiber.await(sender)))
        const error = yield* Fiber.join(sender)
        assert.strictEqual(error.reason, "Transport")
        assert.isTrue(error.cause instanceof AttemptsFailed && error.cause.errors.length === 2)
      })
  )

  it.effect("Given a pool whose scope is closed, When a broadcast is made, Then the transports refuse it", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const closed = { request: () => fail("PoolClosed") }
      const transport = yield* Scope.extend(pool([[node("a", closed)], [node("b", closed)]], broadcast), scope)
      yield* Scope.close(scope, Exit.void)
      const sender = yield* Effect.forkDaemon(Effect.flip(transport.request("sendTransaction", ["wire"])))
      assert.isTrue(yield* ends(Fiber.await(sender)))
      assert.strictEqual((yield* Fiber.join(sender)).reason, "PoolClosed")
    })
  )

  it.effect("Given hedging in an uninterruptible region, When a read is answered, Then it ends", () =>
    Effect.gen(function* () {
      let hangs = false
      const first = node("a", { request: () => (hangs ? Effect.never : Effect.delay(Effect.succeed("a"), 50)) })
      const transport = yield* pool([[first, { weight: 100_000 }], [node("b")]], hedging)
      const read = Effect.uninterruptible(transport.request("getBalance", []))
      for (let nth = 0; nth < 17; nth++) {
        const reader = yield* Effect.forkDaemon(read)
        assert.isTrue(yield* ends(Fiber.await(reader)))
        assert.strictEqual(yield* Fiber.join(reader), "a")
      }
      hangs = true
      const reader = yield* Effect.forkDaemon(read)
      assert.isTrue(yield* ends(Fiber.await(reader)))
      assert.strictEqual(yield* Fiber.join(reader), "b")
    }).pipe(Effect.scoped)
  )

  it.scoped(
    "Given no budget for hedging, When the first endpoint hangs, Then the second gets its share of the time",
    () =>
      Effect.gen(function* () {
        let hangs = false
        const first = node("a", { request: () => (hangs ? Effect.never : Effect.delay(Effect.succeed("a"), 50)) })
        const transport = yield* pool([[first, { weight: 100_000 }], [node("b")]], hedging)
        const read = (time: Duration.DurationInput) =>
          Effect.gen(function* () {
            const reader = yield* Effect.fork(transport.request("getBalance", []).pipe(Deadline.within("10 seconds")))
            yield* settle
            yield* TestClock.adjust(time)
            return yield* Fiber.join(reader)
          })
        for (let nth = 0; nth < 16; nth++) assert.strictEqual(yield* read("50 millis"), "a")
        hangs = true
        assert.strictEqual(yield* read("1 second"), "b")
        assert.strictEqual(yield* read("5 seconds"), "b")
      })
  )
})
