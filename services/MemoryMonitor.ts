/**
 * Watches the memory of the process: its use, its distance from the limits, and suspected leaks. Pools and caches
 * register with it and shrink under pressure.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as PubSub from "effect/PubSub"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as Check from "../src/internal/check.js"
import * as Jsonable from "../src/internal/jsonable.js"
import * as Outside from "../src/internal/Outside.js"
import { printable } from "../src/internal/printable.js"
import type { InvalidInput } from "../src/InvalidInput.js"
import * as MetricTable from "../src/observe/MetricTable.js"
import * as Pda from "../src/protocol/Pda.js"
import * as SafeText from "../src/SafeText.js"
import * as MonotonicClock from "./internal/clock.js"
import * as MetricOf from "./internal/metricOf.js"
import * as TestLayer from "./internal/testLayer.js"
import * as TimeLimit from "./internal/timeLimit.js"
import * as Pressure from "./memory/Pressure.js"
import { Survivors } from "./memory/Suspicion.js"
import type { Suspicion } from "./memory/Suspicion.js"

export type { Suspicion } from "./memory/Suspicion.js"

/**
 * A collection on demand did not run.
 *
 * - `NotAvailable`: the platform cannot collect on demand; `cause` is its failure.
 * - `TooOften`: the last collection on demand was less than `gcInterval` ago. A collection stops the process for tens
 *   of milliseconds.
 *
 * @since 0.1.0
 * @category errors
 */
export class MemoryMonitorError extends printable(
  Schema.TaggedError<MemoryMonitorError>("@pod-protocol/effect/MemoryMonitorError")("MemoryMonitorError", {
    reason: Schema.Literal("NotAvailable", "TooOften"),
    cause: Schema.optional(Outside.Cause)
  })
) {
  /** True for `TooOften`. */
  get isRetryable(): boolean {
    return this.reason === "TooOften"
  }

  override get message(): string {
    return this.reason === "TooOften"
      ? "A collection on demand came too soon after the last one: wait for gcInterval"
      : "The platform cannot collect on demand: let it collect by itself"
  }
}

/**
 * The memory pressure: how near the process is to its limits.
 *
 * @since 0.1.0
 * @category models
 */
export type Level = Pressure.Level

/**
 * The memory of the process at one moment, in bytes. `None` stands for values that the platform does not report.
 *
 * @since 0.1.0
 * @category models
 */
export interface MemoryStats {
  /** Unix time in milliseconds. */
  readonly takenAt: number
  /** Memory of the process that is in RAM. */
  readonly rssBytes: number
  readonly heapUsedBytes: number
  readonly heapTotalBytes: number
  /** The heap size at which the engine aborts. */
  readonly heapLimitBytes: number
  /** Memory outside of the heap that belongs to objects of the heap, array buffers included. */
  readonly externalBytes: number
  readonly arrayBufferBytes: number
  /** The stack of the main thread. */
  readonly stackBytes: Option.Option<number>
  /** The memory limit of the process's container. */
  readonly containerLimitBytes: Option.Option<number>
  /** Bytes of registered pools by name. Pools of one name are summed. */
  readonly pools: Readonly<Record<string, number>>
  readonly pressure: Level
  /** Milliseconds since the last observed major collection. */
  readonly sinceGcMillis: Option.Option<number>
}

/**
 * The result of a collection.
 *
 * @since 0.1.0
 * @category models
 */
export interface GcReport {
  readonly usedBytesBefore: number
  readonly usedBytesAfter: number
  /** `usedBytesBefore` minus `usedBytesAfter`; 0 if the heap grew meanwhile. */
  readonly freedBytes: number
  readonly duration: Duration.Duration
}

/**
 * A pool or cache that can release memory.
 *
 * @since 0.1.0
 * @category models
 */
