/**
 * Statistics of the program: numbers of accounts, activity by time, the busiest senders and channels, and the state of
 * the cluster.
 *
 * It counts the accounts that `Discovery` holds in memory, so the counts are right even if nodes no longer keep old
 * transactions. It counts activity from `ProtocolEvents`: each event once, across reconnections. Gaps in the history
 * are listed beside the numbers. Only `network` and `report` call an endpoint.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Check from "../src/internal/check.js"
import { model } from "../src/internal/jsonable.js"
import { InvalidInput } from "../src/InvalidInput.js"
import { LAST_SECOND, Ledger } from "./analytics/Ledger.js"
import type { Bucket, Lost, Network, Options, Overview, SeriesQuery } from "./analytics/models.js"
import * as Networks from "./analytics/network.js"
import * as Report from "./analytics/report.js"
import { type Busy, Discovery } from "./Discovery.js"
import * as Backoff from "./internal/backoff.js"
import * as TestLayer from "./internal/testLayer.js"
import { traced } from "./internal/traced.js"
import { ProgramId } from "./ProgramId.js"
import { type Batch, type Cursor, type EventsError, ProtocolEvents } from "./ProtocolEvents.js"
import { RpcPool } from "./RpcPool.js"
import type { RpcError } from "./RpcTransport.js"

export type { Activity, Bucket, Lost, Network, Options, Overview, SeriesQuery } from "./analytics/models.js"

/**
 * The operations of the service.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** Numbers of accounts and of events, each with the slot up to which it is complete. */
  readonly overview: Effect.Effect<Overview>
  /** Activity in consecutive spans of time, the oldest first. Empty before the first event. */
  readonly series: (query?: SeriesQuery) => Effect.Effect<ReadonlyArray<Bucket>, InvalidInput>
  /**
   * The agents that sent the most messages, or the channels with the most messages; ties by address. `limit` defaults
   * to 10 and is at most 1,000.
   */
  readonly top: (by: "channel" | "sender", limit?: number) => Effect.Effect<ReadonlyArray<Busy>, InvalidInput>
  /** The state of the cluster, from five concurrent calls. */
  readonly network: Effect.Effect<Network, RpcError>
  /**
   * A report as text or JSON: the overview, the last 24 spans, the top ten, and the cluster. If no endpoint answers,
   * the report says so in place of the cluster.
   */
  readonly report: (format: "json" | "text") => Effect.Effect<string>
  /** Waits until the history has been read to its end for the first time. */
  readonly caughtUp: Effect.Effect<void>
}

/**
 * Statistics of the program.
 *
 * @example
 * ```ts
 * import { Analytics, Discovery, ProtocolEvents } from "@pod-protocol/effect"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 *
 * export const AnalyticsLive = Analytics.layer().pipe(
 *   Layer.provideMerge(Discovery.layer()),
 *   Layer.provideMerge(ProtocolEvents.layer())
 * )
 *
 * export const perDay = Effect.flatMap(Analytics.Analytics, ({ series }) => series({ bucket: "1 day", limit: 30 }))
 * ```
 *
 * @since 0.1.0
 * @category tags
 */
export class Analytics extends Context.Tag("@pod-protocol/effect/Analytics")<Analytics, Service>() {}

const MINUTE = 60_000
const DAY = 86_400_000
const DEFAULT_BUCKETS = 100_000
const MAX_BUCKETS = 10_000_000
const MAX_SPANS = 10_000
const SPANS = 24
const TOP = 10
const MAX_TOP = 1000

/** Maximum gaps in the list: without a limit, a node that prunes repeatedly could fill the memory. */
const MAX_LOST = 100

/** Bounds of the random wait before the events are followed again, in milliseconds. */
const BASE = 250
const CAP = 30_000

/** The list; empty if `Discovery` does not index the kind. */
const listed = <A>(list: Effect.Effect<ReadonlyArray<A>, InvalidInput>): Effect.Effect<ReadonlyArray<A>> =>
  Effect.orElseSucceed(list, () => [])

