import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as Deadline from "../../../services/Deadline.js"
import * as LongResult from "../../../services/LongResult.js"
import * as RetryPolicy from "../../../services/RetryPolicy.js"
import * as ArrayBatcher from "../../../services/transport/ArrayBatcher.js"
import * as Coalesce from "../../../services/transport/Coalesce.js"
import * as SingleFlight from "../../../services/transport/SingleFlight.js"
import * as JsonRpc from "../../../services/wire/JsonRpc.js"
import { SYSTEM_PROGRAM } from "../../../src/solana/Address.js"
import * as Json from "../../../src/solana/Json.js"
import { runs } from "../../support/runs.js"
import { fail, failure, fake } from "./support.js"

const CONFIG = { encoding: "base64", commitment: "confirmed" }

const bad = (name: unknown): boolean => String(name).startsWith("bad")

/** A node that knows every account as its own name, but for `bad…`, which it does not take for an address. */
const accounts = () =>
  fake({
    request: (method, params) => {
      const asked = params[0]
      if (Array.isArray(asked) ? asked.some(bad) : bad(asked)) return fail("Node", { method, code: -32602 })
      return Effect.delay(Effect.succeed({ context: { slot: 7n }, value: asked }), 10)
    }
  })

const concurrently = <A, E>(effects: ReadonlyArray<Effect.Effect<A, E>>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(Effect.all(effects.map(Effect.either), { concurrency: "unbounded" }))
    yield* TestClock.adjust("1 minute")
    return yield* Fiber.join(fiber)
  })

describe("Coalesce", () => {
  it.effect("Given 250 different accounts read at once, Then three getMultipleAccounts answer each read", () =>
    Effect.gen(function* () {
      const inner = accounts()
      const transport = yield* Coalesce.make()(inner)
      const names = Array.from({ length: 250 }, (_, i) => `account${i}`)
      const answers = yield* concurrently(names.map((name) => transport.request("getAccountInfo", [name, CONFIG])))
      assert.deepStrictEqual(
        answers,
        names.map((value) => Either.right({ context: { slot: 7n }, value }))
      )
      assert.deepStrictEqual(
        inner.calls.map(({ method, params }) => [method, Array.isArray(params[0]) && params[0].length, params[1]]),
        [
          ["getMultipleAccounts", 100, CONFIG],
          ["getMultipleAccounts", 100, CONFIG],
          ["getMultipleAccounts", 50, CONFIG]
        ]
      )
    })
  )

  it.effect(
    "Given accounts whose reply is long and left as text, When they are read at once, Then each read gets its own",
    () =>
      Effect.gen(function* () {
        const names = Array.from({ length: 40 }, (_, index) => `account${index}`)
        const value = names.map((_, index) => ({
          data: ["A".repeat(400), "base64"],
          executable: false,
          lamports: 2n ** 60n + BigInt(index % 3),
          owner: SYSTEM_PROGRAM,
          space: 300
        }))
        const text = Json.stringify({ jsonrpc: "2.0", id: 1, result: { context: { slot: 7 }, value } })
        const reply = JsonRpc.reply(text, 1, "getMultipleAccounts", "node.test")
        assert.isTrue(Either.getOrThrow(reply) instanceof LongResult.AccountsResult)
        const node = fake({ request: () => reply })
        const transport = yield* Coalesce.make()(node)
        const answers = yield* concurrently(names.map((name) => transport.request("getAccountInfo", [name, CONFIG])))
        assert.deepStrictEqual(
          answers,
          value.map((value) => Either.right({ context: { slot: 7 }, value }))
        )
        assert.strictEqual(node.calls.length, 1)
      })
  )

  it.effect("Given one account read by many at once, Then it is asked for once, as a single read", () =>
    Effect.gen(function* () {
      const inner = accounts()
      const transport = yield* Coalesce.make()(inner)
      yield* concurrently(Array.from({ length: 50 }, () => transport.request("getAccountInfo", ["a", CONFIG])))
      assert.deepStrictEqual(
        inner.calls.map(({ method, params }) => [method, ...params]),
        [["getAccountInfo", "a", CONFIG]]
      )
    })
  )

  it.effect("Given reads of different options, When made at once, Then only equal options go together", () =>
    Effect.gen(function* () {
      const inner = accounts()
      const transport = yield* Coalesce.make()(inner)
      yield* concurrently([
        transport.request("getAccountInfo", ["a", CONFIG]),
        transport.request("getAccountInfo", ["b", { ...CONFIG, minContextSlot: 5n }]),
        transport.request("getAccountInfo", ["c", CONFIG])
      ])
      assert.deepStrictEqual(
        inner.calls.map(({ method, params }) => [method, params[0]]),
        [
          ["getMultipleAccounts", ["a", "c"]],
          ["getAccountInfo", "b"]
        ]
      )
    })
  )

  it.effect("Given one bad address among many, When all are read at once, Then only its read fails", () =>
    Effect.gen(function* () {
      const transport = yield* Coalesce.make()(accounts())
      const answers = yield* concurrently(
        ["a", "bad", "c"].map((name) => transport.request("getAccountInfo", [name, CONFIG]))
      )
      assert.deepStrictEqual(answers.map(Either.isRight), [true, false, true])
    })
  )

  it.effect("Given a node that returns too few accounts, Then each account is read alone", () =>
    Effect.gen(function* () {
      const inner = fake({
        request: (method, params) =>
          Effect.succeed({ context: { slot: 1 }, value: method === "getAccountInfo" ? params[0] : [] })
      })
      const transport = yield* Coalesce.make()(inner)
      const answers = yield* concurrently(["a", "b"].map((name) => transport.request("getAccountInfo", [name])))
      assert.deepStrictEqual(
        answers,
        ["a", "b"].map((value) => Either.right({ context: { slot: 1 }, value }))
      )
    })
  )
})