export interface Pool {
  /** The name in `MemoryStats.pools`, cut to 100 characters. */
  readonly name: string
  /** The bytes that the pool holds now. */
  readonly bytes: Effect.Effect<number>
  /**
   * Releases memory and returns the number of released bytes. A call may take one second. A failure is logged and does
   * not affect other pools.
   */
  readonly shrink: (level: "high" | "critical") => Effect.Effect<number>
}

/**
 * The operations of the monitor.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** Reads the memory now. */
  readonly stats: Effect.Effect<MemoryStats>
  /** The reading of each period. A slow consumer misses old readings. */
  readonly changes: Stream.Stream<MemoryStats>
  /** The current level, then each change. */
  readonly pressure: Stream.Stream<Level>
  /** Whether the memory that survives major collections keeps growing. */
  readonly suspicion: Effect.Effect<Suspicion>
  /** Collects all garbage now. The process stands still meanwhile. */
  readonly triggerGc: Effect.Effect<GcReport, MemoryMonitorError>
  /** Counts a pool in `stats`, and asks it to shrink under pressure, until the Scope closes. */
  readonly register: (pool: Pool) => Effect.Effect<void, never, Scope.Scope>
}

/**
 * The monitor of the process's memory.
 *
 * @example
 * ```ts
 * import * as MemoryMonitor from "@pod-protocol/effect/services/MemoryMonitor"
 * import * as Effect from "effect/Effect"
 *
 * export const check = Effect.gen(function* () {
 *   const monitor = yield* MemoryMonitor.MemoryMonitor
 *   const { heapUsedBytes } = yield* monitor.stats
 *   if (heapUsedBytes > 100_000_000) yield* monitor.triggerGc
 * })
 * ```
 *
 * @since 0.1.0
 * @category tags
 */
export class MemoryMonitor extends Context.Tag("@pod-protocol/effect/MemoryMonitor")<MemoryMonitor, Service>() {}

/**
 * Options of the monitor.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * Time between readings, from 100 milliseconds to 1 hour. Default 1 second. Too low: readings cost CPU time. Too high:
   * pools shrink late.
   */
  readonly period?: Duration.DurationInput | undefined
  /**
   * The share of a limit (0 to 1) from which pressure is `high`. Default 0.75. Too low: pools shrink without need. Too
   * high: pools shrink too late.
   */
  readonly high?: number | undefined
  /** The share from which pressure is `critical`, at least `high`. Default 0.9. Too low and too high: as for `high`. */
  readonly critical?: number | undefined
  /**
   * The amount by which the share must fall below a threshold before the level falls. Default 0.05. Too low: the level
   * changes often. Too high: the level stays high for long.
   */
  readonly hysteresis?: number | undefined
  /**
   * Minimum time between two collections on demand. Default 1 minute. Too low: the process stands still often. Too
   * high: `triggerGc` fails with `TooOften` for long.
   */
  readonly gcInterval?: Duration.DurationInput | undefined
}

/**
 * The memory interface of a platform.
 *
 * @since 0.1.0
 * @category models
 */
export interface Source {
  /** Reads the memory. It runs once per period, and for each use of `stats` and `triggerGc`. */
  readonly read: Effect.Effect<
    Pick<
      MemoryStats,
      | "arrayBufferBytes"
      | "containerLimitBytes"
      | "externalBytes"
      | "heapLimitBytes"
      | "heapTotalBytes"
      | "heapUsedBytes"
      | "rssBytes"
      | "stackBytes"
    >
  >
  /** Registers a callback until the Scope closes. It gets the bytes that survived a major collection. */
  readonly onMajor: (survived: (bytes: number) => void) => Effect.Effect<void, never, Scope.Scope>
  /** Collects all garbage. */
  readonly collect: Effect.Effect<void, MemoryMonitorError>
  /** Waits. Its timer must not keep the process alive. */
  readonly wait: (millis: number) => Effect.Effect<void>
}

/** While pressure lasts, pools shrink again after this time. */
const SHRINK_AGAIN_MILLIS = 10_000

/** Time limit of one pool's `bytes` or `shrink`. */
const POOL_MILLIS = 1000

