import { assert, describe, it } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as Chunk from "effect/Chunk"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as EmbeddedCluster from "../../../layers/EmbeddedCluster.js"
import * as ProtocolEvents from "../../../services/ProtocolEvents.js"
import { RpcPool } from "../../../services/RpcPool.js"
import { PROGRAM_ID } from "../../../src/protocol/Program.js"
import * as Eventful from "../../support/eventful.js"
import { runs } from "../../support/runs.js"
import * as Story from "../../support/story.js"

const stream = (options?: ProtocolEvents.StreamOptions) =>
  Stream.unwrap(Effect.map(ProtocolEvents.ProtocolEvents, (events) => events.stream(options)))

/** The first items of a stream. */
const first = (count: number, options?: ProtocolEvents.StreamOptions) =>
  Effect.map(Stream.runCollect(Stream.take(stream(options), count)), Chunk.toReadonlyArray)

/** All events of the program so far, with their cursors. */
const soFar = Effect.gen(function* () {
  const expected = yield* Effect.flatMap(Eventful.history(PROGRAM_ID), Eventful.eventsOf)
  return { expected, items: yield* first(expected.length, { from: "beginning" }) }
})

const failure = (options?: ProtocolEvents.StreamOptions) => Effect.flip(Stream.runDrain(stream(options)))

