import { describe, expect, it } from "@effect/vitest"
import type { Address } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Mailbox from "effect/Mailbox"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Cache from "../../services/Cache.js"
import * as CacheInvalidator from "../../services/CacheInvalidator.js"
import * as CacheStore from "../../services/CacheStore.js"
import * as Turns from "../../services/internal/eventLoop.js"
import * as StoreKey from "../../services/internal/storeKey.js"
import * as ProtocolEvents from "../../services/ProtocolEvents.js"
import * as RpcPool from "../../services/RpcPool.js"
import { RpcError } from "../../services/RpcTransport.js"
import * as Account from "../../src/protocol/Account.js"
import * as AccountType from "../../src/protocol/AccountType.js"
import { PROGRAM_ID } from "../../src/protocol/Program.js"
import * as ProtocolEvent from "../../src/protocol/ProtocolEvent.js"
import * as Addresses from "../../src/solana/Address.js"
import * as Chain from "../support/cachedChain.js"
import * as Eventful from "../support/eventful.js"
import * as Story from "../support/story.js"

const isLong = process.env["FUZZ_RUNS"] !== undefined

const { agentOf } = Chain

type Source = Either.Either<ProtocolEvents.Batch, ProtocolEvents.EventsError>

const cursor = (slot: bigint) => new ProtocolEvents.Cursor({ program: PROGRAM_ID, genesis: Chain.GENESIS, slot })

/** Events that the test tells, and where the service began to read them. */
const told = Effect.gen(function* () {
  const starts: Array<ProtocolEvents.StreamOptions["from"]> = []
  const gaps: Array<ProtocolEvents.StreamOptions["onGap"]> = []
  const source = yield* Mailbox.make<Source>()
  const events = ProtocolEvents.ProtocolEvents.of({
    stream: () => Stream.never,
    batches: ({ from, onGap } = {}) => {
      starts.push(from)
      gaps.push(onGap)
      return Stream.repeatEffect(Effect.flatten(Effect.orDie(source.take)))
    }
  })
  const tell = (told: Source) => Effect.zipRight(source.offer(told), Effect.forEach(Array(20).fill(0), Effect.yieldNow))
  return {
    starts,
    gaps,
    layer: Layer.succeed(ProtocolEvents.ProtocolEvents, events),
    cursor,
    fail: (error: ProtocolEvents.EventsError) => tell(Either.left(error)),
    current: (slot: bigint) => tell(Either.right({ items: [], cursor: cursor(slot), isCurrent: true })),
    events: (slot: bigint, ...events: ReadonlyArray<ProtocolEvent.ProtocolEvent>) =>
      tell(
        Either.right({
          items: events.map((event) => ({ event, cursor: cursor(slot) })),
          cursor: cursor(slot),
          isCurrent: false
        })
      )
  }
})

const SIGNATURE = Schema.decodeUnknownSync(ProtocolEvent.ProtocolEvent.members[0].fields.signature)("1".repeat(64))

const updated = (agent: Address, slot: bigint) =>
  new ProtocolEvent.AgentUpdated({
    signature: SIGNATURE,
    slot,
    path: "0",
    blockTime: Option.none(),
    accounts: [agent],
    agent,
    wallet: agent,
    capabilities: Option.none(),
    metadataUri: Option.none()
  })

const unreadable = (slot: bigint) =>
  ProtocolEvent.unreadable({ signature: SIGNATURE, slot, blockTime: Option.none() }, "a newer version")

const uriOf = (name: number) =>
  Effect.flatMap(Cache.Cache, (cache) => cache.account(AccountType.agent, agentOf(name).address)).pipe(
    Effect.map(({ account }) => account.metadataUri)
  )

const write = (name: number, uri: string) => Effect.flatMap(Chain.Chain, (chain) => chain.write(name, uri))

/** A chain of agents, a cache of it, and the invalidator over events that the test tells. */
const withEvents = <A, E>(
  body: (
    source: Effect.Effect.Success<typeof told>
  ) => Effect.Effect<A, E, Cache.Cache | CacheInvalidator.CacheInvalidator | Chain.Chain>
) =>
  Effect.flatMap(told, (source) =>
    Effect.provide(
      body(source),
      CacheInvalidator.layer().pipe(Layer.provideMerge(Chain.layer()), Layer.provide(source.layer))
    )
  )

