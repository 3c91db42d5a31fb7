import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Follow from "../../../services/Follow.js"
import { readFrom } from "../../../services/internal/falseSlot.js"
import { RpcPool } from "../../../services/RpcPool.js"
import { RpcError } from "../../../services/RpcTransport.js"
import { SubscriptionObserver } from "../../../services/SubscriptionObserver.js"
import { away, back, chain, following, pass, PROGRAM, signature, story } from "../transport/chain.js"

const BILLION = 1_000_000_000n
const MAX = 0xffff_ffff_ffff_ffffn

/** The subscription, whose endpoint claims this slot. */
const claimed =
  (claim: bigint) =>
  <A, E>(live: Stream.Stream<A, E>): Stream.Stream<A, E> =>
    Stream.unwrap(
      Effect.map(SubscriptionObserver, (observer) =>
        Stream.provideService(live, SubscriptionObserver, {
          ...observer,
          established: (subscription) => observer.established({ ...subscription, slot: Effect.succeedSome(claim) })
        })
      )
    )

/** Follows, over subscriptions whose endpoint claims this slot. */
const claiming =
  (claim: bigint) =>
  <A, E>(stream: Stream.Stream<A, E, RpcPool>): Stream.Stream<A, E, RpcPool> =>
    Stream.unwrap(
      Effect.map(RpcPool, (pool) =>
        Stream.provideService(stream, RpcPool, {
          ...pool,
          programSubscribe: (...call) => claimed(claim)(pool.programSubscribe(...call)),
          logsSubscribe: (...call) => claimed(claim)(pool.logsSubscribe(...call)),
          signatureSubscribe: (...call) => claimed(claim)(pool.signatureSubscribe(...call))
        })
      )
    )

const signatures = (updates: ReadonlyArray<Follow.Update<{ readonly signature: string }>>) =>
  updates.flatMap((update) => (update._tag === "Value" ? [update.value.signature] : []))

describe("Follow: slots that the cluster never reaches", () => {
  it.scoped.each([1000n, BILLION, MAX])(
    "Given an endpoint that claims slot %d for its subscription, When accounts are followed, Then each state is emitted",
    (claim) =>
      Effect.gen(function* () {
        const world = chain()
        yield* world.write(0, 1)
        const { told } = yield* following(claiming(claim)(Follow.program(PROGRAM)), world)
        yield* world.write(0, 2)
        assert.deepStrictEqual(story(told), [])
        yield* pass("10 seconds")
        yield* world.write(0, 3)
        assert.deepStrictEqual(story(told), ["value 2", "value 3"])
      })
  )

  it.scoped("Given a claimed slot that is near, Then the read waits until the cluster has reached it", () =>
    Effect.gen(function* () {
      const world = chain()
      yield* world.write(0, 1)
      const { told } = yield* following(claiming(100n)(Follow.program(PROGRAM)), world)
      yield* pass("1 minute")
      assert.deepStrictEqual(story(told), [])
      yield* world.pass(100)
      yield* pass("10 seconds")
      assert.deepStrictEqual(story(told), ["value 1"])
    })
  )

  it.scoped("Given a false claim, When a transaction or its logs are followed, Then they are emitted", () =>
    Effect.gen(function* () {
      const world = chain()
      const logs = yield* following(claiming(MAX)(Follow.logs(PROGRAM)), world)
      const landed = yield* following(claiming(MAX)(Follow.signature(signature(1))), world)
      yield* world.land(0)
      yield* world.land(1)
      yield* pass("10 seconds")
      yield* Fiber.join(landed.fiber)
      assert.strictEqual(landed.told.length, 1)
      yield* world.land(2)
      assert.deepStrictEqual(signatures(logs.told), [0, 1, 2].map(signature))
    })
  )

  it.scoped("Given one read with a false slot, Then later changes are emitted from the next read on", () =>
    Effect.gen(function* () {
      const world = chain()
      yield* world.write(0, 1)
      world.exaggerates(BILLION)
      const { told } = yield* following(Follow.program(PROGRAM), world)
      world.exaggerates(0n)
      yield* world.write(0, 2)
      yield* world.write(1, 7)
      yield* pass("80 seconds")
      yield* world.write(0, 3)
      assert.deepStrictEqual(story(told), ["value 1", "gap", "value 2", "value 7", "value 3"])
    })
  )

  it.scoped(
    "Given one notification with a false slot, Then the account's later changes are emitted from the next read on",
    () =>
      Effect.gen(function* () {
        const world = chain()
        yield* world.write(0, 1)
        const { told } = yield* following(Follow.program(PROGRAM), world)
        world.exaggerates(BILLION)
        yield* world.write(0, 2)
        world.exaggerates(0n)
        yield* world.write(0, 3)
        yield* pass("80 seconds")
        yield* world.write(0, 4)
        assert.deepStrictEqual(story(told), ["value 1", "value 2", "gap", "value 3", "value 4"])
        yield* away(world)
        yield* world.write(0, 5)
        yield* back(world)
        assert.deepStrictEqual(story(told.slice(5)), ["gap", "value 5"])
      })
  )

  it.scoped("Given logs with false slots, Then each transaction is emitted once, also after a reconnection", () =>
    Effect.gen(function* () {
      const world = chain()
      const { told } = yield* following(Follow.logs(PROGRAM), world)
      world.exaggerates(BILLION)
      yield* world.land(0)
      yield* world.land(1, "lost")
      yield* pass("70 seconds")
      world.exaggerates(0n)
      yield* world.land(2)
      yield* away(world)
      yield* world.land(3)
      yield* back(world)
      yield* pass("20 seconds")
      yield* world.land(4)
      assert.deepStrictEqual(signatures(told), [0, 1, 2, 3, 4].map(signature))
    })
  )

  it.scoped("Given a validator that begins anew, When the follower reconnects, Then it goes on from there", () =>
    Effect.gen(function* () {
      const world = chain()
      yield* world.pass(5000)
      yield* world.write(0, 1)
      yield* world.write(1, 2)
      const { told } = yield* following(Follow.program(PROGRAM), world)
      yield* away(world)
      world.restarts()
      yield* world.write(0, undefined)
      yield* back(world)
      yield* world.write(1, 3)
      assert.deepStrictEqual(story(told.slice(2)), ["gap", "gone", "value 3"])
    })
  )
})

describe("readFrom", () => {
  const behind = new RpcError({ reason: "Node", method: "getSlot", code: -32016, detail: "behind" })

  it.effect("Given a pool that answers no slot, Then the claim is not refuted, and the read waits", () =>
    Effect.gen(function* () {
      const reading = yield* Effect.fork(
        readFrom(MAX, (least) => (least === undefined ? Effect.succeed("read") : Effect.never), {
          current: Effect.fail(behind),
          onFalse: () => assert.fail("nothing contradicts the claim")
        })
      )
      yield* TestClock.adjust("1 minute")
      assert.isTrue(Option.isNone(yield* Fiber.poll(reading)))
      assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(reading)))
    })
  )

  it.effect("Given a slot that the pool once comes near, Then the claim stands", () =>
    Effect.gen(function* () {
      let asked = 0
      const reading = yield* Effect.fork(
        readFrom(1000n, (least) => (least === undefined ? Effect.succeed("read") : Effect.never), {
          // One of three answers is of a node that is as far.
          current: Effect.sync(() => (asked++ % 3 === 2 ? 900n : 10n)),
          onFalse: () => assert.fail("a node has reached the slot")
        })
      )
      yield* TestClock.adjust("1 minute")
      assert.isTrue(Option.isNone(yield* Fiber.poll(reading)))
      yield* Fiber.interrupt(reading)
    })
  )
})
