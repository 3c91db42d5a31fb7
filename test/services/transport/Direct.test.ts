import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as TestClock from "effect/TestClock"
import * as Deadline from "../../../services/Deadline.js"
import * as Direct from "../../../services/internal/direct.js"
import * as Metrics from "../../../services/Metrics.js"
import * as Resilience from "../../../services/Resilience.js"
import * as RpcPool from "../../../services/RpcPool.js"
import type { RpcError } from "../../../services/RpcTransport.js"
import { NOT_STARTED, start, startable } from "../../support/direct.js"
import { type Fake, failure, fake } from "./support.js"

const SEND = "sendTransaction"

type Answer = Either.Either<unknown, RpcError>

const refusal = (reason: RpcError["reason"], rest: Parameters<typeof failure>[1] = {}): Answer =>
  Either.left(failure(reason, rest))

/** An endpoint that answers after a second, as it is told at that time. */
const node = (host: string, answer: () => Answer): Fake =>
  fake({ host, request: () => Effect.zipRight(Effect.sleep("1 second"), Effect.suspend(answer)) })

const over = (nodes: ReadonlyArray<Fake>, options: Resilience.Options & Omit<Resilience.Member, "transport"> = {}) =>
  Resilience.make(
    nodes.map((transport) => ({
      ...options,
      heartbeat: false,
      deadline: "transport",
      transport: startable(transport)
    })),
    { genesis: "any", probeInterval: Infinity, ...options }
  )

const after = <A, E>(call: Effect.Effect<A, E>, ...seconds: ReadonlyArray<number>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(Effect.either(call))
    for (const second of seconds) yield* TestClock.adjust(Duration.seconds(second))
    return yield* Fiber.join(fiber)
  })

/** Two endpoints that fail in different ways. */
const broken = () => [node("one", () => refusal("Transport")), node("two", () => refusal("Timeout"))]

/** How many sends have ended so. */
const counts = (outcome: string) =>
  Effect.map(Metric.value(Metrics.rpcCallsOf(SEND, outcome).calls), ({ count }) => count)

/** Lets all fibers come to where they wait. */
const settle = Effect.repeatN(Effect.yieldNow(), 10)

const failed = (answer: Either.Either<unknown, RpcError>) => Either.getOrThrow(Either.flip(answer))