const isBehind = Effect.flatMap(CacheInvalidator.CacheInvalidator, ({ caughtUp }) =>
  Effect.map(
    Effect.timeoutOption(caughtUp, 0).pipe(Effect.fork, Effect.tap(TestClock.adjust(0)), Effect.flatMap(Fiber.join)),
    Option.isNone
  )
)

describe("CacheInvalidator, the events that it is told", () => {
  it.effect("Given a cached agent, When its event comes, Then the next read asks for the event's slot or later", () =>
    withEvents((source) =>
      Effect.gen(function* () {
        yield* write(1, "https://a.example/1")
        yield* source.current(1n)
        expect(yield* uriOf(1)).toBe("https://a.example/1")
        const slot = yield* write(1, "https://a.example/2")
        expect(yield* uriOf(1)).toBe("https://a.example/1")
        yield* source.events(slot, updated(agentOf(1).address, slot))
        expect(yield* uriOf(1)).toBe("https://a.example/2")
        const { applied } = yield* CacheInvalidator.CacheInvalidator
        expect(Option.getOrThrow(yield* Stream.runHead(applied)).slot).toBe(slot)
      })
    )
  )

  it.effect(
    "Given no word of the events yet, When accounts and tagged values are read, Then they live for 30 seconds",
    () =>
      withEvents((source) =>
        Effect.gen(function* () {
          const numbers = yield* Cache.namespace("numbers", Schema.Number)
          let load = 0
          const tagged = numbers.getOrLoad(
            "tagged",
            Effect.sync(() => ++load),
            { tags: ["agent:x"] }
          )
          yield* numbers.set("plain", 7)
          yield* write(1, "https://a.example/1")
          expect([yield* uriOf(1), yield* tagged]).toEqual(["https://a.example/1", 1])
          yield* write(1, "https://a.example/2")
          yield* TestClock.adjust("29 seconds")
          expect([yield* uriOf(1), yield* tagged]).toEqual(["https://a.example/1", 1])
          yield* TestClock.adjust("1 seconds")
          expect([yield* uriOf(1), yield* tagged]).toEqual(["https://a.example/2", 2])
          expect(yield* numbers.get("plain")).toEqual(Option.some(7))
          // What is read from now on is covered; what was read before is not.
          yield* write(2, "https://a.example/1")
          yield* uriOf(2)
          yield* TestClock.adjust(1)
          yield* source.current(1n)
          expect(yield* isBehind).toBe(false)
          yield* write(3, "https://a.example/1")
          yield* uriOf(3)
          yield* write(2, "https://a.example/2")
          yield* write(3, "https://a.example/2")
          for (let at = 0; at < 8; at++) yield* Effect.zipRight(TestClock.adjust("5 seconds"), source.current(1n))
          expect(yield* uriOf(2)).toBe("https://a.example/2")
          expect(yield* uriOf(3)).toBe("https://a.example/1")
        })
      )
  )

  it.effect(
    "Given events that fall silent, When they go on without a loss, Then times to live are short only in between",
    () =>
      withEvents((source) =>
        Effect.gen(function* () {
          yield* source.current(1n)
          yield* write(1, "https://a.example/1")
          yield* uriOf(1)
          yield* write(1, "https://a.example/2")
          yield* TestClock.adjust("9 seconds")
          expect(yield* isBehind).toBe(false)
          yield* TestClock.adjust("1 seconds")
          expect(yield* isBehind).toBe(true)
          yield* TestClock.adjust("10 seconds")
          expect(yield* uriOf(1)).toBe("https://a.example/1")
          yield* source.current(1n)
          expect(yield* isBehind).toBe(false)
          for (let at = 0; at < 8; at++) yield* Effect.zipRight(TestClock.adjust("5 seconds"), source.current(1n))
          expect(yield* uriOf(1)).toBe("https://a.example/1")
          yield* TestClock.adjust("30 seconds")
          expect(yield* uriOf(1)).toBe("https://a.example/2")
        })
      )
  )

  it.effect("Given a stream that fails, When it is followed again, Then it goes on where it stood", () =>
    withEvents((source) =>
      Effect.gen(function* () {
        yield* source.current(5n)
        yield* source.fail(new RpcError({ reason: "Node", method: "getSlot", detail: "test" }))
        expect(yield* isBehind).toBe(true)
        yield* TestClock.adjust("30 seconds")
        yield* source.fail(new ProtocolEvents.Overflow({ cursor: source.cursor(9n) }))
        yield* TestClock.adjust("30 seconds")
        yield* source.current(9n)
        expect(yield* isBehind).toBe(false)
        expect(source.starts).toEqual(["now", source.cursor(5n), source.cursor(9n)])
        // A cursor that the cluster refuses is of another one.
        const refused = yield* Effect.flip(
          Effect.scoped(CacheInvalidator.make({ patience: 0 }).pipe(Effect.provide(source.layer)))
        )
        yield* source.fail(refused)
        yield* TestClock.adjust("30 seconds")
        yield* source.current(0n)
        expect(source.starts.at(-1)).toBe("now")
      })
    )
  )

  for (const [what, lose] of [
    [
      "a pruned history",
      (source: Effect.Effect.Success<typeof told>) =>
        Effect.suspend(() => {
          const onGap = source.gaps.at(-1)
          return typeof onGap === "function"
            ? onGap(new ProtocolEvents.HistoryLost({ from: 2n, to: 4n }))
            : Effect.die("")
        })
    ],
    [
      "a transaction that cannot be read",
      (source: Effect.Effect.Success<typeof told>) => source.events(3n, unreadable(3n))
    ]
  ] as const) {
    it.effect(
      `Given ${what}, When it is met, Then what was read before lives for 30 seconds, and later reads longer`,
      () =>
        withEvents((source) =>
          Effect.gen(function* () {
            yield* source.current(1n)
            yield* write(1, "https://a.example/1")
            yield* uriOf(1)
            yield* write(1, "https://a.example/2")
            yield* TestClock.adjust(1)
            yield* lose(source)
            yield* source.current(4n)
            expect(yield* isBehind).toBe(false)
            yield* write(2, "https://a.example/1")
            yield* uriOf(2)
            yield* write(2, "https://a.example/2")
            for (let at = 0; at < 8; at++) yield* Effect.zipRight(TestClock.adjust("5 seconds"), source.current(4n))
            expect(yield* uriOf(1)).toBe("https://a.example/2")
            expect(yield* uriOf(2)).toBe("https://a.example/1")
          })
        )
    )
  }

  it.effect("Given patterns, When they are invalidated, Then exactly what they cover goes", () =>
    withEvents(() =>
      Effect.gen(function* () {
        const { invalidatePattern } = yield* CacheInvalidator.CacheInvalidator
        const { address } = agentOf(1)
        const texts = yield* Cache.namespace("texts", Schema.String)
        const tags = ["agent", `agent:${address}`, `agent:${address}:profile`, `agent:${address}1`, "discovery:x"]
        const gone = (pattern: string) =>
          Effect.gen(function* () {
            for (const tag of tags) yield* texts.set(tag, tag, { tags: [tag] })
            yield* invalidatePattern(pattern)
            const left = yield* Effect.filter(tags, (tag) => Effect.map(texts.get(tag), Option.isNone))
            return left.map((tag) => tag.replace(address, "A"))
          })
        expect(yield* gone(`agent:${address}*`)).toEqual(["agent:A", "agent:A:profile"])
        expect(yield* gone(`agent:${address}:*`)).toEqual(["agent:A", "agent:A:profile"])
        expect(yield* gone(`agent:${address}`)).toEqual(["agent:A"])
        expect(yield* gone("agent*")).toEqual(["agent", "agent:A", "agent:A:profile", "agent:A1"])
        expect(yield* gone("discovery*")).toEqual(["discovery:x"])
        expect(yield* gone("nothing*")).toEqual([])
        expect((yield* gone("*")).length).toBe(tags.length)
        yield* write(1, "https://a.example/1")
        yield* uriOf(1)
        yield* write(1, "https://a.example/2")
        yield* invalidatePattern("channel*")
        expect(yield* uriOf(1)).toBe("https://a.example/1")
        yield* invalidatePattern(`agent:${address}*`)
        expect(yield* uriOf(1)).toBe("https://a.example/2")
        for (const bad of ["", "a*b", `discovery:*${address}*`, "**", "a:b:c:d:e:f:g:h:i*", "x".repeat(201)]) {
          expect(yield* Effect.flip(invalidatePattern(bad))).toMatchObject({ _tag: "InvalidInput", field: "pattern" })
        }
      })
    )
  )

  it.scoped("Given options out of range, When built, Then the error names the option", () =>
    Effect.gen(function* () {
      const source = yield* told
      const refused = (options: CacheInvalidator.Options) =>
        CacheInvalidator.make(options).pipe(
          Effect.provide(Layer.merge(source.layer, Cache.layerTest({}))),
          Effect.flip,
          Effect.map(({ field }) => field)
        )
      expect(yield* refused({ patience: 99 })).toBe("patience")
      expect(yield* refused({ patience: Infinity })).toBe("patience")
      expect(yield* Effect.flip(Effect.scoped(Cache.makeMemory({ uncoveredTtl: -1 })))).toMatchObject({
        field: "uncoveredTtl"
      })
    }).pipe(Effect.provide(Chain.chain))
  )
})

