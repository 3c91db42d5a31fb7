/**
 * Measures the SDK and an application. The service `Metrics` times operations, keeps counters and gauges, and reports
 * percentiles. The constants are the package's metrics in Effect's registry, which exporters of Effect read.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Fiber from "effect/Fiber"
import { identity } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as Check from "../src/internal/check.js"
import type { InvalidInput } from "../src/InvalidInput.js"
import { onInterruption } from "./internal/hot.js"
import * as Measured from "./internal/measured.js"
import * as TestLayer from "./internal/testLayer.js"
import * as Registry from "./metrics/Registry.js"
import * as Report from "./metrics/report.js"
import * as Snapshots from "./metrics/Snapshot.js"

export * from "./metrics/instruments.js"
export type { CounterSnapshot, GaugeSnapshot, OperationSnapshot, Snapshot } from "./metrics/Snapshot.js"

/**
 * Labels of a series: at most 16, each of at most 255 characters.
 *
 * @since 0.1.0
 * @category models
 */
export type Labels = Registry.Labels

/**
 * A running timer.
 *
 * @since 0.1.0
 * @category models
 */
export interface Timer {
  /**
   * Records the time since the start as a success, and returns it. Later runs record nothing and return the same time.
   */
  readonly observe: Effect.Effect<Duration.Duration>
}

/**
 * The operations of the service. Names are cut to 255 characters. A name that one kind of series uses (operation,
 * counter, gauge) is `InvalidInput` for another kind.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * Times an effect and counts its outcome: success, failure or interruption. It never changes the effect's result: an
   * invalid name counts as `invalid`, and the first one is logged.
   */
  readonly track: (name: string, labels?: Labels) => <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Starts a timer, for code that an effect cannot wrap. */
  readonly timer: (name: string, labels?: Labels) => Effect.Effect<Timer, InvalidInput>
  /** Adds a whole number from 0 to 2^64 − 1 to a counter. Default 1. Other numbers count as `invalid`. */
  readonly increment: (name: string, by?: number | bigint, labels?: Labels) => Effect.Effect<void, InvalidInput>
  /** Sets a gauge to a finite number. Other numbers count as `invalid`. */
  readonly gauge: (name: string, value: number, labels?: Labels) => Effect.Effect<void, InvalidInput>
  /** All values since the start or the last `reset`. */
  readonly snapshot: Effect.Effect<Snapshots.Snapshot>
  /**
   * The changes of each period. A period starts when the stream is pulled, so an unused stream costs nothing.
   * `InvalidInput` for a period of 0.
   */
  readonly interval: (period: Duration.DurationInput) => Stream.Stream<Snapshots.Snapshot, InvalidInput>
  /**
   * Count, rate, mean, median, P95, P99 and maximum of each operation, then counters and gauges. The percentile q needs
   * 10/(1 − q) samples; with fewer, its cell has the needed number.
   */
  readonly report: (format: "text" | "json" | "markdown") => Effect.Effect<string>
  /** Removes all series. A concurrent snapshot has all values from before it, or none. */
  readonly reset: Effect.Effect<void>
}

/**
 * Measures an application and this SDK. If it is provided, it tracks the SDK's public operations under their names
 * (`Message.send`) and RPC calls under `rpc.` and their method (`rpc.getSlot`).
 *
 * @example
 * ```ts
 * import * as Metrics from "@pod-protocol/effect/services/Metrics"
 * import * as Effect from "effect/Effect"
 *
 * export const program = Effect.gen(function* () {
 *   const metrics = yield* Metrics.Metrics
 *   const timer = yield* metrics.timer("agent_registration")
 *   yield* Effect.sleep("20 millis")
 *   yield* timer.observe
 *   yield* metrics.increment("messages_sent")
 *   yield* metrics.gauge("active_connections", 3)
 *   return yield* metrics.report("text")
 * }).pipe(Effect.provide(Metrics.layer()))
 * ```
 *
 * @since 0.1.0
 * @category tags
 */
