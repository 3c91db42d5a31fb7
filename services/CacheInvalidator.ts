/**
 * Keeps a `Cache` as new as the chain. Each protocol event invalidates the accounts that it changed, and the
 * application's values with the tags of these accounts.
 *
 * The service follows `ProtocolEvents`. Each event raises the fences of its accounts to its slot, and invalidates tags,
 * in both levels of the cache. An invalidated tag includes all tags below it, except where the table says "only".
 *
 * | event | invalidated tags |
 * |---|---|
 * | an agent is registered or updated | `agent:A`, `discovery` |
 * | a channel is created or updated | `channel:C`, `discovery` |
 * | an agent joins or leaves a channel | `channel:C:participants`; only `channel:C` |
 * | a message is broadcast in a channel | `channel:C:messages`, `message:M`; only `channel:C` |
 * | a wallet is invited to a channel | `channel:C:invitations`; only `agent:A` of the inviter |
 * | lamports are deposited or withdrawn | `channel:C:escrows`; only `channel:C` |
 * | a direct message is sent, or its status changes | `message:M`; `inbox:W` of the recipient's wallet, `outbox:W` of the sender's |
 *
 * `A`, `C` and `M` are addresses of accounts, `W` of wallets. A value with the tag `channel:C:messages` stays when an
 * agent joins the channel, and is removed when the channel is updated. An invalidation makes no search: it costs the
 * same for one value with the tag and for a million.
 *
 * While the events are behind, because they are lost or no endpoint answers, accounts and tagged values live at most
 * for the cache's `uncoveredTtl`. The same holds until the first event stream is established.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as PubSub from "effect/PubSub"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Check from "../src/internal/check.js"
import { InvalidInput } from "../src/InvalidInput.js"
import type { ProtocolEvent } from "../src/protocol/ProtocolEvent.js"
import * as Addresses from "../src/solana/Address.js"
import { Cache } from "./Cache.js"
import { changesOf } from "./cacheinvalidator/changes.js"
import { fullJitter } from "./internal/backoff.js"
import * as Clock from "./internal/clock.js"
import * as TestLayer from "./internal/testLayer.js"
import * as Metrics from "./Metrics.js"
import { type Batch, type Cursor, type EventsError, ProtocolEvents, type StreamOptions } from "./ProtocolEvents.js"

/**
 * Options of the service.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The commitment of the events. It should be the commitment of the pool's reads. Default `confirmed`. */
  readonly commitment?: StreamOptions["commitment"]
  /**
   * Maximum silence of the events before the cache counts as behind, 100 ms to 10 minutes. Default 10 seconds. It must
   * be longer than the `pollInterval` of `ProtocolEvents`. Too low: short faults shorten the times to live. Too high:
   * changes during an outage are seen later by that time.
   */
  readonly patience?: Duration.DurationInput | undefined
}

/**
 * The operations of the service.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * Emits the cursor behind the applied events, then each later one. A slow reader skips cursors. After a cursor of
   * slot s, no new read returns a value older than a change of slot s.
   */
  readonly applied: Stream.Stream<Cursor>
  /** Waits until all changes up to now are applied to the cache. Returns at once if they are. */
  readonly caughtUp: Effect.Effect<void>
  /**
   * Invalidates everything that an event changed, at once. The service itself does so for each event of the program.
   */
  readonly apply: (event: ProtocolEvent) => Effect.Effect<void>
  /**
   * Invalidates by a tag (`agent:A`), or by a path and all tags below it (`agent:A*`, `channel:C:messages*`). For
   * `agent:`, `channel:` and `message:` with an address, it also invalidates the account. `*` alone invalidates
   * everything. A `*` elsewhere is `InvalidInput`, because it would need a search.
   */
  readonly invalidatePattern: (pattern: string) => Effect.Effect<void, InvalidInput>
}

/**
 * Applies protocol events to a cache.
 *
 * @example
 * ```ts
 * import { Cache, CacheInvalidator, ProtocolEvents } from "@pod-protocol/effect"
 * import * as Layer from "effect/Layer"
 *
 * // Pod.layer({ url, cache: {}, invalidator: {} }) does the same.
 * export const CacheLive = CacheInvalidator.layer().pipe(
 *   Layer.provideMerge(Cache.layerMemory()),
 *   Layer.provideMerge(ProtocolEvents.layer())
 * )
 * ```
 *
 * @since 0.1.0
 * @category tags
 */
export class CacheInvalidator extends Context.Tag("@pod-protocol/effect/CacheInvalidator")<
  CacheInvalidator,
  Service