describe("Direct", () => {
  it.scoped(
    "Given an endpoint that is well, When a send is started, Then it is answered and measured as any call",
    () =>
      Effect.gen(function* () {
        const one = node("one", () => Either.right("signature"))
        const transport = yield* over([one])
        const sending = yield* Effect.fork(start(transport, SEND))
        yield* settle
        assert.strictEqual((yield* transport.status)[0]?.inFlight, 1)
        yield* TestClock.adjust("1 second")
        assert.strictEqual(yield* Fiber.join(sending), "signature")
        const [status] = yield* transport.status
        assert.deepInclude(status, { inFlight: 0, latency: 1000, errors: 0, circuit: "closed" })
      })
  )

  it.scoped(
    "Given a started send, When it is cancelled, Then nothing is in flight and nothing counts against its node",
    () =>
      Effect.gen(function* () {
        const one = node("one", () => Either.right("signature"))
        const transport = yield* over([one], { circuit: { failures: 1 } })
        const sending = yield* Effect.fork(start(transport, SEND))
        yield* settle
        yield* Fiber.interrupt(sending)
        assert.deepInclude((yield* transport.status)[0], { inFlight: 0, errors: 0, circuit: "closed" })
        yield* TestClock.adjust("5 seconds")
        assert.deepInclude((yield* transport.status)[0], { inFlight: 0, latency: 0 })
      })
  )

  it.scoped("Given failures in a row, When they were started, Then the circuit opens, and one probe closes it", () =>
    Effect.gen(function* () {
      let answer = refusal("Transport")
      const one = node("one", () => answer)
      const transport = yield* over([one], { circuit: { failures: 2, cooldown: "10 seconds" } })
      for (const _ of [1, 2]) assert.strictEqual(failed(yield* after(start(transport, SEND), 1)).reason, "Transport")
      assert.strictEqual((yield* transport.status)[0]?.circuit, "open")
      assert.strictEqual(yield* start(transport, SEND), NOT_STARTED)
      assert.strictEqual(one.calls.length, 2)
      yield* TestClock.adjust("10 seconds")
      answer = Either.right("signature")
      const probe = yield* Effect.fork(start(transport, SEND))
      yield* settle
      assert.strictEqual(yield* start(transport, SEND), NOT_STARTED)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* Fiber.join(probe), "signature")
      assert.strictEqual((yield* transport.status)[0]?.circuit, "closed")
    })
  )

  it.scoped("Given a probe that is cancelled, When another call comes, Then that one is the probe", () =>
    Effect.gen(function* () {
      const transport = yield* over([node("one", () => refusal("Transport"))], {
        circuit: { failures: 1, cooldown: "10 seconds" }
      })
      yield* after(start(transport, SEND), 1)
      yield* TestClock.adjust("10 seconds")
      const probe = yield* Effect.fork(start(transport, SEND))
      yield* settle
      yield* Fiber.interrupt(probe)
      assert.strictEqual(failed(yield* after(start(transport, SEND), 1)).reason, "Transport")
    })
  )

  it.scoped("Given a 429, When a send was started, Then all pause, and its wait is cut as for any call", () =>
    Effect.gen(function* () {
      const limit = refusal("RateLimited", { retryAfter: Duration.hours(1) })
      const transport = yield* over([node("one", () => limit)], { limits: { maxPause: "20 seconds" } })
      const error = failed(yield* after(start(transport, SEND), 1))
      assert.deepStrictEqual(error.retryAfter, Duration.seconds(20))
      assert.strictEqual(yield* start(transport, SEND), NOT_STARTED)
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual(failed(yield* after(start(transport, SEND), 1)).reason, "RateLimited")
    })
  )

  it.scoped("Given a rate, When more is started than it allows, Then the rest waits its turn as an effect", () =>
    Effect.gen(function* () {
      const one = node("one", () => Either.right("signature"))
      const transport = yield* over([one], { limits: { requests: { perSecond: 2 } } })
      const sending = yield* Effect.fork(
        Effect.all([start(transport, SEND), start(transport, SEND)], { concurrency: 2 })
      )
      yield* settle
      assert.strictEqual(yield* start(transport, SEND), NOT_STARTED)
      const waiting = yield* Effect.fork(transport.request(SEND, []))
      yield* TestClock.adjust("400 millis")
      // A token is there before the queue has taken it: who waits comes first.
      assert.strictEqual(yield* start(transport, SEND), NOT_STARTED)
      for (const _ of [1, 2, 3]) yield* TestClock.adjust("1 second")
      yield* Fiber.join(sending)
      yield* Fiber.join(waiting)
      assert.strictEqual(one.calls.length, 3)
    })
  )

  it.scoped("Given two endpoints, When the first fails, Then the next has the send, and the one after it too", () =>
    Effect.gen(function* () {
      const one = node("one", () => refusal("Transport"))
      const two = node("two", () => Either.right("signature"))
      const transport = yield* over([one, two], { retry: false })
      assert.deepStrictEqual(yield* after(start(transport, SEND), 1, 1), Either.right("signature"))
      assert.deepStrictEqual(yield* after(start(transport, SEND), 1), Either.right("signature"))
      assert.deepStrictEqual([one.calls.length, two.calls.length], [1, 2])
    })
  )

  it.scoped("Given two endpoints that fail, When a send was started, Then its error is that of the effect", () =>
    Effect.gen(function* () {
      const direct = failed(yield* after(start(yield* over(broken(), { retry: false }), SEND), 1, 1))
      const { request } = yield* over(broken(), { retry: false })
      const effect = failed(yield* after(request(SEND, []), 1, 1))
      assert.deepStrictEqual(JSON.stringify(direct), JSON.stringify(effect))
      assert.match(direct.detail, /2 attempts failed/)
    })
  )

  it.scoped("Given a send that moved on, When it is cancelled, Then the second endpoint's call is interrupted", () =>
    Effect.gen(function* () {
      const one = node("one", () => refusal("Transport"))
      const two = node("two", () => Either.right("signature"))
      const transport = yield* over([one, two])
      const sending = yield* Effect.fork(start(transport, SEND))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(two.calls.length, 1)
      yield* Fiber.interrupt(sending)
      yield* settle
      assert.isTrue((yield* transport.status).every(({ inFlight }) => inFlight === 0))
    })
  )

  it.scoped("Given a deadline, When two endpoints have a share each, Then the first is asked within its half", () =>
    Effect.gen(function* () {
      const deadlines: Array<number> = []
      const one = fake({
        host: "one",
        request: () =>
          Effect.flatMap(Deadline.Deadline, (at) =>
            Effect.zipRight(
              Effect.sync(() => deadlines.push(at)),
              Effect.never
            )
          )
      })
      const transport = yield* over([one, { ...one, host: "two" }])
      const sending = yield* Effect.fork(Deadline.within("10 seconds")(start(transport, SEND)))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(deadlines, [5000])
      yield* Fiber.interrupt(sending)
    })
  )

  it.scoped(
    "Given calls that need more than one step, When they are started, Then nothing happens and the effect does it",
    () =>
      Effect.gen(function* () {
        const one = node("one", () => Either.right("answer"))
        const alone = yield* over([one])
        const arrays = yield* over([one], { arraySize: 10 })
        const copies = yield* over([one, { ...one, host: "two" }], { broadcast: 2 })
        const timed = yield* Resilience.make([{ transport: startable(one) }])
        for (const method of ["getSlot", "getAccountInfo", "simulateTransaction"]) {
          assert.strictEqual(yield* start(alone, method), NOT_STARTED)
        }
        for (const transport of [arrays, copies, timed]) assert.strictEqual(yield* start(transport, SEND), NOT_STARTED)
        assert.strictEqual(one.calls.length, 0)
        assert.deepInclude((yield* alone.status)[0], { inFlight: 0, errors: 0, circuit: "closed" })
      })
  )

  it.scoped(
    "Given a decorator that replaces the request, When a send is started, Then its entry is not passed by",
    () =>
      Effect.gen(function* () {
        const one = startable(node("one", () => Either.right("signature")))
        const refuses = { ...one, request: () => Effect.fail(failure("Node")) }
        assert.strictEqual(yield* start(refuses, SEND), NOT_STARTED)
        assert.deepStrictEqual(yield* after(start({ ...one }, SEND), 1), Either.right("signature"))
      })
  )

  it.scoped(
    "Given a pool, When sends are started, Then each is counted by its outcome, and what is no signature is Decode",
    () =>
      Effect.gen(function* () {
        let answer: Answer = Either.right("1".repeat(64))
        const transport = yield* over([node("one", () => answer)])
        const { sendTransaction } = RpcPool.make(transport)
        const outcomes = ["success", "Decode", "Transport", "Interrupted"]
        const before = yield* Effect.forEach(outcomes, counts)
        const sending: Effect.Effect<unknown, unknown> = Effect.withFiberRuntime((fiber) =>
          Effect.async((resume) => {
            const caller = { fiber, now: Deadline.now(fiber), deadline: Infinity }
            const cancel = Direct.startOf(sendTransaction)?.(caller, resume, new Uint8Array(100))
            return Effect.sync(() => cancel?.())
          })
        )
        assert.isTrue(Either.isRight(yield* after(sending, 1)))
        answer = Either.right("no signature")
        assert.deepInclude(Either.getOrThrow(Either.flip(yield* after(sending, 1))), { reason: "Decode" })
        answer = refusal("Transport")
        assert.deepInclude(Either.getOrThrow(Either.flip(yield* after(sending, 1))), { reason: "Transport" })
        const cancelled = yield* Effect.fork(sending)
        yield* settle
        yield* Fiber.interrupt(cancelled)
        assert.deepStrictEqual(
          yield* Effect.forEach(outcomes, counts),
          before.map((count) => count + 1)
        )
      })
  )

  it.scoped(
    "Given a function that has its result at once, When it is started, Then it ends once, after the start",
    () =>
      Effect.gen(function* () {
        const bug = new Error("a bug")
        const answer = Direct.synchronous((nowMillis, text: string): Either.Either<string, string> => {
          if (text === "bug") throw bug
          return text === "no" ? Either.left(text) : Either.right(`${text} at ${nowMillis}`)
        })
        yield* TestClock.adjust("7 millis")
        const fiber = yield* Effect.withFiberRuntime<Fiber.RuntimeFiber<unknown, unknown>>(Effect.succeed)
        const ends: Array<Exit.Exit<string, string>> = []
        const begin = (text: string) =>
          Direct.startOf(answer)?.({ fiber, now: 0, deadline: Infinity }, (exit) => ends.push(exit), text)
        const expected = [Exit.succeed("yes at 7"), Exit.fail("no"), Exit.die(bug)]
        for (const text of ["yes", "no", "bug"]) assert.isDefined(begin(text))
        begin("cancelled")?.()
        assert.deepStrictEqual(ends, [])
        yield* settle
        assert.deepStrictEqual(ends, expected)
        assert.deepStrictEqual(
          yield* Effect.forEach(["yes", "no", "bug"], (text) => Effect.exit(answer(text))),
          expected
        )
      })
  )

  it("Given a reader that throws, When it reads an answer, Then the call has died and nothing is thrown", () => {
    const bug = new Error("a bug")
    const read = Direct.read(Exit.succeed("answer"), (): Either.Either<string> => {
      throw bug
    })
    assert.deepStrictEqual(read, Exit.die(bug))
  })
})
