import * as KeyValueStore from "@effect/platform/KeyValueStore"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"
import * as EmbeddedCluster from "../../layers/EmbeddedCluster.js"
import * as BufferPool from "../../services/BufferPool.js"
import * as Deadline from "../../services/Deadline.js"
import * as Clock from "../../services/internal/clock.js"
import * as Journal from "../../services/Journal.js"
import * as Transactions from "../../services/Transactions.js"
import * as CircuitBreaker from "../../services/transport/CircuitBreaker.js"
import * as Health from "../../services/transport/Health.js"
import * as Heartbeat from "../../services/transport/Heartbeat.js"
import * as RateLimit from "../../services/transport/RateLimit.js"
import * as Reconnect from "../../services/transport/Reconnect.js"
import * as Retry from "../../services/transport/Retry.js"
import { Wallet } from "../../services/Wallet.js"
import * as FakeNode from "../support/fakeNode.js"
import { runs } from "../support/runs.js"
import { STRANGER, transfer, walletOf } from "../support/transfers.js"
import * as WallClock from "../support/wallClock.js"
import { settle, sockets, watch } from "./transport/sockets.js"
import { fail, fake } from "./transport/support.js"

type Note = (what: unknown) => Effect.Effect<void>
type Scenario = (note: Note) => Effect.Effect<unknown, unknown, Scope.Scope>

interface Jump {
  readonly step: number
  readonly millis: number
}

const STEPS = 60
const STEP = 250

const HOUR = 3_600_000

/** What a scenario noted, and when on the monotonic clock, while the wall clock was set so. */
const story = (
  prepared: Effect.Effect<Scenario, unknown, Scope.Scope>,
  jumps: ReadonlyArray<Jump>
): Effect.Effect<ReadonlyArray<unknown>, unknown> =>
  Effect.gen(function* () {
    const { clock, jump } = yield* WallClock.make
    const noted: Array<unknown> = []
    const note: Note = (what) => Effect.map(Clock.monotonicMillis, (at) => void noted.push([at, what]))
    const scenario = yield* Effect.withClock(prepared, clock)
    yield* Effect.fork(scenario(note).pipe(Effect.withClock(clock), Effect.withRandom(Random.make("wall clock"))))
    for (let step = 0; step < STEPS; step++) {
      for (const { millis } of jumps.filter((jump) => jump.step === step)) jump(millis)
      yield* TestClock.adjust(STEP)
      yield* settle
    }
    return noted
  }).pipe(Effect.scoped, Effect.provide(TestContext.TestContext))

const repeated =
  <E>(count: number, call: Effect.Effect<unknown, E>) =>
  (note: Note): Effect.Effect<void> =>
    Effect.forEach(
      Array.from({ length: count }),
      () => Effect.flatMap(Effect.either(call), (result) => note(Either.isRight(result) ? "answered" : result.left)),
      { discard: true }
    )

const send = (node: FakeNode.FakeNode, layer: Layer.Layer<never> = Layer.empty): Scenario => {
  const transactions = Transactions.layer().pipe(Layer.provide(layer), Layer.provide(node.layer))
  return (note) =>
    Effect.gen(function* () {
      const wallet = yield* walletOf(81)
      const { send } = yield* Transactions.Transactions
      const sent = yield* send([transfer(wallet.address, STRANGER, 1n)], { timeout: "9 seconds" }).pipe(
        Effect.provideService(Wallet, wallet),
        Effect.either
      )
      yield* note(Either.isRight(sent) ? "landed" : [sent.left._tag, "reason" in sent.left && sent.left.reason])
      yield* note(node.sent.length)
    }).pipe(Effect.provide(transactions))
}

const journaled = Journal.layerKeyValueStore().pipe(Layer.provide(KeyValueStore.layerMemory))