/** A cache of two levels, read by everyone, and the invalidator over the cluster's own events. */
const onCluster = (options: Eventful.Options = {}) => {
  const store = CacheStore.layerMemory()
  return CacheInvalidator.layer({ patience: "500 millis" }).pipe(
    Layer.provideMerge(Cache.layer({ uncoveredTtl: "50 millis" })),
    Layer.provideMerge(Layer.orDie(store)),
    Layer.provideMerge(Eventful.layer(options))
  )
}

/** The account through a cache, by the tag of its type. */
const through = ({ account }: Cache.Service, tag: Account.AccountTag, address: Address) => {
  const of = <A extends Account.Account>(type: AccountType.AccountType<A>): Effect.Effect<Account.Account, unknown> =>
    Effect.map(account(type, address), ({ account }) => account)
  switch (tag) {
    case "AgentAccount":
      return of(AccountType.agent)
    case "DirectMessage":
      return of(AccountType.directMessage)
    case "ChannelAccount":
      return of(AccountType.channel)
    case "ChannelParticipant":
      return of(AccountType.participant)
    case "ChannelInvitation":
      return of(AccountType.invitation)
    case "ChannelMessage":
      return of(AccountType.channelMessage)
    case "EscrowAccount":
      return of(AccountType.escrow)
  }
}