export class Metrics extends Context.Tag("@pod-protocol/effect/Metrics")<Metrics, Service>() {}

/**
 * Options of the service.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * Maximum series (names with their labels), at least 1. Default 2,000; a series takes a few KiB. Values of further
   * series go to the series `_OTHER` and count as `overflow`. Too low: series are lost in `_OTHER`. Too high: labels
   * with ever new values fill the memory.
   */
  readonly maxSeries?: number | undefined
}

const clockOf = <A, E>(fiber: Fiber.RuntimeFiber<A, E>): Clock.Clock =>
  Context.get(fiber.currentDefaultServices, Clock.Clock)

const secondsSince = (clock: Clock.Clock, start: bigint): number => Number(clock.unsafeCurrentTimeNanos() - start) / 1e9

/**
 * A service that starts empty. `InvalidInput` for a `maxSeries` below 1.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options = {}): Effect.Effect<Service, InvalidInput> =>
  Effect.gen(function* () {
    const maxSeries = yield* Check.integer("maxSeries", options.maxSeries ?? 2000, 1)
    const registry = yield* Effect.clockWith((clock) =>
      Effect.sync(() => new Registry.Registry(maxSeries, clock.unsafeCurrentTimeNanos()))
    )
    let wasLogged = false

    /** Counts a refused name. The first time, it returns a warning to log. */
    const refuse = (reason: InvalidInput): Effect.Effect<void> | undefined => {
      registry.refuse()
      if (wasLogged) return undefined
      wasLogged = true
      return Effect.logWarning("An operation is not measured", reason)
    }

    /** Records an outcome. Returns a warning to log if the name is refused for the first time. */
    const record = (id: Registry.Id, elapsed: number, outcome: Measured.Outcome): Effect.Effect<void> | undefined => {
      const operation = registry.operation(id)
      return Either.isRight(operation)
        ? void registry.record(operation.right, elapsed, outcome)
        : refuse(operation.left)
    }

    /** The id of a series. The name of an existing series needs no check. */
    const identify = (name: string, labels: Labels | undefined): Either.Either<Registry.Id, InvalidInput> => {
      const known = labels === undefined ? registry.operations.get(name) : undefined
      return known === undefined ? Registry.identify(name, labels) : Either.right(known.id)
    }

    const track: Service["track"] = (name, labels) => (self) =>
      Effect.withFiberRuntime((fiber) => {
        const id = identify(name, labels)
        if (Either.isLeft(id)) {
          const warning = refuse(id.left)
          return warning === undefined ? self : Effect.zipRight(warning, self)
        }
        const clock = clockOf(fiber)
        const start = clock.unsafeCurrentTimeNanos()
        const end = (outcome: Measured.Outcome) => record(id.right, secondsSince(clock, start), outcome)
        const settle = onInterruption(fiber, () => end("interrupted"))
        return Effect.matchCauseEffect(self, {
          onFailure: (cause) => {
            settle()
            const warning = end(Measured.failureOf(cause))
            const failure = Effect.failCause(cause)
            return warning === undefined ? failure : Effect.zipRight(warning, failure)
          },
          onSuccess: (value) => {
            settle()
            const warning = end("succeeded")
            return warning === undefined ? Effect.succeed(value) : Effect.as(warning, value)
          }
        })
      })

    /** For names that were tracked before: they need no check. A reset may remove the series meanwhile. */
    const begin: Measured.Begin = (fiber, name) => {
      const known = registry.operations.get(name)
      if (known === undefined) return undefined
      const clock = clockOf(fiber)
      const start = clock.unsafeCurrentTimeNanos()
      return (outcome) => {
        const operation = registry.operation(known.id)
        if (Either.isRight(operation)) registry.record(operation.right, secondsSince(clock, start), outcome)
        else registry.refuse()
      }
    }

    const read = Effect.clockWith((clock) => Effect.sync(() => Snapshots.read(registry, clock)))
    const snapshot = Effect.map(read, (reading) => reading.snapshot)

    return {
      track: Measured.withBegin(track, begin),
      timer: (name, labels) =>
        Effect.withFiberRuntime<Timer, InvalidInput>((fiber) => {
          const id = Registry.identify(name, labels)
          if (Either.isLeft(id)) return Effect.fail(id.left)
          const checked = registry.check("operation", id.right)
          if (Either.isLeft(checked)) return Effect.fail(checked.left)
          const clock = clockOf(fiber)
          const start = clock.unsafeCurrentTimeNanos()
          let elapsed: number | undefined
          return Effect.succeed({
            observe: Effect.suspend(() => {
              if (elapsed !== undefined) return Effect.succeed(Duration.seconds(elapsed))
              const seconds = secondsSince(clock, start)
              elapsed = Math.max(seconds, 0)
              const warning = record(id.right, seconds, "succeeded") ?? Effect.void
              return Effect.as(warning, Duration.seconds(elapsed))
            })
          })
        }),
      increment: (name, by = 1, labels) =>
        Effect.suspend(() => Either.flatMap(Registry.identify(name, labels), (id) => registry.increment(id, by))),
      gauge: (name, value, labels) =>
        Effect.suspend(() => Either.flatMap(Registry.identify(name, labels), (id) => registry.set(id, value))),
      snapshot,
      interval: (period) =>
        Stream.unwrap(
          Effect.gen(function* () {
            const millis = yield* Check.millis("period", period)
            let before = yield* read
            const next = Effect.map(Effect.delay(read, millis), (reading) => {
              const since = Snapshots.difference(reading, before)
              before = reading
              return since
            })
            return Stream.repeatEffect(next)
          })
        ),
      report: (format) => Effect.map(snapshot, (taken) => Report.report(taken, format)),
      reset: Effect.clockWith((clock) => Effect.sync(() => registry.reset(clock.unsafeCurrentTimeNanos())))
    }
  })