/** Pools that shrink at a time. */
const SHRINK_CONCURRENCY = 16

const rss = MetricOf.gauge(MetricTable.processMemory)
const heapUsed = MetricOf.gauge(MetricTable.heapUsed)
const heapLimit = MetricOf.gauge(MetricTable.heapLimit)
const poolBytes = MetricOf.gauge(MetricTable.poolBytes)

/** The answer of a pool; 0 if it fails, takes more than a second or is not a positive number. */
const answerOf = (pool: string, what: string, answer: () => Effect.Effect<number>): Effect.Effect<number> =>
  Effect.suspend(answer).pipe(
    Effect.map((bytes) => (Number.isFinite(bytes) && bytes > 0 ? bytes : 0)),
    Effect.interruptible,
    Effect.disconnect,
    Effect.map(Option.some),
    TimeLimit.orElse(POOL_MILLIS, (): Option.Option<number> => Option.none()),
    Effect.flatMap(
      Option.match({
        onSome: Effect.succeed,
        onNone: () => Effect.as(Effect.logWarning(`The pool ${pool} did not ${what} within a second`), 0)
      })
    ),
    Effect.catchAllCause((cause) => Effect.as(Effect.logWarning(`The pool ${pool} failed to ${what}`, cause), 0))
  )

/** The larger of the two shares of a limit. An unknown limit counts as 0. */
const shareOf = ({
  containerLimitBytes,
  heapLimitBytes,
  heapUsedBytes,
  rssBytes
}: Effect.Effect.Success<Source["read"]>) =>
  Math.max(
    heapLimitBytes > 0 ? heapUsedBytes / heapLimitBytes : 0,
    Option.match(containerLimitBytes, { onNone: () => 0, onSome: (limit) => (limit > 0 ? rssBytes / limit : 0) })
  )

/** The process-wide cache of derived addresses. */
const knownAddresses: Pool = {
  name: "KnownAddresses",
  bytes: Effect.sync(Pda.cachedBytes),
  shrink: () => Effect.sync(Pda.clearCache)
}

