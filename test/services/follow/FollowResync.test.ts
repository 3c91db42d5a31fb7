import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type * as Stream from "effect/Stream"
import * as Follow from "../../../services/Follow.js"
import type { RpcPool } from "../../../services/RpcPool.js"
import { runs } from "../../support/runs.js"
import {
  address,
  away,
  back,
  chain,
  type Fate,
  following,
  pass,
  PROGRAM,
  signature,
  story
} from "../transport/chain.js"
import { failure } from "../transport/support.js"

const signatures = (updates: ReadonlyArray<Follow.Update<{ readonly signature: string }>>) =>
  updates.map((update) => (update._tag === "Value" ? update.value.signature : update._tag))

const STEP = FastCheck.oneof(
  {
    weight: 5,
    arbitrary: FastCheck.record({
      type: FastCheck.constant("write" as const),
      n: FastCheck.nat(2),
      closes: FastCheck.boolean(),
      fate: FastCheck.constantFrom<Array<Fate>>("notified", "late", "lost")
    })
  },
  {
    weight: 2,
    arbitrary: FastCheck.record({
      type: FastCheck.constant("pass" as const),
      seconds: FastCheck.constantFrom(1, 4, 30, 61, 70)
    })
  },
  FastCheck.record({ type: FastCheck.constantFrom("away" as const, "back" as const) })
)

