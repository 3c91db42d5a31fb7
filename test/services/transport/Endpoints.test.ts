import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Deadline from "../../../services/Deadline.js"
import * as Opinion from "../../../services/internal/Opinion.js"
import { SubscriptionError } from "../../../services/RpcTransport.js"
import { SubscriptionObserver } from "../../../services/SubscriptionObserver.js"
import * as Endpoints from "../../../services/transport/Endpoints.js"
import { AttemptsFailed } from "../../../services/transport/failures.js"
import { InvalidInput } from "../../../src/InvalidInput.js"
import { runs } from "../../support/runs.js"
import type { Fake } from "./support.js"
import { fail, failure, fake, node, pool } from "./support.js"

const asked = (transport: Fake, method: string): number =>
  transport.calls.filter((call) => call.method === method).length

const down = { request: () => fail("Transport") }

describe("Endpoints", () => {
  it.scoped(
    "Given endpoints of different clusters, When the pool starts, Then it fails and names the endpoint of the other cluster",
    () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(pool([[node("a")], [node("b", { genesis: "other" })]], {}))
        assert.isTrue(
          error instanceof Endpoints.EndpointsError && error.reason === "WrongGenesis" && error.host === "b"
        )
        assert.include(error.message, "other")
        const unexpected = yield* Effect.flip(pool([[node("a")]], { genesis: "mainnet" }))
        assert.include(unexpected.message, "mainnet")
      })
  )

  it.scoped("Given no endpoint that answers, When the pool starts, Then it fails with host and cause", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(pool([[fake({ host: "a", ...down })]], {}))
      assert.isTrue(error instanceof Endpoints.EndpointsError && error.reason === "Unreachable" && error.host === "a")
      const input = yield* Effect.flip(pool([[node("a"), { roles: ["read"] }]], {}))
      assert.instanceOf(input, InvalidInput)
    })
  )

  it.scoped(
    "Given a time that is no duration above 0, When the pool starts, Then it is InvalidInput before any call",
    () =>
      Effect.gen(function* () {
        for (const field of ["startTimeout", "probeInterval"] as const) {
          for (const value of [0, -1, Number.NaN]) {
            const transport = node("a")
            const error = yield* Effect.flip(pool([[transport]], { [field]: value }))
            assert.include(error, { _tag: "InvalidInput", field })
            assert.strictEqual(transport.calls.length, 0)
          }
        }
      })
  )

  it.scoped(
    "Given an endpoint that is down at the start, When it comes up, Then it is used only if of the same cluster",
    () =>
      Effect.gen(function* () {
        let up = false
        const late = (host: string, genesis: string) =>
          fake({
            host,
            request: (method) =>
              !up
                ? fail("Transport")
                : Effect.succeed(method === "getGenesisHash" ? genesis : method === "getSlot" ? 100 : host)
          })
        const transport = yield* pool([[node("a")], [late("b", "genesis")], [late("c", "other")]], {
          probeInterval: "1 second"
        })
        const membership = Effect.map(transport.status, (all) => all.map((status) => status.membership))
        assert.deepStrictEqual(yield* membership, ["member", "unknown", "unknown"])
        up = true
        yield* TestClock.adjust("3 seconds")
        assert.deepStrictEqual(yield* membership, ["member", "member", "foreign"])
      })
  )

  it.scoped("Given a genesis hash that is no hash, When endpoints are compared, Then it stays unknown or is cut", () =>
    Effect.gen(function* () {
      const logged: Array<unknown> = []
      const logger = Logger.make(({ message }) => void logged.push(message))
      let up = false
      const late = (host: string, genesis: unknown) =>
        fake({ host, request: () => (up ? Effect.succeed(genesis) : fail("Transport")) })
      const [own, noText, long] = [node("a"), { toString: 1, valueOf: 1 }, `\u001b[2J${"x".repeat(100_000)}`]
      const options = { probeInterval: "1 second" } as const
      const transport = yield* pool([[own], [late("b", noText)], [late("c", long)]], options).pipe(
        Effect.provide(Logger.replace(Logger.defaultLogger, logger))
      )
      up = true
      yield* TestClock.adjust("2 seconds")
      const status = yield* transport.status
      assert.deepStrictEqual(
        status.map(({ membership }) => membership),
        ["member", "unknown", "foreign"]
      )
      const before = asked(own, "getSlot")
      yield* TestClock.adjust("2 seconds")
      assert.isAbove(asked(own, "getSlot"), before)
      assert.match(JSON.stringify(logged), /^[ -~]{50,150}…, not genesis.{0,50}$/u)
      const alone = yield* Effect.flip(pool([[late("b", noText)]], {}))
      assert.include(alone, { _tag: "EndpointsError", reason: "Unreachable" })
    })
  )

  it.scoped("Given a relay that serves sendTransaction only, When a transaction is sent, Then the relay gets it", () =>
    Effect.gen(function* () {
      const relay = fake({
        host: "relay",
        request: (method) =>
          method === "sendTransaction" ? Effect.succeed("relay") : fail("Node", { method, code: -32601 })
      })
      const transport = yield* pool(
        [
          [node("a"), { roles: ["read"] }],
          [relay, { roles: ["send"] }]
        ],
        {}
      )
      assert.strictEqual(yield* transport.request("sendTransaction", ["wire"]), "relay")
    })
  )

  it.scoped("Given roles, When calls are made, Then each goes to an endpoint with its role", () =>
    Effect.gen(function* () {
      const transport = yield* pool([
        [node("reader"), { roles: ["read"] }],
        [node("sender"), { roles: ["send"] }]
      ])
      assert.strictEqual(yield* transport.request("getBalance", []), "reader")
      assert.strictEqual(yield* transport.request("sendTransaction", []), "sender")
      assert.strictEqual(yield* transport.request("requestAirdrop", []), "sender")
      const error = yield* Effect.flip(Stream.runDrain(transport.subscribe("slot", [])))
      assert.include(error, { reason: "Refused", isRetryable: false })
    })
  )

  it.scoped(
    "Given equal endpoints of weights 3 and 1, When many reads are in flight, Then they are shared by weight",
    () =>
      Effect.gen(function* () {
        const slow = { request: () => Effect.delay(Effect.void, 1000) }
        const [heavy, light] = [node("heavy", slow), node("light", slow)]
        const transport = yield* pool([[heavy, { weight: 3 }], [light]])
        const fiber = yield* Effect.fork(
          Effect.forEach(Array.from({ length: 400 }), () => transport.request("getBalance", []), {
            concurrency: "unbounded"
          })
        )
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(fiber)
        assert.closeTo(heavy.calls.length, 300, 5)
        assert.closeTo(light.calls.length, 100, 5)
      })
  )

  it.scoped("Given a lagging endpoint, When minContextSlot is set, Then a fresher endpoint is asked before it", () =>
    Effect.gen(function* () {
      const [old, fresh] = [node("old", { slot: 100n }), node("fresh", { slot: 110n })]
      const transport = yield* pool([[old, { weight: 1000 }], [fresh]], { probeInterval: "1 second" })
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* transport.request("getBalance", ["x"]), "old")
      assert.strictEqual(yield* transport.request("getBalance", ["x", { minContextSlot: 105n }]), "fresh")
    })
  )

  describe.each([
    ["far ahead", 1_000_000n],
    ["the highest number", 2n ** 53n - 1n],
    ["ahead by an hour", 9000n]
  ])("Given an endpoint that is %s", (_, ahead) => {
    it.scoped.each([2, 3])("When one of %d, Then the others are asked, now and an hour later", (count) =>
      Effect.gen(function* () {
        let slot = 100_000n
        const claiming = (host: string, by: bigint) =>
          fake({
            host,
            request: (method) =>
              Effect.sync(() => (method === "getSlot" ? slot + by : { context: { slot: slot + by }, value: 1 }))
          })
        const liar = claiming("liar", ahead)
        const others = Array.from({ length: count - 1 }, (_, index) => claiming(`honest ${index}`, 0n))
        const transport = yield* pool([[liar, { weight: 1000 }], ...others.map((other) => [other] as const)], {
          genesis: "any",
          probeInterval: "5 minutes"
        })
        yield* TestClock.adjust("1 second")
        const before = asked(liar, "getBalance")
        for (let time = 0; time < 4; time++) {
          yield* TestClock.adjust("15 minutes")
          slot += 2250n
          yield* transport.request("getBalance", ["x"])
          yield* transport.request("getBalance", ["x", { minContextSlot: slot + ahead }])
        }
        assert.strictEqual(asked(liar, "getBalance"), before)
      })
    )
  })

  it.scoped(
    "Given an endpoint that stood still, When it is 100 slots behind or both went on unseen, Then the newer is asked",
    () =>
      Effect.gen(function* () {
        const slots = { old: 100_000n, fresh: 100_100n }
        const at = (host: keyof typeof slots) =>
          fake({
            host,
            request: (method) =>
              Effect.sync(() => (method === "getSlot" ? slots[host] : { context: { slot: slots[host] }, value: host }))
          })
        const [old, fresh] = [at("old"), at("fresh")]
        const transport = yield* pool([[old, { weight: 1000 }], [fresh]], { genesis: "any" })
        yield* TestClock.adjust("1 second")
        yield* transport.request("getBalance", ["x"])
        assert.strictEqual(asked(fresh, "getBalance"), 1)
        // The machine was suspended for an hour: its clock stood still, and the cluster went on.
        slots.fresh += 9000n
        slots.old += 9000n
        yield* Effect.replicateEffect(transport.request("getBalance", ["x"]), 4)
        yield* TestClock.adjust("6 seconds")
        const before = asked(fresh, "getBalance")
        yield* transport.request("getBalance", ["x"])
        assert.strictEqual(asked(fresh, "getBalance"), before + 1)
      })
  )

  it.effect.prop(
    "Given any endpoints that fail, Then each is asked at most once, in turn, until one answers, and all failures are kept that differ",
    {
      states: FastCheck.array(
        FastCheck.constantFrom("up" as const, "down" as const, "late" as const, "html" as const),
        {
          minLength: 1,
          maxLength: 6
        }
      )
    },
    ({ states }) =>
      Effect.scoped(
        Effect.gen(function* () {
          const nodes = states.map((state, index) =>
            node(`node${index}`, {
              request: () =>
                state === "up"
                  ? Effect.succeed("answer")
                  : state === "down"
                    ? fail("Transport")
                    : state === "late"
                      ? fail("Node", { code: -32005 })
                      : fail("Decode")
            })
          )
          const transport = yield* pool(nodes.map((node) => [node] as const))
          const answer = yield* Effect.either(transport.request("getBalance", []))
          const counts = nodes.map((node) => node.calls.length)
          assert.isTrue(counts.every((count) => count <= 1))
          assert.strictEqual(Either.isRight(answer), states.includes("up"))
          if (Either.isRight(answer)) return
          assert.isTrue(counts.every((count) => count === 1))
          const agree = states.every((state) => state === "late")
          if (states.length > 1 && !agree) {
            assert.instanceOf(answer.left.cause, AttemptsFailed)
            if (answer.left.cause instanceof AttemptsFailed) {
              assert.strictEqual(answer.left.cause.errors.length, states.length)
            }
          }
        })
      ),
    { fastCheck: { numRuns: runs(200) } }
  )

  it.scoped("Given an answer that is an error of the call, When a read fails so, Then no other is asked", () =>
    Effect.gen(function* () {
      const other = node("b")
      const transport = yield* pool([
        [node("a", { request: () => fail("Node", { code: -32602 }) }), { weight: 10 }],
        [other]
      ])
      assert.strictEqual((yield* Effect.flip(transport.request("getBalance", []))).code, -32602)
      assert.strictEqual(other.calls.length, 0)
    })
  )

  it.scoped(
    "Given a deadline and a first endpoint that hangs, When a read is made, Then the second gets its share",
    () =>
      Effect.gen(function* () {
        const transport = yield* pool([[node("a", { request: () => Effect.never }), { weight: 10 }], [node("b")]])
        const fiber = yield* Effect.fork(transport.request("getBalance", []).pipe(Deadline.within("10 seconds")))
        yield* TestClock.adjust("5 seconds")
        assert.strictEqual(yield* Fiber.join(fiber), "b")
      })
  )

  it.scoped(
    "Given hedging, When the first endpoint is slower than it was, Then a second read answers and the first is aborted",
    () =>
      Effect.gen(function* () {
        let hang = false
        let aborted = 0
        const first = node("a", {
          request: () =>
            hang
              ? Effect.onInterrupt(Effect.never, () => Effect.sync(() => aborted++))
              : Effect.delay(Effect.succeed("a"), 50)
        })
        const transport = yield* pool([[first, { weight: 100_000 }], [node("b")]], {
          genesis: "any",
          probeInterval: Infinity,
          hedge: {}
        })
        for (let i = 0; i < 16; i++) {
          const fiber = yield* Effect.fork(transport.request("getBalance", []))
          yield* TestClock.adjust("50 millis")
          yield* Fiber.join(fiber)
        }
        hang = true
        const fiber = yield* Effect.fork(transport.request("getBalance", []))
        yield* TestClock.adjust("49 millis")
        assert.strictEqual(fiber.unsafePoll(), null)
        yield* TestClock.adjust("1 millis")
        assert.strictEqual(yield* Fiber.join(fiber), "b")
        assert.strictEqual(aborted, 1)
      })
  )

  it.scoped(
    "Given an endpoint that accepted a transaction, When others are sent, Then they go to it until it fails",
    () =>
      Effect.gen(function* () {
        let up = true
        const a = node("a", { request: () => (up ? Effect.delay(Effect.succeed("a"), 100) : fail("Transport")) })
        const b = node("b")
        const transport = yield* pool([[a, { weight: 5 }], [b]])
        const send = Effect.gen(function* () {
          const fiber = yield* Effect.fork(transport.request("sendTransaction", ["wire"]))
          yield* TestClock.adjust("100 millis")
          return yield* Fiber.join(fiber)
        })
        assert.deepStrictEqual([yield* send, yield* send, yield* send], ["a", "a", "a"])
        up = false
        assert.deepStrictEqual([yield* send, yield* send], ["b", "b"])
        assert.strictEqual(asked(a, "sendTransaction"), 4)
      })
  )

  it.scoped(
    "Given a broadcast to three, When one accepts the transaction, Then its answer counts and the others still get it",
    () =>
      Effect.gen(function* () {
        let delivered = 0
        const slow = node("slow", {
          request: () =>
            Effect.delay(
              Effect.sync(() => ++delivered),
              1000
            )
        })
        const transport = yield* pool([[node("down", down)], [slow], [node("up")]], {
          genesis: "any",
          probeInterval: Infinity,
          broadcast: 3
        })
        assert.strictEqual(yield* transport.request("sendTransaction", ["wire"]), "up")
        yield* TestClock.adjust("1 second")
        assert.strictEqual(delivered, 1)
      })
  )

  it.scoped("Given a broadcast that all endpoints refuse, When it fails, Then every failure is kept", () =>
    Effect.gen(function* () {
      const transport = yield* pool([[node("a", down)], [node("b", down)]], {
        genesis: "any",
        probeInterval: Infinity,
        broadcast: 2
      })
      const error = yield* Effect.flip(transport.request("sendTransaction", ["wire"]))
      assert.isTrue(error.cause instanceof AttemptsFailed && error.cause.errors.length === 2)
    })
  )

  it.scoped(
    "Given a transaction that may have arrived, When the next endpoint refuses it, Then it does not count as refused",
    () =>
      Effect.gen(function* () {
        const transport = yield* pool([
          [node("a", { request: () => Effect.fail(failure("Timeout", { host: "a" })) }), { weight: 10 }],
          [node("b", { request: () => fail("Node", { code: -32002 }) })]
        ])
        const error = yield* Effect.flip(transport.request("sendTransaction", ["wire"]))
        assert.strictEqual(error.reason, "Timeout")
        assert.isTrue(error.cause instanceof AttemptsFailed && error.cause.errors.length === 2)
      })
  )

  it.scoped("Given a second opinion, When it is asked for, Then it comes from another host than the first", () =>
    Effect.gen(function* () {
      const nodes = [node("a"), node("b"), node("a")]
      const transport = yield* pool(nodes.map((node, index) => [node, { weight: index === 0 ? 10 : 1 }] as const))
      const ask = transport.request("getBalance", ["x"])
      const first = Opinion.first()
      assert.deepStrictEqual(yield* Opinion.by(first)(Effect.all([ask, ask, ask])), ["a", "a", "a"])
      assert.strictEqual(first.hosts, 2)
      const second = Opinion.after(first)
      assert.strictEqual(yield* Opinion.by(second)(ask), "b")
      const third = yield* Effect.flip(Opinion.by(Opinion.after(second))(ask))
      assert.strictEqual(third.reason, "Transport")
    })
  )

  it.scoped(
    "Given an opinion whose first endpoint fails, Then the one that answers serves it, and the other the next",
    () =>
      Effect.gen(function* () {
        const a = node("a", {
          request: (_method, _params, nth) => (nth === 1 ? fail("Transport") : Effect.succeed("a"))
        })
        const b = node("b", {
          request: (method) => (method === "getBalance" ? Effect.succeed("b") : fail("Transport"))
        })
        const transport = yield* pool([[a, { weight: 10 }], [b]])
        const ask = transport.request("getBalance", ["x"])
        const first = Opinion.first()
        assert.deepStrictEqual(yield* Opinion.by(first)(Effect.all([ask, ask])), ["b", "b"])
        assert.deepStrictEqual([...first.answered], ["b"])
        assert.strictEqual(Opinion.left(first), 1)
        const lost = yield* Effect.flip(Opinion.by(first)(transport.request("getEpochInfo", [])))
        assert.strictEqual(lost.reason, "Transport")
        const second = Opinion.after(first)
        assert.strictEqual(yield* Opinion.by(second)(ask), "a")
        assert.strictEqual(Opinion.left(second), 0)
      })
  )

  it.scoped("Given a node that refuses a transaction, When another accepts it, Then the send succeeds", () =>
    Effect.gen(function* () {
      const refusing = node("a", { request: () => fail("Node", { code: -32002 }) })
      const taking = node("b")
      const transport = yield* pool([[refusing, { weight: 10 }], [taking]])
      assert.strictEqual(yield* transport.request("sendTransaction", ["wire"]), "b")
      const all = yield* pool([[refusing], [node("c", { request: () => fail("Node", { code: -32003 }) })]])
      const error = yield* Effect.flip(all.request("sendTransaction", ["wire"]))
      assert.isTrue(error.cause instanceof AttemptsFailed && error.cause.errors.length === 2)
    })
  )

  it.scoped("Given an airdrop whose answer is lost, When it fails, Then no other endpoint is asked", () =>
    Effect.gen(function* () {
      const b = node("b")
      const transport = yield* pool([[node("a", down), { weight: 10 }], [b]])
      assert.strictEqual((yield* Effect.flip(transport.request("requestAirdrop", []))).reason, "Transport")
      assert.strictEqual(asked(b, "requestAirdrop"), 0)
    })
  )

  it.scoped(
    "Given an endpoint without sockets, When subscribing, Then another serves the subscription and reports its slot",
    () =>
      Effect.gen(function* () {
        const refused = new SubscriptionError({ reason: "Connect", method: "accountSubscribe", detail: "refused" })
        const established: Array<unknown> = []
        const b = node("b", {
          slot: 123n,
          subscribe: () =>
            Stream.unwrap(
              Effect.gen(function* () {
                const observer = yield* SubscriptionObserver
                yield* observer.established({ host: "b" })
                return Stream.make(1, 2)
              })
            )
        })
        const transport = yield* pool([[node("a", { subscribe: () => Stream.fail(refused) }), { weight: 10 }], [b]])
        const values = yield* transport.subscribe("account", ["address", { commitment: "confirmed" }]).pipe(
          Stream.provideService(SubscriptionObserver, {
            established: ({ host, slot }) =>
              Effect.map(slot ?? Effect.succeedNone, (slot) => void established.push(host, slot)),
            interrupted: () => Effect.void
          }),
          Stream.runCollect
        )
        assert.deepStrictEqual([...values], [1, 2])
        assert.strictEqual(established[0], "b")
        assert.deepInclude(established[1], { value: 123n })
        assert.deepStrictEqual(b.calls.at(-1)?.params, [{ commitment: "confirmed" }])
      })
  )
})