/**
 * A monitor over a platform's source, until the Scope closes. `InvalidInput` for a period below 100 milliseconds, and
 * for thresholds that are not `hysteresis` ≤ `high` ≤ `critical` ≤ 1.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (source: Source, options: Options = {}): Effect.Effect<Service, InvalidInput, Scope.Scope> =>
  Effect.gen(function* () {
    const period = yield* Check.millisBetween("period", options.period ?? "1 second", 100, 3_600_000)
    const thresholds = yield* Pressure.thresholds(options)
    const gcInterval = yield* Check.millis("gcInterval", options.gcInterval ?? "1 minute", "unlimited")
    const pools = new Set<Pool>([knownAddresses])
    const survivors = new Survivors(period)
    const level = yield* SubscriptionRef.make<Level>("normal")
    const readings = yield* Effect.acquireRelease(PubSub.sliding<MemoryStats>(4), PubSub.shutdown)
    const clock = yield* Effect.clock
    let lastMajor: number | undefined
    let lastGc = -Infinity
    let lastShrink = -Infinity
    let isShrinking = false

    yield* source.onMajor((bytes) => {
      const millis = Number(clock.unsafeCurrentTimeNanos()) / 1e6
      lastMajor = millis
      survivors.add(millis, bytes)
    })

    const bytesByName = Effect.gen(function* () {
      const byName = new Map<string, number>()
      const found = yield* Effect.forEach(
        pools,
        ({ bytes, name }) =>
          Effect.map(
            answerOf(name, "report its size", () => bytes),
            (size) => [name, size] as const
          ),
        { concurrency: SHRINK_CONCURRENCY }
      )
      for (const [name, size] of found) byName.set(name, (byName.get(name) ?? 0) + size)
      return Object.fromEntries(byName)
    })

    const shrink = (to: "high" | "critical") =>
      Effect.forEach(pools, (pool) => answerOf(pool.name, "shrink", () => pool.shrink(to)), {
        concurrency: SHRINK_CONCURRENCY,
        discard: true
      }).pipe(Effect.ensuring(Effect.sync(() => (isShrinking = false))))

    /** Reads the memory and updates the level. */
    const stats = Effect.gen(function* () {
      const read = yield* source.read
      const sizes = yield* bytesByName
      const share = shareOf(read)
      const pressure = yield* SubscriptionRef.modify(level, (before) => {
        const after = Pressure.next(before, share, thresholds)
        return [after, after]
      })
      const now = yield* MonotonicClock.monotonicMillis
      return Jsonable.model<MemoryStats>({
        takenAt: yield* Clock.currentTimeMillis,
        ...read,
        pools: sizes,
        pressure,
        sinceGcMillis: lastMajor === undefined ? Option.none() : Option.some(Math.max(now - lastMajor, 0))
      })
    })

    const scope = yield* Effect.scope

    const sample = Effect.gen(function* () {
      const before = yield* SubscriptionRef.get(level)
      const taken = yield* stats
      yield* Metric.set(rss, taken.rssBytes)
      yield* Metric.set(heapUsed, taken.heapUsedBytes)
      yield* Metric.set(heapLimit, taken.heapLimitBytes)
      for (const [name, size] of Object.entries(taken.pools))
        yield* Metric.set(Metric.tagged(poolBytes, "pool", name), size)
      yield* PubSub.publish(readings, taken)
      const { pressure } = taken
      if (pressure === "normal" || isShrinking) return
      const now = yield* MonotonicClock.monotonicMillis
      const hasRisen = before === "normal" || (before === "high" && pressure === "critical")
      if (!hasRisen && now - lastShrink < SHRINK_AGAIN_MILLIS) return
      lastShrink = now
      isShrinking = true
      yield* Effect.forkIn(shrink(pressure), scope)
    })

    yield* Effect.forkScoped(
      Effect.forever(
        Effect.zipRight(
          source.wait(period),
          Effect.catchAllCause(sample, (cause) => Effect.logWarning("The memory cannot be read", cause))
        )
      )
    )

    return {
      stats,
      changes: Stream.fromPubSub(readings),
      pressure: Stream.changes(level.changes),
      suspicion: Effect.sync(() => survivors.suspicion),
      triggerGc: Effect.gen(function* () {
        const start = yield* MonotonicClock.monotonicMillis
        if (start - lastGc < gcInterval) return yield* new MemoryMonitorError({ reason: "TooOften" })
        lastGc = start
        const before = yield* source.read
        yield* source.collect
        const after = yield* source.read
        const duration = Duration.millis((yield* MonotonicClock.monotonicMillis) - start)
        const [usedBytesBefore, usedBytesAfter] = [before.heapUsedBytes, after.heapUsedBytes]
        return {
          usedBytesBefore,
          usedBytesAfter,
          freedBytes: Math.max(usedBytesBefore - usedBytesAfter, 0),
          duration
        }
      }),
      register: ({ bytes, name, shrink }) => {
        const pool: Pool = { name: SafeText.make(name, 100), bytes, shrink }
        return Effect.acquireRelease(
          Effect.sync(() => pools.add(pool)),
          () => Effect.sync(() => pools.delete(pool))
        )
      }
    }
  })

/**
 * Registers a pool with the monitor in the context, if one is provided.
 *
 * @since 0.1.0
 * @category combinators
 */
export const registerIfMonitored = (pool: Pool): Effect.Effect<void, never, Scope.Scope> =>
  Effect.flatMap(
    Effect.serviceOption(MemoryMonitor),
    Option.match({ onNone: () => Effect.void, onSome: ({ register }) => register(pool) })
  )

/**
 * A test layer from stubs: a call to a missing member dies with the member's name. By default, `register` does nothing,
 * because pools register themselves.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerTest = (stubs: Partial<Service>): Layer.Layer<MemoryMonitor> =>
  TestLayer.layer(MemoryMonitor, { register: () => Effect.void, ...stubs })
