/**
 * The recent blockhash of a service, shared by all callers.
 *
 * - Callers at the same time share one fetch. The fetch belongs to the service, so interrupting a caller does not end it.
 * - If the blockhash is older than half its time to live, callers still get it, and the next one is fetched in the
 *   background.
 * - The age of a blockhash counts from the request for it, not from the reply.
 * - A fetch ends by the deadline of the caller that started it. If it fails for this reason, a caller with more time
 *   fetches again.
 */
import type { Blockhash, Signature } from "@solana/kit"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import type * as Scope from "effect/Scope"
import { BoundedCache } from "../../../src/internal/BoundedCache.js"
import { model } from "../../../src/internal/jsonable.js"
import * as Deadline from "../../Deadline.js"
import * as Clock from "../../internal/clock.js"
import * as Measured from "../../internal/measured.js"
import * as Metrics from "../../Metrics.js"
import { RpcError } from "../../RpcTransport.js"
import type { BlockhashLifetime } from "../../SignedTransaction.js"

/** A slot lasts about 400 ms; the blockhash changes at most once in it. */
const SLOT = Duration.millis(400)

/** Slots to wait for a newer blockhash, about 8 s. A cluster without a new blockhash for that long is stalled. */
const MAX_SLOTS_TO_WAIT = 20

/** Blockhashes whose fetch times are kept: those of at least half an hour. */
const REMEMBERED = 512

export interface LatestBlockhash {
  readonly blockhash: Blockhash
  readonly lastValidBlockHeight: bigint
  /** The slot of the bank that returned the blockhash. */
  readonly slot: bigint
}

/** A blockhash, with the signatures made with it. */
export interface RecentBlockhash extends LatestBlockhash {
  /** Shared by all transactions with this blockhash. */
  readonly lifetime: BlockhashLifetime
  /**
   * Signatures made with the blockhash. The same message signed twice with one blockhash is one transaction: a second
   * transaction needs a newer blockhash.
   */
  readonly signatures: Set<Signature>
}

export interface BlockhashCache {
  /**
   * The recent blockhash. It waits for a fetch only if there is no blockhash, or one older than the time to live. So a
   * caller that signs continuously never waits.
   */
  readonly get: Effect.Effect<RecentBlockhash, RpcError>
  /** The blockhash that `get` would return without a fetch, if there is one. */
  readonly peek: <A, E>(fiber: Fiber.RuntimeFiber<A, E>) => RecentBlockhash | undefined
  /** Waits for a different blockhash, for at most 8 seconds. */
  readonly newerThan: (blockhash: Blockhash) => Effect.Effect<RecentBlockhash, RpcError>
  /** Makes the next caller fetch, unless the blockhash was replaced already. */
  readonly invalidate: (blockhash: Blockhash) => void
  /** The time of the request for a blockhash of the last half hour, on the monotonic clock. */
  readonly fetchedAt: (blockhash: Blockhash) => number | undefined
}

/** Milliseconds that a caller's deadline must exceed the fetch's deadline, so that it fetches again. */
const MORE_TIME = 1000

/** A fetch in progress. It ends by the deadline of the caller that started it. */
interface Fetching {
  readonly shared: Deferred.Deferred<RecentBlockhash, RpcError>
  readonly deadline: number
}

export const make = Effect.fnUntraced(function* (options: {
  readonly fetch: Effect.Effect<LatestBlockhash, RpcError>
  readonly timeToLive: Duration.Duration
}): Effect.fn.Return<BlockhashCache, never, Scope.Scope> {
  const scope = yield* Effect.scope
  const timeToLive = Duration.toMillis(options.timeToLive)
  let latest: RecentBlockhash | undefined
  /** The time of the request for the newest blockhash. `undefined` once it is invalid. */
  let askedAt: Clock.Moment | undefined
  let fetching: Fetching | undefined
  const fetchedAt = new BoundedCache<Blockhash, number>(REMEMBERED)

  const fetch = Effect.fnUntraced(function* (now: Clock.Moment) {
    const shared = Deferred.unsafeMake<RecentBlockhash, RpcError>(FiberId.none)
    const own: Fetching = { shared, deadline: yield* Deadline.Deadline }
    fetching = own
    yield* Effect.interruptible(options.fetch).pipe(
      Effect.map((fetched) => {
        if (latest?.blockhash !== fetched.blockhash) {
          const { blockhash, lastValidBlockHeight } = fetched
          if (fetchedAt.get(blockhash) === undefined) fetchedAt.set(blockhash, now.monotonic)
          latest = {
            blockhash,
            lastValidBlockHeight,
            slot: fetched.slot,
            lifetime: model({ blockhash, lastValidBlockHeight }),
            signatures: new Set()
          }
        }
        askedAt = now
        return latest
      }),
      Effect.onExit((exit) => {
        if (fetching === own) fetching = undefined
        return Deferred.done(shared, exit)
      }),
      Effect.uninterruptible,
      Effect.forkIn(scope)
    )
    return shared
  }, Effect.uninterruptible)

  const peek: BlockhashCache["peek"] = (fiber) => {
    if (latest === undefined || askedAt === undefined) return undefined
    const age = Clock.age(fiber, askedAt)
    if (age >= timeToLive || (age >= timeToLive / 2 && fetching === undefined)) return undefined
    Measured.update(fiber, Metrics.blockhashCacheHits, 1)
    return latest
  }

  const get: Effect.Effect<RecentBlockhash, RpcError> = Effect.withFiberRuntime((fiber) => {
    const known = peek(fiber)
    if (known !== undefined) return Effect.succeed(known)
    const now = Clock.moment(fiber)
    if (latest !== undefined && askedAt !== undefined && Clock.age(fiber, askedAt) < timeToLive) {
      Measured.update(fiber, Metrics.blockhashCacheHits, 1)
      return Effect.as(fetch(now), latest)
    }
    Measured.update(fiber, Metrics.blockhashCacheMisses, 1)
    if (fetching === undefined) return Effect.flatMap(fetch(now), Deferred.await)
    const { deadline, shared } = fetching
    const fetched = Deferred.await(shared)
    return Deadline.of(fiber) < deadline + MORE_TIME
      ? fetched
      : Effect.catchIf(
          fetched,
          ({ reason }) => reason === "Timeout" || reason === "RateLimited",
          () => get
        )
  })

  const invalidate = (blockhash: Blockhash): void => {
    if (latest?.blockhash === blockhash) askedAt = undefined
  }

  const newerThan = Effect.fnUntraced(function* (blockhash: Blockhash) {
    for (let slots = 0; slots < MAX_SLOTS_TO_WAIT; slots++) {
      invalidate(blockhash)
      const recent = yield* get
      if (recent.blockhash !== blockhash) return recent
      yield* Effect.sleep(SLOT)
    }
    return yield* new RpcError({
      reason: "Timeout",
      method: "getLatestBlockhash",
      detail: "the cluster makes no new blockhash, and this transaction was already signed with its newest"
    })
  })

  return { get, peek, newerThan, invalidate, fetchedAt: (blockhash) => fetchedAt.get(blockhash) }
})