const scenarios: Readonly<Record<string, () => Scenario>> = {
  "a send that never lands": () => send(FakeNode.make()),
  "a journalled send that never lands": () => (note) => {
    const node = FakeNode.make()
    return Effect.flatMap(Layer.build(journaled), (context) => send(node, Layer.succeedContext(context))(note))
  },
  "a send that lands late": () => {
    const node = FakeNode.make()
    node.onSend = (signature) => {
      if (node.sent.length === 3) node.land(signature)
    }
    return send(node)
  },
  "calls with a deadline to a silent node": () =>
    repeated(3, Effect.never.pipe(Deadline.enforce("getSlot", "silent"), Deadline.within("3 seconds"))),
  "calls at a rate": () => (note) =>
    Effect.flatMap(RateLimit.make({ requests: { perSecond: 2, burst: 1 } })(fake()), ({ request }) =>
      repeated(20, request("getSlot", []))(note)
    ),
  "calls after a 429": () => (note) => {
    const node = fake({ request: (_, __, nth) => (nth === 2 ? fail("RateLimited") : Effect.succeed(nth)) })
    return Effect.flatMap(RateLimit.make({ pause: "5 seconds" })(node), ({ request }) =>
      repeated(5, request("getSlot", []))(note)
    )
  },
  "calls that are retried": () => (note) =>
    Effect.flatMap(
      Retry.make({ maxAttempts: 20, timeout: "8 seconds" })(fake({ request: () => fail("Transport") })),
      (node) => repeated(2, node.request("getSlot", []))(note)
    ),
  "calls behind a circuit": () => (note) =>
    Effect.gen(function* () {
      const [calls, subscriptions] = [yield* CircuitBreaker.circuit({ failures: 2 }), yield* CircuitBreaker.circuit()]
      const node = fake({ request: (_, __, nth) => (nth < 4 ? fail("Transport") : Effect.succeed(nth)) })
      const { request } = CircuitBreaker.protect({ calls, subscriptions })(node)
      yield* repeated(
        40,
        Effect.zipLeft(request("getSlot", []), Effect.sleep(300)).pipe(Effect.tapErrorCause(() => Effect.sleep(300)))
      )(note)
    }),
  "an endpoint's health": () => (note) =>
    Effect.gen(function* () {
      const meter = Health.meter("fake")
      const { request } = Health.observe(meter)(
        fake({ request: () => Effect.zipRight(Effect.sleep(500), fail("Transport")) })
      )
      yield* Effect.forEach(Array.from({ length: 10 }), () =>
        Effect.zipRight(
          Effect.either(request("getSlot", [])),
          Effect.flatMap(Clock.monotonicMillis, (now) => note(meter.snapshot(now)))
        )
      )
    }),
  "a subscription that is lost again and again": () => (note) =>
    Effect.gen(function* () {
      const node = sockets()
      const transport = yield* Reconnect.make()(fake({ subscribe: node.subscribe }))
      const { story } = yield* watch(transport.subscribe("account", ["address"]))
      yield* Effect.forEach(Array.from({ length: 8 }), () =>
        node.cut.pipe(
          Effect.zipRight(Effect.sleep("1500 millis")),
          Effect.zipRight(Effect.suspend(() => note([...story()])))
        )
      )
    }),
  "a socket that falls silent": () => (note) =>
    Effect.gen(function* () {
      const node = sockets()
      const transport = yield* Heartbeat.make({ idleTimeout: "4 seconds" })(fake({ subscribe: node.subscribe }))
      const { fiber } = yield* watch(transport.subscribe("account", ["address"]))
      yield* Effect.forkScoped(Effect.flatMap(fiber.await, () => note("lost")))
      yield* Effect.forEach(Array.from({ length: 5 }), () =>
        Effect.zipRight(Effect.sleep("1 second"), node.notify(1, "slot"))
      )
      yield* Effect.never
    }),
  "memory that is idle": () => (note) =>
    Effect.gen(function* () {
      const pool = yield* BufferPool.make({ idleTimeout: "5 seconds" })
      yield* Effect.scoped(pool.lease)
      yield* Effect.forEach(Array.from({ length: 10 }), () =>
        Effect.zipRight(Effect.sleep("1 second"), Effect.flatMap(pool.stats, note))
      )
    })
}

const embeddedChain: Effect.Effect<Scenario, unknown, Scope.Scope> = EmbeddedCluster.layer({
  blockMode: "interval",
  genesisTime: 1_700_000_000n,
  podProgram: false
}).pipe(
  Layer.build,
  Effect.flatMap((context) => Effect.provide(EmbeddedCluster.EmbeddedCluster, context)),
  Effect.map(
    ({ request }): Scenario =>
      (note) =>
        Effect.forEach(Array.from({ length: 10 }), () =>
          Effect.gen(function* () {
            yield* Effect.sleep("1 second")
            const slot = yield* request("getSlot", [])
            yield* note([slot, yield* request("getBlockTime", [slot])])
          })
        )
  )
)

const jumps = FastCheck.array(
  FastCheck.record({
    step: FastCheck.integer({ min: 0, max: STEPS - 1 }),
    millis: FastCheck.constantFrom(-24 * HOUR, -HOUR, -1000, 1000, HOUR, 24 * HOUR)
  }),
  { minLength: 1, maxLength: 3 }
)

describe("the wall clock is set while something waits", () => {
  const all = Object.entries(scenarios).map(([name, scenario]) => [name, Effect.sync(scenario)] as const)
  for (const [name, scenario] of [...all, ["an embedded chain", embeddedChain] as const]) {
    it(`Given ${name}, When the wall clock jumps forth and back, Then everything happens at the same time as without a jump`, async () => {
      const expected = await Effect.runPromise(story(scenario, []))
      assert.isAbove(expected.length, 0)
      await FastCheck.assert(
        FastCheck.asyncProperty(jumps, async (jumps) => {
          assert.deepStrictEqual(await Effect.runPromise(story(scenario, jumps)), expected)
        }),
        { numRuns: runs(5) }
      )
    })
  }

  for (const [what, millis, waits, fetches] of [
    ["the machine was suspended for an hour", HOUR, "0 seconds", 2],
    ["the wall clock went back an hour", -HOUR, "4 seconds", 1],
    ["the wall clock went back an hour and the blockhash got old", -HOUR, "11 seconds", 2]
  ] as const) {
    it.effect(`Given a blockhash, When ${what}, Then ${fetches - 1} more is fetched for the next signature`, () => {
      let fetched = 0
      const counting = FakeNode.make({
        getLatestBlockhash: () =>
          Effect.sync(() => {
            fetched++
            return { slot: 100n, value: { blockhash: FakeNode.blockhashOf(fetched), lastValidBlockHeight: 240n } }
          })
      })
      return Effect.gen(function* () {
        const { clock, jump } = yield* WallClock.make
        const wallet = yield* walletOf(81)
        const { sign } = yield* Transactions.Transactions
        const signed = (amount: bigint) =>
          sign([transfer(wallet.address, STRANGER, amount)]).pipe(
            Effect.provideService(Wallet, wallet),
            Effect.withClock(clock)
          )
        yield* signed(1n)
        jump(millis)
        yield* TestClock.adjust(waits)
        yield* signed(2n)
        assert.strictEqual(fetched, fetches)
      }).pipe(Effect.provide(Transactions.layer().pipe(Layer.provide(counting.layer))))
    })
  }
})