describe("Follow: a notification that is lost on a socket that lives", () => {
  it.scoped(
    "Given an account, Then a change without notification is emitted once, after a gap, within the interval",
    () =>
      Effect.gen(function* () {
        const world = chain()
        yield* world.write(0, 1)
        const { told } = yield* following(Follow.account(address(0)), world)
        yield* world.write(0, 2, "lost")
        yield* pass("50 seconds")
        assert.deepStrictEqual(story(told), ["value 1"])
        yield* pass("15 seconds")
        assert.deepStrictEqual(story(told), ["value 1", "gap", "value 2"])
        yield* world.write(0, undefined, "lost")
        yield* pass("2 minutes")
        assert.deepStrictEqual(story(told), ["value 1", "gap", "value 2", "gap", "gone"])
      })
  )

  it.scoped(
    "Given a program, Then only accounts that were created, changed or closed without notification are emitted",
    () =>
      Effect.gen(function* () {
        const world = chain()
        yield* Effect.forEach([0, 1, 2], (n) => world.write(n, n))
        const { told } = yield* following(Follow.program(PROGRAM, { resyncInterval: "10 seconds" }), world)
        yield* world.write(0, 10, "lost")
        yield* world.write(1, undefined, "lost")
        yield* world.write(3, 3, "lost")
        yield* pass("15 seconds")
        assert.deepStrictEqual(story(told.slice(3)), ["gap", "value 10", "value 3", "gone"])
        yield* pass("1 hour")
        assert.strictEqual(told.length, 7)
      })
  )

  it.scoped(
    "Given a change after the read, Then the findings of the read are emitted after it, with the slot of the read",
    () =>
      Effect.gen(function* () {
        const world = chain()
        const { told } = yield* following(Follow.program(PROGRAM), world)
        yield* world.write(0, 1, "lost")
        yield* pass("62 seconds")
        yield* world.write(1, 2)
        yield* pass("10 seconds")
        assert.deepStrictEqual(story(told), ["value 2", "gap", "value 1"])
        assert.deepStrictEqual(
          told.flatMap((update) => (update._tag === "Value" ? [update.slot] : [])),
          [12n, 11n]
        )
      })
  )

  it.scoped("Given late notifications, Then each version is emitted in order, without a gap", () =>
    Effect.gen(function* () {
      const world = chain()
      yield* world.write(0, 1)
      const { told } = yield* following(Follow.program(PROGRAM), world)
      yield* pass("58 seconds")
      yield* world.write(0, 2, "late")
      yield* pass("1 seconds")
      yield* world.write(0, 3, "late")
      yield* pass("2 minutes")
      assert.deepStrictEqual(story(told), ["value 1", "value 2", "value 3"])
    })
  )

  it.scoped("Given an account that is closed after the read, Then the read does not bring it back", () =>
    Effect.gen(function* () {
      const world = chain()
      yield* world.write(0, 1)
      const { told } = yield* following(Follow.account(address(0)), world)
      yield* pass("62 seconds")
      yield* world.write(0, undefined)
      yield* pass("10 seconds")
      assert.deepStrictEqual(story(told), ["value 1", "gone"])
    })
  )

  it.scoped("Given logs, Then transactions without notification are emitted once, also if they are notified late", () =>
    Effect.gen(function* () {
      const world = chain()
      yield* world.land(0)
      const { told } = yield* following(Follow.logs(PROGRAM), world)
      yield* world.land(1)
      yield* world.land(2, "lost")
      yield* world.land(3)
      yield* pass("57 seconds")
      yield* world.land(4, "late")
      yield* pass("1 minute")
      assert.deepStrictEqual(signatures(told), [1, 3, 4, 2].map(signature))
      assert.strictEqual(world.asked("getTransaction"), 1)
    })
  )

  it.scoped("Given logs of a quiet address, Then one call per interval asks for the last slots only", () =>
    Effect.gen(function* () {
      const world = chain()
      yield* Effect.forEach([0, 1, 2, 3], (n) => world.land(n))
      const { told } = yield* following(Follow.logs(PROGRAM), world)
      yield* world.land(4)
      yield* world.pass(40)
      yield* world.land(5)
      yield* pass("3 minutes")
      assert.deepStrictEqual(signatures(told), [4, 5].map(signature))
      const pages = world.transport.calls.filter(({ method }) => method === "getSignaturesForAddress")
      // At the beginning, with the subscription, and each minute.
      assert.strictEqual(pages.length, 4)
      assert.deepInclude(pages.at(-1)?.params[1], { until: signature(4) })
      assert.strictEqual(world.asked("getTransaction"), 0)
    })
  )

  it.scoped("Given a signature without notification, Then its result is emitted", () =>
    Effect.gen(function* () {
      const world = chain()
      const { told, fiber } = yield* following(Follow.signature(signature(0)), world)
      yield* world.land(0, "lost")
      yield* pass("65 seconds")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(told, [{ slot: 11n, value: { err: null } }])
    })
  )

  it.scoped(
    "Given nodes that fail or are down, Then the Stream continues and lost changes are emitted in the end",
    () =>
      Effect.gen(function* () {
        const world = chain()
        const { told } = yield* following(Follow.program(PROGRAM), world)
        yield* world.write(0, 1, "lost")
        world.fails(failure("Node", { code: -32603 }))
        yield* pass("3 minutes")
        world.fails(failure("Transport"))
        yield* pass("3 minutes")
        world.fails(undefined)
        assert.deepStrictEqual(story(told), [])
        yield* pass("3 minutes")
        assert.deepStrictEqual(story(told), ["gap", "value 1"])
      })
  )

  it.scoped("Given a socket that is lost during a read, Then the read emits nothing about the outage", () =>
    Effect.gen(function* () {
      const world = chain()
      yield* world.write(0, 1)
      const { told } = yield* following(Follow.account(address(0)), world)
      yield* pass("62 seconds")
      yield* away(world)
      yield* world.write(0, 2)
      yield* pass("10 minutes")
      assert.deepStrictEqual(story(told), ["value 1"])
      yield* back(world)
      assert.deepStrictEqual(story(told), ["value 1", "gap", "value 2"])
    })
  )

  it.scoped("Given slow reads, Then the next read waits twenty times their duration", () =>
    Effect.gen(function* () {
      const world = chain()
      yield* following(Follow.program(PROGRAM), world)
      assert.strictEqual(world.asked("getProgramAccounts"), 1)
      world.takes("30 seconds")
      yield* pass("1 minute")
      yield* pass("10 minutes")
      assert.strictEqual(world.asked("getProgramAccounts"), 2)
      yield* pass("1 minutes")
      assert.strictEqual(world.asked("getProgramAccounts"), 3)
    })
  )

  it.scoped("Given an infinite interval, Then nothing is read while the subscription is open", () =>
    Effect.gen(function* () {
      const world = chain()
      const { told } = yield* following(Follow.program(PROGRAM, { resyncInterval: Infinity }), world)
      yield* world.write(0, 1, "lost")
      yield* pass("10 hours")
      assert.strictEqual(world.asked("getProgramAccounts"), 1)
      yield* away(world)
      yield* back(world)
      assert.deepStrictEqual(story(told), ["gap", "value 1"])
    })
  )

  it.scoped("Given options out of range, Then each follower fails with InvalidInput before any call", () =>
    Effect.gen(function* () {
      const world = chain()
      const streams: ReadonlyArray<readonly [string, Stream.Stream<unknown, unknown, RpcPool>]> = [
        ["resyncInterval", Follow.account(address(0), { resyncInterval: 0 })],
        ["resyncInterval", Follow.signature(signature(0), { resyncInterval: -1 })],
        ["resyncInterval", Follow.logs(PROGRAM, { resyncInterval: Number.NaN })],
        ["maxTransactions", Follow.logs(PROGRAM, { maxTransactions: 0 })],
        ["maxAccounts", Follow.program(PROGRAM, { maxAccounts: 1.5 })]
      ]
      for (const [field, stream] of streams) {
        const { fiber } = yield* following(stream, world)
        const error = yield* Effect.flip(Fiber.join(fiber))
        assert.include(error, { _tag: "InvalidInput", field })
      }
      assert.strictEqual(world.transport.calls.length, 0)
    })
  )

  it.effect.prop(
    "Given any writes, closes, outages and lost or late notifications, Then a follower has the chain's accounts in the end, each version at most once and in order, with all that were notified in time",
    { steps: FastCheck.array(STEP, { maxLength: 30 }) },
    ({ steps }) =>
      Effect.scoped(
        Effect.gen(function* () {
          const world = chain()
          const { told, fiber } = yield* following(Follow.program(PROGRAM), world)
          const written = new Map<string, Array<number>>()
          const heard: Array<number> = []
          for (const [version, step] of steps.entries()) {
            if (step.type === "pass") yield* pass(`${step.seconds} seconds`)
            else if (step.type === "write" && step.closes) yield* world.write(step.n, undefined)
            else if (step.type === "write") {
              written.set(address(step.n), [...(written.get(address(step.n)) ?? []), version])
              if (step.fate === "notified" && world.node.open.size > 0) heard.push(version)
              yield* world.write(step.n, version, step.fate)
            } else yield* step.type === "away" ? away(world) : back(world)
          }
          yield* back(world)
          yield* pass("3 minutes")

          const state = new Map<string, number>()
          const seen = new Map<string, Array<number>>()
          for (const update of told) {
            if (update._tag === "Gone") assert.isTrue(state.delete(update.address), "gone twice")
            if (update._tag !== "Value") continue
            const version = Option.getOrThrow(Option.fromNullable(update.value.data[0]))
            state.set(update.value.address, version)
            seen.set(update.value.address, [...(seen.get(update.value.address) ?? []), version])
          }
          assert.deepStrictEqual([...state].toSorted(), [...world.accounts].toSorted())
          for (const [address, versions] of seen) {
            const inOrder = written.get(address)?.filter((version) => versions.includes(version))
            assert.deepStrictEqual(versions, inOrder, "doubled, or out of order")
          }
          const all = [...seen.values()].flat()
          assert.deepStrictEqual(
            heard.filter((version) => !all.includes(version)),
            [],
            "a change was lost that was notified"
          )
          const undisturbed = steps.every(
            (step) => step.type === "pass" || (step.type === "write" && !step.closes && step.fate !== "lost")
          )
          if (undisturbed) assert.notInclude(story(told), "gap")
          yield* Fiber.interrupt(fiber)
        })
      ),
    { fastCheck: { numRuns: runs(60) } }
  )
})
