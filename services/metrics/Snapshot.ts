/** Readings of a registry: independent copies, and the difference of two readings. */
import type * as Clock from "effect/Clock"
import * as Jsonable from "../../src/internal/jsonable.js"
import * as Histogram from "../../src/observe/ExponentialHistogram.js"
import type { Id, Labels, Operation, Registry } from "./Registry.js"

/**
 * The measurements of one operation.
 *
 * @since 0.1.0
 * @category models
 */
export interface OperationSnapshot {
  readonly name: string
  readonly labels: Labels
  /** Durations in seconds, however the operation ended. */
  readonly seconds: Histogram.ExponentialHistogram
  readonly succeeded: number
  /** Failures and defects. */
  readonly failed: number
  readonly interrupted: number
}

/**
 * A counter's value.
 *
 * @since 0.1.0
 * @category models
 */
export interface CounterSnapshot {
  readonly name: string
  readonly labels: Labels
  readonly value: bigint
}

/**
 * A gauge's last value.
 *
 * @since 0.1.0
 * @category models
 */
export interface GaugeSnapshot {
  readonly name: string
  readonly labels: Labels
  readonly value: number
}

/**
 * All measurements at one moment. `JSON.stringify` can write it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Snapshot {
  /** Unix time in milliseconds. */
  readonly takenAt: number
  /** The covered time in seconds: since the service started, since the last reset, or since the previous snapshot. */
  readonly seconds: number
  readonly operations: ReadonlyArray<OperationSnapshot>
  readonly counters: ReadonlyArray<CounterSnapshot>
  readonly gauges: ReadonlyArray<GaugeSnapshot>
  /** Values that were not recorded: negative, infinite, not a number, or under a name of another kind. */
  readonly invalid: number
  /** Values that were recorded under `_OTHER`, because `maxSeries` was reached. */
  readonly overflow: number
}

/** A snapshot, with the data for its difference to a later one. */
export interface Reading {
  readonly epoch: number
  readonly at: bigint
  readonly operations: ReadonlyMap<string, OperationSnapshot>
  readonly counters: ReadonlyMap<string, CounterSnapshot>
  readonly snapshot: Snapshot
}

const operationOf = ({ id, outcomes, seconds }: Operation): OperationSnapshot =>
  Jsonable.model({ name: id.name, labels: id.labels, seconds: Histogram.copy(seconds), ...outcomes })

const valueOf = <A>({ id, value }: { readonly id: Id; readonly value: A }) =>
  Jsonable.model({ name: id.name, labels: id.labels, value })

const mapped = <A, B>(series: ReadonlyMap<string, A>, f: (series: A) => B): ReadonlyMap<string, B> =>
  new Map(Array.from(series, ([key, value]) => [key, f(value)]))

const secondsBetween = (from: bigint, to: bigint): number => Math.max(Number(to - from) / 1e9, 0)

/** Reads all series at this moment. */
export const read = (registry: Registry, clock: Clock.Clock): Reading => {
  const at = clock.unsafeCurrentTimeNanos()
  const operations = mapped(registry.operations, operationOf)
  const counters = mapped(registry.counters, valueOf<bigint>)
  return {
    epoch: registry.epoch,
    at,
    operations,
    counters,
    snapshot: Jsonable.model({
      takenAt: clock.unsafeCurrentTimeMillis(),
      seconds: secondsBetween(registry.since, at),
      operations: [...operations.values()],
      counters: [...counters.values()],
      gauges: Array.from(registry.gauges.values(), valueOf<number>),
      invalid: registry.invalid,
      overflow: registry.overflow
    })
  }
}

const operationSince = (later: OperationSnapshot, earlier: OperationSnapshot | undefined): OperationSnapshot =>
  earlier === undefined
    ? later
    : Jsonable.model({
        ...later,
        seconds: Histogram.since(later.seconds, earlier.seconds),
        succeeded: later.succeeded - earlier.succeeded,
        failed: later.failed - earlier.failed,
        interrupted: later.interrupted - earlier.interrupted
      })

/** The changes between two readings: the series that changed, and all gauges. After a reset it is the later reading. */
export const difference = (later: Reading, earlier: Reading): Snapshot => {
  if (later.epoch !== earlier.epoch) return later.snapshot
  const operations = Array.from(later.operations, ([key, operation]) =>
    operationSince(operation, earlier.operations.get(key))
  )
  const counters = Array.from(later.counters, ([key, counter]) =>
    Jsonable.model({ ...counter, value: counter.value - (earlier.counters.get(key)?.value ?? 0n) })
  )
  return Jsonable.model({
    ...later.snapshot,
    seconds: secondsBetween(earlier.at, later.at),
    operations: operations.filter(({ seconds }) => seconds.count > 0),
    counters: counters.filter(({ value }) => value > 0n),
    invalid: later.snapshot.invalid - earlier.snapshot.invalid,
    overflow: later.snapshot.overflow - earlier.snapshot.overflow
  })
}