/**
 * {@link make} as a layer. Provide it to the program that calls the SDK. To measure the background work of the SDK's
 * layers too, provide it to them as well: `Layer.provideMerge(Pod.layerEmbedded, Metrics.layer())`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options?: Options): Layer.Layer<Metrics, InvalidInput> => Layer.effect(Metrics, make(options))

/**
 * As {@link layer}, with options from the configuration.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  options: Config.Config.Wrap<Options>
): Layer.Layer<Metrics, ConfigError.ConfigError | InvalidInput> =>
  Layer.unwrapEffect(Effect.map(Config.unwrap(options), layer))

const EMPTY: Snapshots.Snapshot = {
  takenAt: 0,
  seconds: 0,
  operations: [],
  counters: [],
  gauges: [],
  invalid: 0,
  overflow: 0
}

/** Measures nothing. */
const noop = (): Service => ({
  track: () => identity,
  timer: () => Effect.succeed({ observe: Effect.succeed(Duration.zero) }),
  increment: () => Effect.void,
  gauge: () => Effect.void,
  snapshot: Effect.succeed(EMPTY),
  interval: () => Stream.empty,
  report: (format) => Effect.sync(() => Report.report(EMPTY, format)),
  reset: Effect.void
})

/**
 * A service that measures nothing, for code that requires the service without a reader.
 *
 * @since 0.1.0
 * @category layers
 */
// Pure for bundlers: an import of the Tag alone does not include the service.
export const layerNoop: Layer.Layer<Metrics> = /* @__PURE__ */ Layer.sync(Metrics, noop)

/**
 * A test layer from stubs: a call to a missing member dies with the member's name. By default, `track` only runs the
 * effect, because the SDK's own operations use it.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerTest = (stubs: Partial<Service>): Layer.Layer<Metrics> =>
  TestLayer.layer(Metrics, { track: () => identity, ...stubs })