describe("SingleFlight", () => {
  it.effect(
    "Given waiting calls, When the leader is interrupted, Then the next one leads and all others are answered",
    () =>
      Effect.gen(function* () {
        const inner = fake({ request: (_, __, nth) => Effect.delay(Effect.succeed(nth), 100) })
        const transport = yield* SingleFlight.make()(inner)
        const call = transport.request("getSlot", [])
        const [leader, ...followers] = yield* Effect.forEach([1, 2, 3], () =>
          Effect.tap(Effect.fork(call), () => Effect.yieldNow())
        )
        yield* TestClock.adjust("50 millis")
        if (leader !== undefined) yield* Fiber.interrupt(leader)
        yield* TestClock.adjust("100 millis")
        assert.deepStrictEqual(yield* Effect.forEach(followers, Fiber.join), [2, 2])
        yield* concurrently([call])
        assert.strictEqual(inner.calls.length, 3)
      })
  )

  it.effect(
    "Given a waiting call with a later deadline, When the leader times out, Then the waiting call asks again",
    () =>
      Effect.gen(function* () {
        const inner = fake({
          request: (method, _, nth) => Deadline.enforce(method, "fake")(Effect.delay(Effect.succeed(nth), 1000))
        })
        const transport = yield* SingleFlight.make()(inner)
        const call = transport.request("getSlot", [])
        const answers = yield* concurrently([Deadline.within("500 millis")(call), call, call])
        assert.deepStrictEqual(answers.map(Either.isRight), [false, true, true])
        assert.strictEqual(inner.calls.length, 2)
      })
  )

  it.effect(
    "Given calls with less time, that are not retried or that write, When made at once, Then they go alone",
    () =>
      Effect.gen(function* () {
        const inner = fake({ request: (_, __, nth) => Effect.delay(Effect.succeed(nth), 10) })
        const transport = yield* SingleFlight.make()(inner)
        const call = transport.request("getSlot", [])
        yield* concurrently([call, Deadline.within("1 second")(call), RetryPolicy.never(call)])
        assert.strictEqual(inner.calls.length, 3)
        yield* concurrently([1, 2].map(() => transport.request("sendTransaction", ["wire"])))
        assert.strictEqual(inner.calls.length, 5)
      })
  )

  it.effect("Given a full table, When other calls come, Then they are made without sharing", () =>
    Effect.gen(function* () {
      const inner = fake({ request: (_, __, nth) => Effect.delay(Effect.succeed(nth), 10) })
      const transport = yield* SingleFlight.make({ maxKeys: 1 })(inner)
      yield* concurrently([0, 0, 1, 1].map((n) => transport.request("getBalance", [n])))
      assert.strictEqual(inner.calls.length, 3)
    })
  )

  it.effect.prop(
    "Given any callers, keys, failures and interruptions, Then each remaining caller gets the answer of its key, and at most one call per key is in flight",
    {
      callers: FastCheck.array(
        FastCheck.record({ key: FastCheck.nat(2), interrupted: FastCheck.boolean(), after: FastCheck.nat(3) }),
        { minLength: 1, maxLength: 15 }
      ),
      failing: FastCheck.nat(3)
    },
    ({ callers, failing }) =>
      Effect.gen(function* () {
        const underWay = new Map<unknown, number>()
        const inner = fake({
          request: (_, [key], nth) =>
            Effect.acquireUseRelease(
              Effect.sync(() => {
                const count = (underWay.get(key) ?? 0) + 1
                underWay.set(key, count)
                assert.strictEqual(count, 1)
              }),
              () => Effect.delay(nth === failing ? fail("Transport") : Effect.succeed(key), 2),
              () => Effect.sync(() => underWay.set(key, 0))
            )
        })
        const transport = yield* SingleFlight.make()(inner)
        const fibers = yield* Effect.forEach(callers, ({ key, after }) =>
          Effect.fork(Effect.exit(Effect.delay(transport.request("getBalance", [key]), after)))
        )
        for (let tick = 0; tick < 4; tick++) {
          yield* Effect.forEach(callers, ({ interrupted, after }, index) => {
            const fiber = fibers[index]
            return interrupted && after === tick && fiber !== undefined ? Fiber.interruptFork(fiber) : Effect.void
          })
          yield* TestClock.adjust(1)
        }
        yield* TestClock.adjust(100)
        yield* Effect.forEach(callers, ({ key, interrupted }, index) =>
          Effect.gen(function* () {
            const fiber = fibers[index]
            if (fiber === undefined || interrupted) return
            const exit = yield* Fiber.join(fiber)
            if (Exit.isSuccess(exit)) assert.strictEqual(exit.value, key)
            else assert.isAbove(failing, 0)
          })
        )
      }),
    { fastCheck: { numRuns: runs(200) } }
  )
})

