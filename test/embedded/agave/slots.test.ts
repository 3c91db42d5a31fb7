/** Subscriptions to slots, and slots that pass while a client waits for them. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import * as EmbeddedCluster from "../../../layers/EmbeddedCluster.js"
import { call, field, payer } from "./support.js"

const SLOT = "400 millis"

/** Subscribes, and collects what comes. */
const heard = (kind: "slot" | "root" | "slotsUpdates") =>
  Effect.gen(function* () {
    const cluster = yield* EmbeddedCluster.EmbeddedCluster
    const results: Array<unknown> = []
    const { close } = yield* cluster.listen(kind, [], (result) => results.push(result))
    return { results, close }
  })

const slotNow = Effect.map(call("getSlot", { commitment: "processed" }), Number)

const typesOf = (updates: ReadonlyArray<unknown>) =>
  updates.map((update) => `${field(update, "type")} ${field(update, "slot")}`)

describe("instant mode", () => {
  const instant = Effect.provide(EmbeddedCluster.layer())

  it.effect("slotsUpdatesSubscribe: the life of each slot, with its transactions", () =>
    Effect.gen(function* () {
      const { close, results } = yield* heard("slotsUpdates")
      yield* payer
      close()
      assert.deepStrictEqual(typesOf(results), [
        "firstShredReceived 1",
        "createdBank 1",
        "completed 1",
        "frozen 1",
        "optimisticConfirmation 1",
        "root 1"
      ])
      assert.strictEqual(field(results, 1, "parent"), 0)
      assert.deepInclude(field(results, 3, "stats"), { numSuccessfulTransactions: 1, numFailedTransactions: 0 })
      assert.isNumber(field(results, 0, "timestamp"))
    }).pipe(instant)
  )

  for (const kind of ["slot", "root", "slotsUpdates"] as const) {
    it.effect(
      `Given a subscriber to ${kind}, When time passes, Then a slot comes each 400 ms, and none after it ends`,
      () =>
        Effect.gen(function* () {
          yield* TestClock.adjust("1 minute")
          assert.strictEqual(yield* slotNow, 0)
          const { close, results } = yield* heard(kind)
          for (let slots = 1; slots <= 3; slots++) {
            yield* TestClock.adjust(SLOT)
            assert.strictEqual(yield* slotNow, slots)
          }
          assert.isAtLeast(results.length, 3)
          close()
          close()
          yield* TestClock.adjust("1 minute")
          const other = yield* heard("root")
          other.close()
          yield* TestClock.adjust("1 hour")
          assert.isAtMost(yield* slotNow, 4)
        }).pipe(instant)
    )
  }

  it.effect(
    "Given transactions in each slot, When somebody subscribes to slots, Then no empty block comes between",
    () =>
      Effect.gen(function* () {
        yield* heard("slot")
        for (let sent = 0; sent < 5; sent++) {
          yield* payer
          yield* TestClock.adjust(SLOT)
        }
        assert.isAtMost(yield* slotNow, 6)
      }).pipe(instant)
  )

  it.effect("Given a client that asks for the height until its blockhash is old, When time passes, Then it ends", () =>
    Effect.gen(function* () {
      const first = Number(yield* call("getBlockHeight"))
      yield* TestClock.adjust("4 seconds")
      assert.strictEqual(yield* call("getBlockHeight"), first + 10)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* call("getBlockHeight"), first + 12)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* call("getBlockHeight"), first + 15)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(yield* call("getBlockHeight"), first + 15)
    }).pipe(instant)
  )

  it.effect("Given passingSlots: false, When a client waits, Then no slot passes", () =>
    Effect.gen(function* () {
      yield* heard("slot")
      yield* slotNow
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* slotNow, 0)
    }).pipe(Effect.provide(EmbeddedCluster.layer({ passingSlots: false })))
  )
})

describe("interval mode", () => {
  it.effect("slotsUpdatesSubscribe: each commitment in its own slot", () =>
    Effect.gen(function* () {
      const { results } = yield* heard("slotsUpdates")
      yield* TestClock.adjust(SLOT)
      assert.deepStrictEqual(typesOf(results), [
        "completed 1",
        "frozen 1",
        "firstShredReceived 2",
        "createdBank 2",
        "optimisticConfirmation 1"
      ])
      results.length = 0
      yield* TestClock.adjust("13 seconds")
      assert.include(typesOf(results), "root 1")
    }).pipe(Effect.provide(EmbeddedCluster.layer({ blockMode: "interval" })))
  )
})
