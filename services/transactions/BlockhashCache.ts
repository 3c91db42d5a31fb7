/**
 * @since 0.1.0
 */
import type { Blockhash } from "@solana/kit"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import * as Metric from "effect/Metric"
import type * as Scope from "effect/Scope"
import * as Metrics from "../Metrics.js"
import type { RpcError } from "../RpcTransport.js"

/** @internal */
export interface RecentBlockhash {
  readonly blockhash: Blockhash
  readonly lastValidBlockHeight: bigint
  /** The slot of the bank that gave it. */
  readonly slot: bigint
}

/**
 * One recent blockhash for all who sign.
 *
 * @internal
 */
export interface BlockhashCache {
  /** Fetched when there is none, or only one older than the time to live; callers at the same time share one fetch. */
  readonly get: Effect.Effect<RecentBlockhash, RpcError>
  /** Forgets this blockhash; a newer one stays. */
  readonly invalidate: (blockhash: Blockhash) => Effect.Effect<void>
}

/** @internal */
export const make = Effect.fnUntraced(function* (options: {
  readonly fetch: Effect.Effect<RecentBlockhash, RpcError>
  readonly timeToLive: Duration.Duration
}): Effect.fn.Return<BlockhashCache, never, Scope.Scope> {
  const scope = yield* Effect.scope
  const timeToLive = Duration.toMillis(options.timeToLive)
  let latest: { readonly value: RecentBlockhash; readonly until: number } | undefined
  let fetching: Deferred.Deferred<RecentBlockhash, RpcError> | undefined

  // The fetch belongs to the service and not to the caller who came first, whose interruption is his own.
  const fetch = Effect.fnUntraced(function* (now: number) {
    const shared = Deferred.unsafeMake<RecentBlockhash, RpcError>(FiberId.none)
    fetching = shared
    yield* Effect.interruptible(options.fetch).pipe(
      Effect.tap((value) => {
        latest = { value, until: now + timeToLive }
      }),
      Effect.onExit((exit) => {
        fetching = undefined
        return Deferred.done(shared, exit)
      }),
      Effect.uninterruptible,
      Effect.forkIn(scope)
    )
    return shared
  }, Effect.uninterruptible)

  return {
    get: Effect.flatMap(Clock.currentTimeMillis, (now) => {
      if (latest !== undefined && now < latest.until) {
        return Effect.as(Metric.increment(Metrics.blockhashCacheHits), latest.value)
      }
      const shared = fetching === undefined ? fetch(now) : Effect.succeed(fetching)
      return Metric.increment(Metrics.blockhashCacheMisses).pipe(
        Effect.zipRight(shared),
        Effect.flatMap(Deferred.await)
      )
    }),
    invalidate: (blockhash) =>
      Effect.sync(() => {
        if (latest?.value.blockhash === blockhash) latest = undefined
      })
  }
})