describe("ArrayBatcher", () => {
  it.effect(
    "Given concurrent calls, Then arrays of the size carry them, a failed item fails alone, and an airdrop goes alone",
    () =>
      Effect.gen(function* () {
        const inner = fake({
          batch: (calls) =>
            Effect.succeed(
              calls.map(({ method, params }) =>
                params[0] === 1 ? Either.left(failure("Node", { method, code: -32602 })) : Either.right(params[0])
              )
            )
        })
        const transport = yield* ArrayBatcher.make({ size: 3 })(inner)
        const answers = yield* concurrently([
          ...[0, 1, 2, 3].map((n) => transport.request("getBalance", [n])),
          transport.request("requestAirdrop", ["a"])
        ])
        assert.deepStrictEqual(answers.map(Either.isRight), [true, false, true, true, true])
        assert.deepStrictEqual(inner.calls.map(({ method }) => method).toSorted(), [
          "batch",
          "getBalance",
          "requestAirdrop"
        ])
      })
  )

  it.effect("Given an array in flight, When the fiber that sent it is interrupted, Then the others are answered", () =>
    Effect.gen(function* () {
      const started = yield* Deferred.make<void>()
      const inner = fake({
        batch: (calls, nth) =>
          nth === 1
            ? Effect.zipRight(Deferred.succeed(started, undefined), Effect.never)
            : Effect.succeed(calls.map(({ params }) => Either.right(params[0])))
      })
      const transport = yield* ArrayBatcher.make({ size: 3 })(inner)
      const fibers = yield* Effect.forEach([0, 1, 2], (n) => Effect.fork(transport.request("getBalance", [n])))
      yield* Deferred.await(started)
      const [leader, ...others] = fibers
      if (leader !== undefined) yield* Fiber.interrupt(leader)
      assert.deepStrictEqual(yield* Effect.forEach(others, Fiber.join), [1, 2])
    })
  )
})
