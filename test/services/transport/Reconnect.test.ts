import { assert, describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Heartbeat from "../../../services/transport/Heartbeat.js"
import * as Reconnect from "../../../services/transport/Reconnect.js"
import { runs } from "../../support/runs.js"
import type { Sockets } from "./sockets.js"
import { error, settle, sockets, watch } from "./sockets.js"
import { fake, pool } from "./support.js"

const reconnecting = (node: Sockets, options?: Reconnect.Options) =>
  Reconnect.make(options)(fake({ subscribe: node.subscribe }))

const PARAMS = ["address", { commitment: "confirmed" }]

describe("Reconnect", () => {
  it.scoped(
    "Given a subscription, When the socket is cut and the node is down, Then it continues once the node is back, and tells the observer",
    () =>
      Effect.gen(function* () {
        const node = sockets()
        const transport = yield* reconnecting(node)
        const subscriber = yield* watch(transport.subscribe("account", PARAMS))
        yield* node.notify(1)
        node.accepting = false
        yield* node.cut
        yield* TestClock.adjust("1 minute")
        node.accepting = true
        yield* TestClock.adjust("15 seconds")
        yield* settle
        yield* node.notify(2)
        assert.deepStrictEqual(subscriber.story(), ["established", 1, "interrupted", "established", 2])
        assert.isAtMost(node.subscribed(), 30)
        yield* subscriber.stop
        assert.strictEqual(node.open.size, 0)
      })
  )

  it.scoped(
    "Given equal subscribers, Then one upstream serves them until the last leaves, and a late one from its start on",
    () =>
      Effect.gen(function* () {
        const node = sockets()
        const transport = yield* reconnecting(node)
        const first = yield* watch(transport.subscribe("account", PARAMS))
        yield* node.notify(1)
        const second = yield* watch(transport.subscribe("account", PARAMS))
        const other = yield* watch(transport.subscribe("account", ["other"]))
        assert.strictEqual(node.open.size, 2)
        yield* node.notify(2)
        assert.deepStrictEqual(first.story(), ["established", 1, 2])
        assert.deepStrictEqual(second.story(), ["established", 2])
        yield* first.stop
        yield* node.notify(3)
        assert.deepStrictEqual(second.values(), [2, 3])
        yield* second.stop
        yield* other.stop
        assert.strictEqual(node.open.size, 0)
      })
  )

  it.scoped("Given a slow subscriber, Then it gets its queue and fails, and the others miss nothing", () =>
    Effect.gen(function* () {
      const node = sockets()
      const transport = yield* reconnecting(node, { maxQueuedNotifications: 8 })
      const seen: Array<unknown> = []
      const slow = yield* transport.subscribe("account", PARAMS).pipe(
        Stream.runForEach((value) =>
          Effect.delay(
            Effect.sync(() => seen.push(value)),
            1000
          )
        ),
        Effect.either,
        Effect.fork
      )
      yield* settle
      const quick = yield* watch(transport.subscribe("account", PARAMS))
      for (let i = 0; i < 30; i++) yield* node.notify(i)
      yield* TestClock.adjust("1 minute")
      const outcome = yield* Fiber.join(slow)
      assert.isTrue(Either.isLeft(outcome) && outcome.left.reason === "Overflow")
      assert.isAtLeast(seen.length, 8)
      assert.deepStrictEqual(
        seen,
        seen.map((_, i) => i)
      )
      assert.deepStrictEqual(
        quick.values(),
        Array.from({ length: 30 }, (_, i) => i)
      )
      yield* quick.stop
    })
  )

  it.scoped("Given a subscription that the node refuses, Then it fails and is not made again", () =>
    Effect.gen(function* () {
      let count = 0
      const transport = yield* Reconnect.make()(
        fake({
          subscribe: () =>
            Stream.suspend(() => {
              count++
              return Stream.fail(error("Refused"))
            })
        })
      )
      const outcome = yield* Effect.either(Stream.runDrain(transport.subscribe("account", PARAMS)))
      assert.isTrue(Either.isLeft(outcome) && outcome.left.reason === "Refused")
      assert.strictEqual(count, 1)
    })
  )

  it.scoped(
    "Given a signature subscription, When it is notified, Then its Stream ends and a later one subscribes anew",
    () =>
      Effect.gen(function* () {
        const node = sockets()
        const transport = yield* reconnecting(node)
        for (const value of ["first", "second"]) {
          const subscriber = yield* watch(transport.subscribe("signature", ["signature"]))
          yield* node.notify(value)
          assert.isTrue(Either.isRight(yield* Fiber.join(subscriber.fiber)))
          assert.deepStrictEqual(subscriber.values(), [value])
          assert.strictEqual(node.open.size, 0)
        }
        assert.strictEqual(node.subscribed(), 2)
      })
  )

  it.scoped(
    "Given a signature subscription that was notified, When its end takes time, Then a later subscriber misses nothing",
    () =>
      Effect.gen(function* () {
        const node = sockets()
        const slow = (...args: Parameters<typeof node.subscribe>) =>
          Stream.ensuring(node.subscribe(...args), Effect.sleep("1 second"))
        const transport = yield* reconnecting({ ...node, subscribe: slow })
        const first = yield* watch(transport.subscribe("signature", ["signature"]))
        yield* node.notify("first")
        const later = yield* watch(transport.subscribe("signature", ["signature"]))
        yield* node.notify("second")
        yield* TestClock.adjust("2 seconds")
        yield* Fiber.join(first.fiber)
        yield* Fiber.join(later.fiber)
        assert.deepStrictEqual([first.values(), later.values()], [["first"], ["second"]])
      })
  )

  it.scoped("Given no endpoint with the role subscribe, When subscribed, Then it fails at once", () =>
    Effect.gen(function* () {
      const transport = yield* Effect.flatMap(pool([[fake(), { roles: ["read", "send"] }]]), Reconnect.make())
      const { fiber } = yield* watch(transport.subscribe("account", PARAMS))
      yield* settle
      const outcome = yield* Option.fromNullable(fiber.unsafePoll())
      assert.include((yield* Effect.flip(yield* outcome)).message, 'no endpoint has the role "subscribe"')
    })
  )

  it.scoped("Given maxSubscriptions subscriptions, When one more is made, Then it fails with Refused", () =>
    Effect.gen(function* () {
      const transport = yield* reconnecting(sockets(), { maxSubscriptions: 1 })
      const first = yield* watch(transport.subscribe("account", ["a"]))
      const outcome = yield* Effect.either(Stream.runDrain(transport.subscribe("account", ["b"])))
      assert.isTrue(Either.isLeft(outcome) && outcome.left.reason === "Refused")
      yield* first.stop
    })
  )

  it.effect("Given a transport whose scope closes, Then its subscribers fail and its sockets are released", () =>
    Effect.gen(function* () {
      const node = sockets()
      const scope = yield* Scope.make()
      const transport = yield* Scope.extend(reconnecting(node), scope)
      const subscriber = yield* watch(transport.subscribe("account", PARAMS))
      yield* Scope.close(scope, Exit.void)
      const outcome = yield* Fiber.join(subscriber.fiber)
      assert.isTrue(Either.isLeft(outcome) && outcome.left.reason === "PoolClosed")
      assert.strictEqual(node.open.size, 0)
    })
  )

  it.effect.prop(
    "Given any script of notifications, cuts, outages and subscribers, Then each sees what its upstream sent, once, in order, and every loss between",
    {
      steps: FastCheck.array(
        FastCheck.oneof(
          { weight: 5, arbitrary: FastCheck.constant("notify" as const) },
          FastCheck.constantFrom("cut" as const, "away" as const, "back" as const, "join" as const, "leave" as const)
        ),
        { maxLength: 40 }
      )
    },
    ({ steps }) =>
      Effect.scoped(
        Effect.gen(function* () {
          const node = sockets()
          const transport = yield* reconnecting(node)
          const join = Effect.map(watch(transport.subscribe("account", PARAMS)), (watched) => ({
            ...watched,
            expected: new Array<unknown>()
          }))
          const here = [yield* join]
          const all = [...here]
          for (const [index, step] of steps.entries()) {
            if (step === "notify") {
              if (node.open.size > 0) here.forEach(({ expected }) => expected.push(index))
              yield* node.notify(index)
            } else if (step === "cut") {
              yield* node.cut
              if (index % 2 === 0) yield* TestClock.adjust("20 seconds")
              yield* settle
            } else if (step === "away" || step === "back") {
              node.accepting = step === "back"
              yield* TestClock.adjust("20 seconds")
              yield* settle
            } else if (step === "join") {
              const joined = yield* join
              here.push(joined)
              all.push(joined)
            } else {
              const leaving = here.pop()
              if (leaving !== undefined) yield* leaving.stop
            }
            assert.isAtMost(node.open.size, 1)
          }
          for (const { expected, values, story } of all) {
            assert.deepStrictEqual(values(), expected)
            const marks = story().filter((event) => typeof event === "string")
            marks.forEach((mark, index) => assert.strictEqual(mark, index % 2 === 0 ? "established" : "interrupted"))
          }
          yield* Effect.forEach(here, ({ stop }) => stop)
          assert.strictEqual(node.open.size, 0)
        })
      ),
    { fastCheck: { numRuns: runs(100) } }
  )
})

describe("Heartbeat", () => {
  it.scoped(
    "Given slots every 0.4 s, When they stop, Then quiet subscriptions fail after the idle time, not earlier",
    () =>
      Effect.gen(function* () {
        const node = sockets()
        const transport = yield* Heartbeat.make({ idleTimeout: "10 seconds" })(fake({ subscribe: node.subscribe }))
        const subscriber = yield* watch(transport.subscribe("account", PARAMS))
        for (let slot = 0; slot < 100; slot++) {
          yield* node.notify({ slot }, "slot")
          yield* TestClock.adjust("400 millis")
        }
        assert.isNull(subscriber.fiber.unsafePoll())
        yield* TestClock.adjust("9 seconds")
        assert.isNull(subscriber.fiber.unsafePoll())
        yield* TestClock.adjust("1 seconds")
        const outcome = yield* Fiber.join(subscriber.fiber)
        assert.isTrue(Either.isLeft(outcome) && outcome.left.reason === "Closed")
        assert.strictEqual(node.open.size, 0)
      })
  )

  it.scoped("Given a node without slot notifications, Then its subscriptions stay open", () =>
    Effect.gen(function* () {
      const node = sockets()
      const transport = yield* Heartbeat.make()(
        fake({
          subscribe: (kind, params) =>
            kind === "slot" ? Stream.fail(error("Refused", "slot")) : node.subscribe(kind, params)
        })
      )
      const subscriber = yield* watch(
        transport.subscribe("account", PARAMS).pipe(Stream.chunks, Stream.map(Chunk.size))
      )
      yield* TestClock.adjust("1 hour")
      yield* node.notify("late")
      assert.deepStrictEqual(subscriber.values(), [1])
      yield* subscriber.stop
    })
  )
})