>() {}

const MIN_PATIENCE = 100
const MAX_PATIENCE = Duration.toMillis("10 minutes")

/** Bounds of the random wait before events are followed again, in milliseconds. */
const BASE = 250
const CAP = 30_000

/** The accounts that a pattern names with an address behind their kind. */
const ACCOUNT = /^(?:agent|channel|message):([^:]*)$/

const patternError = (rule: string) => new InvalidInput({ field: "pattern", rule })

const checkCommitment = (commitment: unknown): Effect.Effect<void, InvalidInput> =>
  commitment === "confirmed" || commitment === "finalized"
    ? Effect.void
    : new InvalidInput({ field: "commitment", rule: "must be confirmed or finalized" })

/** The state of the followed events. */
interface State {
  isCurrent: boolean
  /** Whether no change was lost since the cache was last marked as covered. */
  isComplete: boolean
  /** Time of the last batch of events, in milliseconds of the monotonic clock. */
  heardAt: number
  from: Cursor | "now"
  failures: number
}

/**
 * Follows the events from now on, until the scope closes. `InvalidInput` for an option out of its range. A failure of
 * the events is logged once, and they are followed again after a wait.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options = {}
): Effect.Effect<Service, InvalidInput, Cache | ProtocolEvents | Scope.Scope> =>
  Effect.gen(function* () {
    const { commitment = "confirmed" } = options
    yield* checkCommitment(commitment)
    const patience = yield* Check.millisBetween(
      "patience",
      options.patience ?? "10 seconds",
      MIN_PATIENCE,
      MAX_PATIENCE
    )
    const cache = yield* Cache
    const { batches } = yield* ProtocolEvents
    const current = yield* Effect.makeLatch(false)
    const hub = yield* PubSub.sliding<Cursor>(1)
    let applied: Cursor | undefined
    const state: State = {
      isCurrent: false,
      isComplete: false,
      heardAt: yield* Clock.monotonicMillis,
      from: "now",
      failures: 0
    }

    yield* Effect.acquireRelease(
      Effect.zipRight(cache.track("behind"), Metric.incrementBy(Metrics.cacheBehind, 1)),
      () =>
        Effect.suspend(() =>
          Effect.zipRight(
            cache.track("off"),
            state.isCurrent ? Effect.void : Metric.incrementBy(Metrics.cacheBehind, -1)
          )
        )
    )

    const fallBehind = (why: string): Effect.Effect<void> =>
      Effect.suspend(() => {
        if (!state.isCurrent) return Effect.void
        state.isCurrent = false
        return Effect.all(
          [
            current.close,
            cache.track("behind"),
            Metric.incrementBy(Metrics.cacheBehind, 1),
            Effect.logWarning(`The cache misses changes now and keeps entries only briefly: ${why}`)
          ],
          { discard: true }
        )
      })

    /** Marks the cache as covered: all changes up to now are applied. */
    const catchUp = Effect.suspend(() => {
      if (state.isCurrent && state.isComplete) return Effect.void
      const wasCurrent = state.isCurrent
      const tracking = state.isComplete ? "resumed" : "restarted"
      state.isCurrent = true
      state.isComplete = true
      return Effect.all(
        [cache.track(tracking), current.open, wasCurrent ? Effect.void : Metric.incrementBy(Metrics.cacheBehind, -1)],
        { discard: true }
      )
    })

    const applyAll = (events: Iterable<ProtocolEvent>): Effect.Effect<void> =>
      Effect.suspend(() => {
        const steps: Array<Effect.Effect<void, InvalidInput>> = []
        const tags = new Set<string>()
        const prefixes = new Set<string>()
        let count = 0
        for (const event of events) {
          const changes = changesOf(event)
          count++
          for (const tag of changes.tags) tags.add(tag)
          for (const prefix of changes.prefixes) prefixes.add(prefix)
          if (changes.accounts.length > 0) steps.push(cache.fence(changes.accounts, event.slot))
          // The accounts that this transaction changed are unknown.
          else state.isComplete = false
        }
        for (const prefix of prefixes) steps.push(cache.invalidate({ prefix }))
        for (const tag of tags) if (!prefixes.has(tag)) steps.push(cache.invalidate({ tag }))
        // The addresses and tags come from events, so they are valid.
        return Effect.zipRight(
          Effect.orDie(Effect.all(steps, { discard: true })),
          Metric.incrementBy(Metrics.cacheEventsApplied, count)
        )
      })

    const take = ({ cursor, isCurrent, items }: Batch): Effect.Effect<void> =>
      Effect.gen(function* () {
        if (items.length > 0) yield* applyAll(items.map(({ event }) => event))
        state.heardAt = yield* Clock.monotonicMillis
        state.failures = 0
        state.from = cursor
        if (applied?.slot !== cursor.slot) {
          applied = cursor
          yield* PubSub.publish(hub, cursor)
        }
        if (isCurrent || (state.isCurrent && !state.isComplete)) yield* catchUp
      })

    const onGap = () =>
      Effect.sync(() => {
        state.isComplete = false
      })

    /** Decides where to continue after a failure. */
    const restartAt = (error: EventsError): void => {
      if (error._tag === "Overflow") state.from = error.cursor
      if (error._tag !== "InvalidInput") return
      // The cursor is of another cluster, and so may be the cached values.
      state.from = "now"
      state.isComplete = false
    }

    /** Follows until the scope closes, or until the events of a test end. */
    const follow: Effect.Effect<void> = Effect.suspend(() =>
      Stream.runForEach(batches({ from: state.from, commitment, onGap }), take)
    ).pipe(
      Effect.exit,
      Effect.flatMap((exit) => {
        if (Exit.isSuccess(exit) || Cause.isInterruptedOnly(exit.cause)) return Effect.void
        const error = Option.getOrUndefined(Cause.failureOption(exit.cause))
        if (error !== undefined) restartAt(error)
        return fallBehind(error?.message ?? Cause.pretty(exit.cause)).pipe(
          Effect.zipRight(Effect.suspend(() => fullJitter(BASE, CAP, state.failures++))),
          Effect.flatMap((wait) => Effect.sleep(wait)),
          Effect.zipRight(follow)
        )
      })
    )

    /** Detects that the events are silent. */
    const watch: Effect.Effect<never> = Effect.forever(
      Effect.flatMap(Clock.monotonicMillis, (now) => {
        const left = state.heardAt + patience - now
        return left > 0
          ? Effect.sleep(left)
          : Effect.zipRight(fallBehind(`no endpoint has answered for ${patience} ms`), Effect.sleep(patience))
      })
    )

    // Interruptible even if the layer is built in an uninterruptible region, because the scope waits for the fibers.
    yield* Effect.forkScoped(Effect.interruptible(follow))
    yield* Effect.forkScoped(Effect.interruptible(watch))

    const invalidatePattern: Service["invalidatePattern"] = (pattern) => {
      if (typeof pattern !== "string" || pattern === "") return patternError("must be a text that is not empty")
      if (pattern === "*") return Effect.mapError(cache.invalidate("all"), ({ rule }) => patternError(rule))
      const isPrefix = pattern.endsWith("*")
      const path = isPrefix ? pattern.slice(0, -1).replace(/:$/, "") : pattern
      if (path.includes("*")) return patternError("must have a * only at its end")
      const address = ACCOUNT.exec(path)?.[1]
      return Effect.zipRight(
        cache.invalidate(isPrefix ? { prefix: path } : { tag: path }),
        address !== undefined && Addresses.is(address) ? cache.invalidate({ address }) : Effect.void
      ).pipe(Effect.mapError(({ rule }) => patternError(rule)))
    }

    return CacheInvalidator.of({
      applied: Stream.unwrapScoped(
        Effect.map(PubSub.subscribe(hub), (later) =>
          Stream.concat(
            Stream.suspend(() => (applied === undefined ? Stream.empty : Stream.make(applied))),
            Stream.fromQueue(later)
          )
        )
      ),
      caughtUp: current.await,
      apply: (event) => applyAll([event]),
      invalidatePattern
    })
  })

/**
 * {@link make} as a layer.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options?: Options): Layer.Layer<CacheInvalidator, InvalidInput, Cache | ProtocolEvents> =>
  Layer.scoped(CacheInvalidator, make(options))

/**
 * {@link layer} with options from a `Config` with the application's own names.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  options: Config.Config.Wrap<Options>
): Layer.Layer<CacheInvalidator, ConfigError.ConfigError | InvalidInput, Cache | ProtocolEvents> =>
  Layer.unwrapEffect(Effect.map(Config.unwrap(options), layer))

/**
 * A test layer from stubs: a call to a missing method dies with the method's name.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerTest = (stubs: Partial<Service>): Layer.Layer<CacheInvalidator> =>
  TestLayer.layer(CacheInvalidator, stubs)