/**
 * Reads the history and follows the events until the scope closes. Numbers are available at once, and grow while it
 * reads the history. `InvalidInput` for an option out of its range. It logs failures of the events and tries again.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options = {}
): Effect.Effect<Service, InvalidInput, Discovery | ProtocolEvents | RpcPool | Scope.Scope> =>
  Effect.gen(function* () {
    const from = yield* Check.oneOf("from", options.from ?? "beginning", ["beginning", "now"])
    const commitment = yield* Check.oneOf("commitment", options.commitment ?? "confirmed", ["confirmed", "finalized"])
    const millis = yield* Check.millisBetween("resolution", options.resolution ?? "1 hour", MINUTE, DAY)
    const resolution = yield* Check.integer("resolution", millis / 1000, 1)
    const maxBuckets = yield* Check.integer("maxBuckets", options.maxBuckets ?? DEFAULT_BUCKETS, 1, MAX_BUCKETS)
    const discovery = yield* Discovery
    const { batches } = yield* ProtocolEvents
    const pool = yield* RpcPool
    const program = yield* ProgramId

    const current = yield* Effect.makeLatch(false)
    let ledger = new Ledger(resolution, maxBuckets)
    let lost: ReadonlyArray<Lost> = []
    let cursor: Cursor | undefined
    let failures = 0

    const take = (batch: Batch): Effect.Effect<void> =>
      Effect.suspend(() => {
        for (const { event } of batch.items) ledger.add(event)
        cursor = batch.cursor
        failures = 0
        return batch.isCurrent ? current.open : Effect.void
      })

    const follow: Effect.Effect<void, EventsError> = Effect.suspend(() =>
      Stream.runForEach(
        batches({
          from: cursor ?? from,
          commitment,
          onGap: ({ from, to }) =>
            Effect.sync(() => {
              lost = [...lost, model({ from, to })].slice(-MAX_LOST)
            })
        }),
        take
      )
    )

    /** Follows until the scope closes, or until the events end, as those of a test do. */
    const keepUp: Effect.Effect<void> = Effect.suspend(() => follow).pipe(
      Effect.exit,
      Effect.flatMap((exit) => {
        if (Exit.isSuccess(exit) || Cause.isInterruptedOnly(exit.cause)) return Effect.void
        const error = Option.getOrUndefined(Cause.failureOption(exit.cause))
        if (error?._tag === "InvalidInput") {
          // The cursor is of another cluster, and so are the counts.
          ledger = new Ledger(resolution, maxBuckets)
          lost = []
          cursor = undefined
        }
        return Backoff.fullJitter(BASE, CAP, failures++).pipe(
          Effect.tap((wait) =>
            Effect.logWarning(
              `Analytics follows the events again after ${Math.ceil(wait)} ms: ${error?.message ?? Cause.pretty(exit.cause)}`
            )
          ),
          Effect.flatMap(Effect.sleep),
          Effect.zipRight(keepUp)
        )
      })
    )
    // Interruptible even if the layer is built in an uninterruptible region, because the scope waits for the fiber.
    yield* Effect.forkScoped(Effect.interruptible(keepUp))

    const overview = Effect.gen(function* () {
      const accounts = yield* discovery.counts
      return model({
        accounts: model({ ...accounts, asOf: yield* discovery.asOf }),
        activity: model({ ...ledger.total, asOf: Option.map(Option.fromNullable(cursor), ({ slot }) => slot) }),
        lost
      })
    })

    const series = (query: SeriesQuery = {}): Effect.Effect<ReadonlyArray<Bucket>, InvalidInput> =>
      Effect.gen(function* () {
        const limit = yield* Check.integer("limit", query.limit ?? SPANS, 1, MAX_SPANS)
        const until =
          query.until === undefined ? undefined : yield* Check.bigInteger("until", query.until, 0n, LAST_SECOND)
        const bucket = yield* Check.millis("bucket", query.bucket ?? resolution * 1000)
        const width = bucket / 1000 / resolution
        if (!Number.isSafeInteger(width) || width < 1) {
          const rule = `must be a whole multiple of the resolution, which is ${resolution} seconds`
          return yield* new InvalidInput({ field: "bucket", rule })
        }
        const last = until ?? ledger.latest
        return last === undefined ? [] : ledger.series(width, last, limit)
      })

    const top = (by: "channel" | "sender", limit = TOP): Effect.Effect<ReadonlyArray<Busy>, InvalidInput> =>
      Effect.flatMap(Check.integer("limit", limit, 1, MAX_TOP), (limit) => discovery.busiest(by, { limit }))

    const network = Networks.make(pool, program)

    const content = Effect.gen(function* () {
      return {
        overview: yield* overview,
        resolution,
        series: ledger.latest === undefined ? [] : ledger.series(1, ledger.latest, SPANS),
        senders: yield* listed(top("sender")),
        channels: yield* listed(top("channel")),
        network: yield* Effect.catchAll(network, ({ message }) => Effect.succeed({ unavailable: message }))
      }
    })

    return Analytics.of({
      overview: traced("Analytics.overview")(overview),
      series: (query) => traced("Analytics.series")(series(query)),
      top: (by, limit) => traced("Analytics.top")(top(by, limit)),
      network: traced("Analytics.network")(network),
      report: (format) => traced("Analytics.report")(Effect.map(content, (content) => Report.report(content, format))),
      caughtUp: current.await
    })
  })

/**
 * {@link make} as a layer.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options?: Options): Layer.Layer<Analytics, InvalidInput, Discovery | ProtocolEvents | RpcPool> =>
  Layer.scoped(Analytics, make(options))

/**
 * {@link layer} with options from a `Config` with the application's own names.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  options: Config.Config.Wrap<Options>
): Layer.Layer<Analytics, ConfigError.ConfigError | InvalidInput, Discovery | ProtocolEvents | RpcPool> =>
  Layer.unwrapEffect(Effect.map(Config.unwrap(options), layer))

/**
 * A test layer from stubs: a call to a missing method dies with the method's name.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerTest = (stubs: Partial<Service>): Layer.Layer<Analytics> => TestLayer.layer(Analytics, stubs)
