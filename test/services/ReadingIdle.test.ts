/** What reading costs while nothing happens: a poll of the history, and nothing else. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Cache from "../../services/Cache.js"
import * as CacheInvalidator from "../../services/CacheInvalidator.js"
import * as CacheStore from "../../services/CacheStore.js"
import * as Discovery from "../../services/Discovery.js"
import * as Turns from "../../services/internal/eventLoop.js"
import * as ProtocolEvents from "../../services/ProtocolEvents.js"
import * as RpcPool from "../../services/RpcPool.js"
import { GENESIS } from "../support/cachedChain.js"

/** A node at which nothing happens, and the calls to it by their names. */
const idleNode = (calls: Map<string, number>) => {
  const counted = <A>(name: string, effect: A): A => {
    calls.set(name, (calls.get(name) ?? 0) + 1)
    return effect
  }
  return RpcPool.layerTest({
    getGenesisHash: Effect.suspend(() => counted("getGenesisHash", Effect.succeed(GENESIS))),
    getSlot: () => Effect.suspend(() => counted("getSlot", Effect.succeed(7n))),
    getFirstAvailableBlock: Effect.suspend(() => counted("getFirstAvailableBlock", Effect.succeed(0n))),
    getProgramAccounts: () =>
      Effect.suspend(() => counted("getProgramAccounts", Effect.succeed({ slot: 7n, value: [] }))),
    getSignaturesForAddress: () => Effect.suspend(() => counted("getSignaturesForAddress", Effect.succeed([]))),
    logsSubscribe: () => Stream.never
  })
}

/** The cache with its invalidator, and the index: all that reads in the background. */
const readers = <E>(events: Layer.Layer<ProtocolEvents.ProtocolEvents, E, RpcPool.RpcPool>) =>
  Layer.mergeAll(CacheInvalidator.layer(), Discovery.layerPersisted({ saveInterval: "1 hour" })).pipe(
    Layer.provideMerge(Cache.layer()),
    Layer.provide(events),
    Layer.provide(CacheStore.layerMemory())
  )

/** Lets time pass in steps, with turns of the event loop between. */
const pass = (seconds: number) =>
  Effect.repeatN(Effect.zipRight(TestClock.adjust("1 second"), Effect.zipRight(Turns.next, Turns.next)), seconds - 1)

const total = (calls: ReadonlyMap<string, number>): number => [...calls.values()].reduce((sum, count) => sum + count, 0)

describe("reading while nothing happens", () => {
  it.effect(
    "Given a cache, an index and events, When a minute passes, Then no call is made but those of the events' polls",
    () =>
      Effect.gen(function* () {
        const calls = new Map<string, number>()
        yield* Effect.gen(function* () {
          yield* pass(10)
          calls.clear()
          yield* pass(60)
          // A poll each 2 seconds asks for the slot, and for the history where that has moved on.
          // With an empty history, it also asks where the ledger begins.
          for (const count of calls.values()) expect(count).toBeLessThanOrEqual(31)
          const ofEvents = new Set(["getSlot", "getSignaturesForAddress", "getFirstAvailableBlock"])
          expect([...calls.keys()].filter((name) => !ofEvents.has(name))).toEqual([])
        }).pipe(Effect.provide(readers(ProtocolEvents.layer()).pipe(Layer.provide(idleNode(calls)))))
      })
  )

  it.effect("Given events of which none come, When an hour passes, Then the cache and the index make no call", () =>
    Effect.gen(function* () {
      const calls = new Map<string, number>()
      yield* Effect.gen(function* () {
        yield* pass(3)
        calls.clear()
        yield* TestClock.adjust("55 minutes")
        expect(total(calls)).toBe(0)
      }).pipe(
        Effect.provide(
          readers(
            Layer.succeed(
              ProtocolEvents.ProtocolEvents,
              ProtocolEvents.ProtocolEvents.of({ stream: () => Stream.never, batches: () => Stream.never })
            )
          ).pipe(Layer.provide(idleNode(calls)))
        )
      )
    })
  )
})