/** What a cache and the chain have. */
const read = ({ address, data }: RpcPool.AccountInfo, cache: Cache.Service) => {
  const chain = Either.getOrThrow(Account.decodeAny(data))
  return Effect.map(through(cache, chain._tag, address), (account) => ({ account, chain }))
}

const untilApplied = (slot: bigint) =>
  Effect.flatMap(CacheInvalidator.CacheInvalidator, ({ applied }) =>
    Stream.runDrain(Stream.takeUntil(applied, (cursor) => cursor.slot >= slot))
  )

describe("CacheInvalidator on a cluster", () => {
  it.live(
    "Given every account is read all the time, When others use each instruction, Then both levels equal the chain in the end",
    () =>
      Effect.gen(function* () {
        const pool = yield* RpcPool.RpcPool
        const cache = yield* Cache.Cache
        const listed = Effect.map(pool.getProgramAccounts(PROGRAM_ID), ({ value }) => value)
        const reading = yield* listed.pipe(
          Effect.flatMap(Effect.forEach((info) => read(info, cache), { discard: true })),
          // An account that was closed in between.
          Effect.ignore,
          Effect.zipRight(Effect.sleep("1 millis")),
          Effect.forever,
          Effect.fork
        )
        yield* Effect.flatMap(CacheInvalidator.CacheInvalidator, ({ caughtUp }) => caughtUp)
        const signatures = yield* Story.play
        yield* untilApplied(Option.getOrThrow(Option.fromNullable((yield* Eventful.eventsOf(signatures)).at(-1))).slot)
        yield* Fiber.interrupt(reading)
        const infos = yield* listed
        expect(infos.length).toBeGreaterThan(10)
        // Another cache over the same store has nothing but the second level.
        const second = yield* Cache.make()
        for (const info of infos) {
          for (const level of [cache, second]) {
            const { account, chain } = yield* read(info, level)
            expect(account).toEqual(chain)
          }
        }
      }).pipe(Effect.scoped, Effect.provide(onCluster()))
  )

  it.live(
    "Given endpoints that stop to answer, When they are back, Then it was behind meanwhile and has caught up",
    () => {
      let isDown = false
      const down = Effect.fail(new RpcError({ reason: "Transport", method: "getSlot", detail: "down" }))
      return Effect.gen(function* () {
        const cache = yield* Cache.Cache
        const { caughtUp } = yield* CacheInvalidator.CacheInvalidator
        const { agent } = Eventful.sender
        const capabilities = Effect.map(cache.account(AccountType.agent, agent), ({ account }) => account.capabilities)
        yield* Eventful.begin
        yield* caughtUp
        yield* capabilities
        isDown = true
        yield* Effect.repeat(Effect.sleep("20 millis"), {
          until: () => Effect.map(Effect.timeoutOption(caughtUp, "1 millis"), Option.isNone)
        })
        // It is read again though nothing says that it changed.
        const { network } = yield* cache.stats
        yield* Effect.sleep("60 millis")
        yield* capabilities
        expect((yield* cache.stats).network).toBe(network + 1)
        isDown = false
        yield* caughtUp
        yield* capabilities
      }).pipe(
        Effect.provide(
          onCluster({
            spoil: (pool) => ({ getSlot: (options) => Effect.suspend(() => (isDown ? down : pool.getSlot(options))) })
          })
        )
      )
    }
  )

  it.effect(
    "Given events as fast as they can be told, When each has come, Then both levels know it within a few turns of the event loop",
    () =>
      Effect.gen(function* () {
        const source = yield* told
        const keyOf = StoreKey.make(Chain.GENESIS, PROGRAM_ID)
        const count = isLong ? 1000 : 100
        const most = yield* Effect.gen(function* () {
          const chain = yield* Chain.Chain
          const store = yield* CacheStore.CacheStore
          let most = 0
          for (let at = 1; at <= count; at++) {
            const { address } = agentOf(at % 20)
            const slot = yield* chain.write(at % 20, `https://a.example/${at}`)
            yield* source.events(slot, updated(address, slot))
            // The first level gives nothing older from now on.
            expect(yield* uriOf(at % 20)).toBe(`https://a.example/${at}`)
            const row = Effect.map(store.get(keyOf("account", Addresses.toBytes(address))), Option.getOrUndefined)
            let turns = 0
            while (((yield* row)?.slot ?? 0n) < slot) {
              turns++
              yield* Turns.next
            }
            most = Math.max(most, turns)
          }
          return most
        }).pipe(
          Effect.provide(
            CacheInvalidator.layer().pipe(
              Layer.provideMerge(Cache.layer()),
              Layer.provideMerge(CacheStore.layerMemory()),
              Layer.provideMerge(Chain.chain),
              Layer.provide(source.layer)
            )
          )
        )
        expect(most).toBeLessThanOrEqual(8)
      })
  )

  it.effect("Given many values of one tag, When it is invalidated, Then nothing is searched", () =>
    withEvents(() =>
      Effect.gen(function* () {
        const { invalidatePattern } = yield* CacheInvalidator.CacheInvalidator
        const numbers = yield* Cache.namespace("numbers", Schema.Number)
        const timed = Effect.map(
          Effect.sync(() => performance.now()),
          (start) => Effect.sync(() => performance.now() - start)
        )
        const costOf = (count: number) =>
          Effect.gen(function* () {
            for (let at = 0; at < count; at++) yield* numbers.set(`n${at}`, at, { tags: ["channel:7:messages"] })
            const took = yield* timed
            for (let round = 0; round < 100; round++) yield* invalidatePattern("channel:7*")
            return (yield* took) / 100
          })
        yield* costOf(10)
        const few = yield* costOf(10)
        const many = yield* costOf(isLong ? 90_000 : 3000)
        if (isLong) process.stderr.write(`an invalidation of 10 values ${few} ms, of 90,000 ${many} ms\n`)
        expect(many).toBeLessThan(10 * few + 1)
        expect(yield* numbers.get("n5")).toEqual(Option.none())
      })
    )
  )
})
