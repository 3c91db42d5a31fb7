import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Follow from "../../../services/Follow.js"
import { runs } from "../../support/runs.js"
import { address, away, back, chain, following, PROGRAM, signature, story } from "../transport/chain.js"
import { settle } from "../transport/sockets.js"

describe("Follow", () => {
  it.scoped(
    "Given an account, When it changes online and while offline, Then each state is emitted once, with a gap for the outage",
    () =>
      Effect.gen(function* () {
        const world = chain()
        yield* world.write(0, 1)
        const { told, fiber } = yield* following(Follow.account(address(0)), world)
        yield* world.write(0, 2)
        yield* away(world)
        yield* world.write(0, 3)
        yield* world.write(0, 4)
        yield* back(world)
        yield* world.write(0, 5)
        yield* world.write(0, undefined)
        assert.deepStrictEqual(story(told), ["value 1", "value 2", "gap", "value 4", "value 5", "gone"])
        yield* Fiber.interrupt(fiber)
        assert.strictEqual(world.node.open.size, 0)
      })
  )

  it.scoped("Given an account that did not change during an outage, Then only a gap is emitted", () =>
    Effect.gen(function* () {
      const world = chain()
      yield* world.write(0, 1)
      const { told, fiber } = yield* following(Follow.account(address(0)), world)
      yield* away(world)
      yield* world.pass()
      yield* back(world)
      assert.deepStrictEqual(story(told), ["value 1", "gap"])
      yield* Fiber.interrupt(fiber)
    })
  )

  it.scoped(
    "Given a transaction that landed before, during an outage or live, Then its result is emitted once and the Stream ends",
    () =>
      Effect.gen(function* () {
        for (const when of ["before", "away", "live"] as const) {
          const world = chain()
          if (when === "before") yield* world.land(0)
          const { told, fiber } = yield* following(Follow.signature(signature(0)), world)
          if (when === "away") {
            yield* away(world)
            yield* world.land(0)
            yield* back(world)
          }
          if (when === "live") yield* world.land(0)
          yield* Fiber.join(fiber)
          assert.deepStrictEqual(told, [{ slot: 11n, value: { err: null } }])
          yield* settle
          assert.strictEqual(world.node.open.size, 0)
        }
      })
  )

  it.scoped(
    "Given transactions before, live and during an outage, Then all since the start are emitted once, oldest first",
    () =>
      Effect.gen(function* () {
        const world = chain()
        yield* world.land(0)
        const { told, fiber } = yield* following(Follow.logs(PROGRAM), world)
        yield* world.land(1)
        yield* away(world)
        yield* world.land(2)
        yield* world.land(3)
        yield* back(world)
        yield* world.land(4)
        assert.deepStrictEqual(
          told.map((update) => (update._tag === "Value" ? update.value.signature : update._tag)),
          [1, 2, 3, 4].map(signature)
        )
        yield* Fiber.interrupt(fiber)
      })
  )

  it.scoped(
    "Given more transactions during an outage than maxTransactions, Then the newest are emitted after a gap",
    () =>
      Effect.gen(function* () {
        const world = chain()
        const { told, fiber } = yield* following(Follow.logs(PROGRAM, { maxTransactions: 2 }), world)
        yield* away(world)
        yield* Effect.forEach([0, 1, 2, 3], (n) => world.land(n))
        yield* back(world)
        assert.deepStrictEqual(
          told.map((update) => (update._tag === "Value" ? update.value.signature : update._tag)),
          ["Gap", signature(2), signature(3)]
        )
        yield* Fiber.interrupt(fiber)
      })
  )

  it.scoped("Given a program with more accounts than maxAccounts, Then its Stream fails with a typed error", () =>
    Effect.gen(function* () {
      const world = chain()
      yield* Effect.forEach([0, 1, 2], (n) => world.write(n, n))
      const { fiber } = yield* following(Follow.program(PROGRAM, { maxAccounts: 2 }), world)
      const error = yield* Effect.flip(Fiber.join(fiber))
      assert.include(error.message, "more than 2 accounts")
    })
  )

  it.scoped("Given accounts with more bytes than maxAccountBytes, Then the Stream fails with a typed error", () =>
    Effect.gen(function* () {
      const world = chain()
      yield* Effect.forEach([0, 1, 2], (n) => world.write(n, n))
      const { fiber } = yield* following(Follow.program(PROGRAM, { maxAccountBytes: 2 }), world)
      const error = yield* Effect.flip(Fiber.join(fiber))
      assert.include(error.message, "more than 2 bytes of data")
    })
  )

  it.effect.prop(
    "Given any writes, closes, cuts and outages, Then the updates add up to the program's accounts, each change once, and none is lost while connected",
    {
      steps: FastCheck.array(
        FastCheck.oneof(
          {
            weight: 4,
            arbitrary: FastCheck.record({
              type: FastCheck.constant("write" as const),
              n: FastCheck.nat(2),
              byte: FastCheck.option(FastCheck.nat(3), { nil: undefined })
            })
          },
          FastCheck.record({ type: FastCheck.constantFrom("away" as const, "back" as const, "cut" as const) })
        ),
        { maxLength: 25 }
      )
    },
    ({ steps }) =>
      Effect.scoped(
        Effect.gen(function* () {
          const world = chain()
          const { told, fiber } = yield* following(Follow.program(PROGRAM), world)
          const connected: Array<string> = []
          for (const step of steps) {
            if (step.type === "write") {
              if (world.node.open.size > 0 && step.byte !== undefined) connected.push(`${address(step.n)} ${step.byte}`)
              yield* world.write(step.n, step.byte)
            } else if (step.type === "away") yield* away(world)
            else if (step.type === "back") yield* back(world)
            else yield* world.node.cut
          }
          yield* away(world)
          yield* back(world)
          const state = new Map<string, number>()
          const values: Array<string> = []
          const newest = new Map<string, bigint>()
          for (const update of told) {
            if (update._tag === "Gap") continue
            const subject = update._tag === "Gone" ? update.address : update.value.address
            assert.isTrue(update.slot >= (newest.get(subject) ?? 0n), "told out of order")
            newest.set(subject, update.slot)
            if (update._tag === "Gone") {
              assert.isTrue(state.delete(update.address), "gone twice")
            } else {
              const byte = Option.getOrThrow(Option.fromNullable(update.value.data[0]))
              state.set(update.value.address, byte)
              values.push(`${update.value.address} ${byte}`)
            }
          }
          assert.deepStrictEqual([...state].toSorted(), [...world.accounts].toSorted())
          let position = 0
          for (const value of values) if (value === connected[position]) position++
          assert.strictEqual(position, connected.length, "a change was lost while connected")
          yield* Fiber.interrupt(fiber)
        })
      ),
    { fastCheck: { numRuns: runs(60) } }
  )
})