describe("ProtocolEvents", () => {
  it.live(
    "Given the whole story, When it is streamed from the beginning and as it happens, Then both have each event once, in order",
    () =>
      Effect.gen(function* () {
        const listening = yield* Deferred.make<void>()
        const live = yield* stream().pipe(
          Stream.takeUntil(({ event }) => event._tag === "ChannelLeft"),
          Stream.runCollect,
          Effect.fork
        )
        // The stream starts "now": after its first reads.
        yield* Effect.sleep("100 millis")
        yield* Deferred.succeed(listening, undefined)
        const signatures = yield* Story.play
        const expected = yield* Eventful.eventsOf(signatures)
        assert.isAbove(expected.length, 20)
        assert.deepStrictEqual(Eventful.names(yield* Fiber.join(live)), Eventful.names(expected))
        const items = yield* first(expected.length, { from: "beginning" })
        assert.deepStrictEqual(
          items.map(({ event }) => event),
          expected
        )
        const finalized = yield* first(expected.length, { from: "beginning", commitment: "finalized" })
        assert.deepStrictEqual(
          finalized.map(({ event }) => event),
          expected
        )
        const joined = yield* first(3, { from: "beginning", kinds: ["ChannelJoined", "CompressedJoined"] })
        assert.deepStrictEqual(
          joined.map(({ event }) => event._tag),
          ["ChannelJoined", "ChannelJoined", "CompressedJoined"]
        )
      }).pipe(Effect.provide(Eventful.layer()))
  )

  it.live(
    "Given a history, When it is read in batches, Then the last one is current, and its place is the newest",
    () =>
      Effect.gen(function* () {
        const { batches } = yield* ProtocolEvents.ProtocolEvents
        yield* Eventful.begin
        yield* Eventful.sayAll(0, 3)
        const untilCurrent = (from: ProtocolEvents.StreamOptions["from"]) =>
          Effect.map(
            Stream.runCollect(Stream.takeUntil(batches({ from }), ({ isCurrent }) => isCurrent)),
            Chunk.toReadonlyArray
          )
        const read = yield* untilCurrent("beginning")
        const { expected } = yield* soFar
        assert.deepStrictEqual(Eventful.names(read.flatMap(({ items }) => items)), Eventful.names(expected))
        const newest = expected.at(-1)?.slot
        assert.strictEqual(read.at(-1)?.cursor.slot, newest)
        assert.deepStrictEqual(read.at(-1)?.items, [])
        // A stream from there, or from now, is current at once.
        for (const from of [read.at(-1)?.cursor, "now"] as const) {
          const [only, ...more] = yield* untilCurrent(from)
          assert.deepStrictEqual([only?.items, only?.cursor.slot, more], [[], newest, []])
        }
      }).pipe(Effect.provide(Eventful.layer()))
  )

  it.live(
    "Given several transactions in a slot, When they are streamed, Then they come in the order of the block",
    () =>
      Effect.gen(function* () {
        const pool = yield* RpcPool
        yield* Eventful.begin
        yield* Effect.sleep("100 millis")
        const live = yield* Effect.fork(first(40))
        yield* Effect.sleep("200 millis")
        yield* Effect.forEach(Arr.range(1, 40), (number) => Eventful.say(number), { concurrency: 8 })
        const items = yield* Fiber.join(live)
        const slots = Arr.dedupe(items.map(({ event }) => event.slot))
        assert.isBelow(slots.length, 40)
        const blocks = yield* Effect.forEach(slots, (slot) =>
          Effect.flatten(pool.getBlock(slot, { transactionDetails: "signatures" }))
        )
        const signatures = blocks.flatMap(({ signatures }) => signatures)
        assert.deepStrictEqual(
          items.map(({ event }) => event.signature),
          signatures.filter((signature) => items.some(({ event }) => event.signature === signature))
        )
        assert.strictEqual(new Set(Eventful.names(items)).size, 40)
      }).pipe(Effect.provide(Eventful.layer({ cluster: { blockMode: "interval", slotDuration: "30 millis" } })))
  )

  it.live(
    "Given a stream, When it is stopped and resumed at each place and at several, Then nothing is lost, doubled or out of order",
    () =>
      Effect.gen(function* () {
        yield* Eventful.begin
        for (let number = 0; number < 36; number += 3) yield* Eventful.say(number, number + 1, number + 2)
        const { expected, items } = yield* soFar
        assert.deepStrictEqual(Eventful.names(items), Eventful.names(expected))
        const resumed = Effect.fnUntraced(function* (stops: ReadonlyArray<number>) {
          const seen: Array<string> = []
          let from: ProtocolEvents.StreamOptions["from"] = "beginning"
          for (const stop of stops) {
            const taken: ReadonlyArray<ProtocolEvents.Item> = yield* first(stop - seen.length, { from })
            seen.push(...Eventful.names(taken))
            // What is stored is JSON.
            from = Schema.decodeUnknownSync(ProtocolEvents.Cursor)(JSON.parse(JSON.stringify(taken.at(-1)?.cursor)))
          }
          seen.push(...Eventful.names(yield* first(expected.length - seen.length, { from })))
          assert.deepStrictEqual(seen, Eventful.names(expected))
        })
        const places = Arr.range(1, expected.length - 1)
        for (const place of places) yield* resumed([place])
        let seed = 7
        const random = (below: number) => (seed = (seed * 16_807) % 2_147_483_647) % below
        for (let run = 0; run < runs(10); run++) yield* resumed(places.filter(() => random(5) === 0))
      }).pipe(Effect.provide(Eventful.layer({ events: { concurrency: 64 } })))
  )

  it.live(
    "Given lost, doubled and cut notifications and a node that answers null for a while, When events are streamed, Then each comes once, in order",
    () =>
      Effect.gen(function* () {
        yield* Eventful.begin
        const live = yield* Effect.fork(first(60))
        yield* Effect.sleep("100 millis")
        const signatures = yield* Eventful.sayAll(0, 60)
        const expected = yield* Eventful.eventsOf(signatures)
        assert.deepStrictEqual(Eventful.names(yield* Fiber.join(live)), Eventful.names(expected))
      }).pipe(
        Effect.provide(
          Eventful.layer({
            spoil: (pool) => {
              let notification = 0
              const nulls = new Map<string, number>()
              return {
                logsSubscribe: (...options) =>
                  pool.logsSubscribe(...options).pipe(
                    Stream.take(5),
                    Stream.mapConcat((logs) => (++notification % 3 === 0 ? [] : [logs, logs]))
                  ),
                getTransaction: (signature, options) => {
                  const times = nulls.get(signature) ?? 0
                  nulls.set(signature, times + 1)
                  return signature.charCodeAt(5) % 8 === 0 && times < 2
                    ? Effect.succeed(Option.none())
                    : pool.getTransaction(signature, options)
                }
              }
            }
          })
        )
      )
  )

  it.live("Given no subscription at all, When events are streamed, Then the polls find each", () =>
    Effect.gen(function* () {
      yield* Eventful.begin
      const live = yield* Effect.fork(first(5))
      yield* Effect.sleep("100 millis")
      const signatures = yield* Eventful.sayAll(0, 5)
      assert.deepStrictEqual(
        Eventful.names(yield* Fiber.join(live)),
        Eventful.names(yield* Eventful.eventsOf(signatures))
      )
    }).pipe(Effect.provide(Eventful.layer({ spoil: () => ({ logsSubscribe: () => Stream.never }) })))
  )

  it.live("Given a transaction that a node never returns, When events are streamed, Then those behind it wait", () => {
    const node = { hides: true, asked: 0 }
    return Effect.gen(function* () {
      yield* Eventful.begin
      const seen: Array<ProtocolEvents.Item> = []
      yield* Effect.fork(Stream.runForEach(stream(), (item) => Effect.sync(() => seen.push(item))))
      yield* Effect.sleep("100 millis")
      const signatures = yield* Eventful.sayAll(0, 4)
      while (node.asked < 3) yield* Effect.sleep("20 millis")
      assert.deepStrictEqual(seen, [])
      node.hides = false
      while (seen.length < 4) yield* Effect.sleep("20 millis")
      assert.deepStrictEqual(Eventful.names(seen), Eventful.names(yield* Eventful.eventsOf(signatures)))
    }).pipe(
      Effect.provide(
        Eventful.layer({
          spoil: (pool) => ({
            getTransaction: (signature, options) =>
              Effect.suspend(() => {
                if (!node.hides) return pool.getTransaction(signature, options)
                node.asked++
                return Effect.succeed(Option.none())
              })
          })
        })
      )
    )
  })

  it.live(
    "Given a pruned ledger, When a stream starts below it, Then it fails with the lost slots, or tells and goes on",
    () =>
      Effect.gen(function* () {
        const pool = yield* RpcPool
        yield* Eventful.begin
        yield* Eventful.sayAll(0, 3)
        const [, cursor] = yield* Effect.map(first(2, { from: "beginning" }), (items) =>
          items.map(({ cursor }) => cursor)
        )
        if (cursor === undefined) return assert.fail("no cursor")
        yield* Eventful.sayAll(3, 20)
        const start = yield* pool.getFirstAvailableBlock
        for (const from of ["beginning", cursor] as const) {
          const lost = yield* failure({ from })
          assert.strictEqual(lost._tag, "HistoryLost")
          if (lost._tag !== "HistoryLost") return
          assert.deepStrictEqual([lost.from, lost.to], [from === "beginning" ? 0n : cursor.slot + 1n, start - 1n])
          assert.isFalse(lost.isRetryable)
        }
        const kept = yield* Effect.flatMap(Eventful.history(PROGRAM_ID), Eventful.eventsOf)
        const gaps: Array<ProtocolEvents.HistoryLost> = []
        const onGap = (gap: ProtocolEvents.HistoryLost) => Effect.sync(() => gaps.push(gap)).pipe(Effect.asVoid)
        assert.deepStrictEqual(Eventful.names(yield* first(kept.length, { from: cursor, onGap })), Eventful.names(kept))
        assert.deepStrictEqual(
          gaps.map(({ to }) => to),
          [start - 1n]
        )
        assert.strictEqual((yield* first(1, { from: "beginning", onGap: "skip" })).length, 1)
      }).pipe(Effect.provide(Eventful.layer({ cluster: { maxTransactions: 10 } })))
  )

  it.live(
    "Given cursors and options that are none, When a stream starts, Then each is InvalidInput with its name",
    () =>
      Effect.gen(function* () {
        yield* Eventful.begin
        const [item] = yield* first(1, { from: "beginning" })
        if (item === undefined) return assert.fail("no item")
        const json = Schema.encodeSync(ProtocolEvents.Cursor)(item.cursor)
        const cursors: ReadonlyArray<unknown> = [
          { ...json, program: Eventful.sender.wallet },
          { ...json, genesis: Eventful.sender.wallet },
          { ...json, slot: "-1" },
          { ...json, slot: "1.5" },
          { ...json, slot: String(2n ** 64n) },
          { ...json, slot: String(2n ** 64n - 1n) },
          { ...json, slot: "1000000" },
          { ...json, position: { signature: "x", path: "0" } },
          JSON.stringify(json),
          "later",
          null,
          7
        ]
        for (const given of cursors) {
          // @ts-expect-error a caller without types
          const refused = yield* failure({ from: given })
          assert.deepStrictEqual([refused._tag, "field" in refused && refused.field], ["InvalidInput", "from"])
        }
        const others: ReadonlyArray<readonly [object, string]> = [
          [{ commitment: "processed" }, "commitment"],
          [{ kinds: [] }, "kinds"],
          [{ onGap: "wait" }, "onGap"],
          [{ kinds: ["MessageSent", "Nothing"] }, "kinds[1]"]
        ]
        for (const [given, field] of others) {
          const refused = yield* failure(given)
          assert.deepStrictEqual([refused._tag, "field" in refused && refused.field], ["InvalidInput", field])
        }
        // JSON that was parsed but not decoded is a cursor too.
        yield* Eventful.say(1)
        // @ts-expect-error a caller without types
        assert.strictEqual((yield* first(1, { from: json })).length, 1)
        for (const [options, field] of [
          [{ pollInterval: 0 }, "pollInterval"],
          [{ pollInterval: "forever" }, "pollInterval"],
          [{ concurrency: 0 }, "concurrency"],
          [{ concurrency: Number.NaN }, "concurrency"],
          [{ buffer: 0.5 }, "buffer"],
          [{ buffer: 2 ** 53 }, "buffer"]
        ] as const) {
          // @ts-expect-error a caller without types
          const refused = yield* Effect.flip(Effect.scoped(ProtocolEvents.make(options)))
          assert.strictEqual(refused.field, field)
        }
      }).pipe(Effect.provide(Eventful.layer()))
  )

  it.live(
    "Given a slow consumer beside a fast one, When its buffer is full, Then it alone fails, and its cursor goes on",
    () =>
      Effect.gen(function* () {
        yield* Eventful.begin
        const gate = yield* Deferred.make<void>()
        const slow: Array<ProtocolEvents.Item> = []
        const slowly = yield* stream().pipe(
          Stream.runForEach((item) =>
            Effect.zipRight(
              Effect.sync(() => slow.push(item)),
              Deferred.await(gate)
            )
          ),
          Effect.flip,
          Effect.fork
        )
        const fast = yield* Effect.fork(first(60))
        yield* Effect.sleep("100 millis")
        const signatures = yield* Eventful.sayAll(0, 60)
        const expected = Eventful.names(yield* Eventful.eventsOf(signatures))
        assert.deepStrictEqual(Eventful.names(yield* Fiber.join(fast)), expected)
        yield* Deferred.succeed(gate, undefined)
        const overflow = yield* Fiber.join(slowly)
        assert.strictEqual(overflow._tag, "Overflow")
        if (overflow._tag !== "Overflow") return
        assert.isTrue(overflow.isRetryable)
        assert.isBelow(slow.length, 60)
        const rest = yield* first(60 - slow.length, { from: overflow.cursor })
        assert.deepStrictEqual([...Eventful.names(slow), ...Eventful.names(rest)], expected)
      }).pipe(Effect.provide(Eventful.layer({ events: { buffer: 16 } })))
  )

  it.live("Given a cursor ahead of the node, When its consumer is too slow, Then it continues at that cursor", () =>
    Effect.gen(function* () {
      yield* Eventful.begin
      const { batches } = yield* ProtocolEvents.ProtocolEvents
      const { cursor } = Chunk.unsafeHead(yield* Stream.runCollect(Stream.take(batches(), 1)))
      const from = new ProtocolEvents.Cursor({ ...cursor, slot: cursor.slot + 100n })
      const gate = yield* Deferred.make<void>()
      const slow = yield* Effect.fork(Effect.flip(Stream.runForEach(batches({ from }), () => Deferred.await(gate))))
      yield* Effect.sleep("100 millis")
      yield* Eventful.sayAll(0, 10)
      yield* Effect.sleep("300 millis")
      yield* Deferred.succeed(gate, undefined)
      // The events up to it were emitted before.
      assert.deepStrictEqual(yield* Fiber.join(slow), new ProtocolEvents.Overflow({ cursor: from }))
    }).pipe(Effect.provide(Eventful.layer({ events: { buffer: 1 } })))
  )

  it.live(
    "Given a first page that claims a slot of the far future, When a stream is live, Then it emits later events",
    () => {
      let lies = true
      return Effect.gen(function* () {
        yield* Eventful.begin
        yield* Eventful.sayAll(0, 2)
        const live = yield* Effect.fork(first(3))
        yield* Effect.sleep("300 millis")
        const expected = Eventful.names(yield* Effect.flatMap(Eventful.sayAll(2, 3), Eventful.eventsOf))
        lies = false
        assert.deepStrictEqual(Eventful.names(yield* Fiber.join(live)), expected)
      }).pipe(
        Effect.provide(
          Eventful.layer({
            spoil: (pool) => ({
              getSignaturesForAddress: (address, options) =>
                Effect.map(pool.getSignaturesForAddress(address, options), (page) =>
                  lies ? page.map((info, index) => (index === 0 ? { ...info, slot: 2n ** 60n } : info)) : page
                )
            })
          })
        ),
        Effect.timeout("20 seconds")
      )
    }
  )

  it.live(
    "Given twenty consumers, When events come, Then there is one subscription and each transaction is read once",
    () => {
      const counts = { subscriptions: 0, open: 0, transactions: 0 }
      return Effect.gen(function* () {
        yield* Eventful.begin
        const consumers = yield* Effect.forEach(Arr.range(1, 20), () => Effect.fork(first(10)))
        yield* Effect.sleep("200 millis")
        const signatures = yield* Eventful.sayAll(0, 10)
        const expected = Eventful.names(yield* Eventful.eventsOf(signatures))
        for (const consumer of consumers) {
          assert.deepStrictEqual(Eventful.names(yield* Fiber.join(consumer)), expected)
        }
        assert.deepStrictEqual([counts.subscriptions, counts.transactions], [1, 10])
        while (counts.open > 0) yield* Effect.sleep("10 millis")
        // The next consumer starts anew.
        const next = yield* Effect.fork(first(1))
        yield* Effect.sleep("100 millis")
        yield* Eventful.say(77)
        yield* Fiber.join(next)
        assert.strictEqual(counts.subscriptions, 2)
      }).pipe(
        Effect.provide(
          Eventful.layer({
            spoil: (pool) => ({
              logsSubscribe: (...options) =>
                Stream.unwrapScoped(
                  Effect.as(
                    Effect.acquireRelease(
                      Effect.sync(() => {
                        counts.subscriptions++
                        counts.open++
                      }),
                      () => Effect.sync(() => counts.open--)
                    ),
                    pool.logsSubscribe(...options)
                  )
                ),
              getTransaction: (...options) => {
                counts.transactions++
                return pool.getTransaction(...options)
              }
            })
          })
        )
      )
    }
  )

  it.live("Given consumers that are interrupted while the first read hangs, When another starts, Then it works", () => {
    let hangs = true
    return Effect.gen(function* () {
      yield* Eventful.begin
      const stuck = yield* Effect.forEach(Arr.range(1, 5), () => Effect.fork(first(1, { from: "beginning" })))
      yield* Effect.sleep("50 millis")
      yield* Effect.forEach(stuck, Fiber.interrupt)
      hangs = false
      assert.strictEqual((yield* first(1, { from: "beginning" })).length, 1)
    }).pipe(
      Effect.provide(
        Eventful.layer({
          spoil: (pool) => ({ getGenesisHash: Effect.suspend(() => (hangs ? Effect.never : pool.getGenesisHash)) })
        })
      )
    )
  })

  it.live(
    "Given a layer for tests, When it is streamed, Then its events come behind the cursor, and the stream ends",
    () =>
      Effect.gen(function* () {
        const events = yield* Effect.provide(
          Effect.flatMap(Eventful.begin, (signature) => Eventful.eventsOf([signature])),
          Eventful.layer()
        )
        const [registered] = events
        if (registered === undefined) return assert.fail("no event")
        yield* Effect.gen(function* () {
          const all = yield* Stream.runCollect(stream())
          assert.deepStrictEqual(
            Array.from(all, ({ event }) => event),
            events
          )
          const cursor = Chunk.unsafeGet(all, 0).cursor
          assert.strictEqual((yield* Stream.runCollect(stream({ from: cursor }))).length, 0)
          assert.strictEqual((yield* Stream.runCollect(stream({ kinds: ["Invited"] }))).length, 0)
        }).pipe(Effect.provide(ProtocolEvents.layerTest(events)))
      })
  )

  it.live("Given a closed pool, When a stream runs, Then it fails, and its error is the pool's", () =>
    Effect.gen(function* () {
      const refused = yield* Effect.either(Stream.runDrain(stream()))
      assert.isTrue(Either.isLeft(refused) && refused.left._tag === "RpcError")
    }).pipe(
      Effect.provide(
        Eventful.layer({
          spoil: (pool) => ({
            getSlot: () => Effect.mapError(pool.request("noSuchMethod"), (error) => error).pipe(Effect.as(0n))
          })
        })
      )
    )
  )

  it.live(
    "Given the cluster, When it has run without transactions, Then a stream from now costs nothing but polls",
    () =>
      Effect.gen(function* () {
        const { advanceSlots } = yield* EmbeddedCluster.EmbeddedCluster
        yield* Eventful.begin
        const live = yield* Effect.fork(first(1))
        yield* Effect.sleep("100 millis")
        yield* advanceSlots(50_000)
        yield* Effect.sleep("100 millis")
        const signature = yield* Eventful.say(1)
        assert.deepStrictEqual(
          (yield* Fiber.join(live)).map(({ event }) => event.signature),
          [signature]
        )
      }).pipe(Effect.provide(Eventful.layer()))
  )
})
