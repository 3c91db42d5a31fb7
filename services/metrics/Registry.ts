/**
 * The series of a `Metrics` service. All changes are synchronous, so a snapshot or a reset never sees a partial change.
 *
 * A series is a name with its labels. At most `maxSeries` are kept; values of further ones go to the series `_OTHER` of
 * their kind. A name has one kind for as long as its series lives.
 */
import * as Either from "effect/Either"
import { MAX_U64 } from "../../src/internal/check.js"
import { InvalidInput } from "../../src/InvalidInput.js"
import * as Histogram from "../../src/observe/ExponentialHistogram.js"
import * as MetricTable from "../../src/observe/MetricTable.js"
import * as SafeText from "../../src/SafeText.js"
import type { Outcome } from "../internal/measured.js"
import * as MetricOf from "../internal/metricOf.js"

/** The name of the series beyond `maxSeries`. */
export const OTHER = "_OTHER"

/** Maximum characters of names and of label values. Longer ones are cut, because the series keeps them. */
const MAX_TEXT = 255

/** Maximum labels. OpenTelemetry allows 128 attributes, but many labels make useless series. */
const MAX_LABELS = 16

export type Labels = Readonly<Record<string, string>>

export interface Id {
  readonly key: string
  readonly name: string
  readonly labels: Labels
}

export class Operation {
  readonly seconds = Histogram.make()
  readonly outcomes = { succeeded: 0, failed: 0, interrupted: 0 }
  constructor(readonly id: Id) {}
}

export class Counter {
  value = 0n
  constructor(readonly id: Id) {}
}

export class Gauge {
  value = 0
  constructor(readonly id: Id) {}
}

interface Kinds {
  readonly operation: Operation
  readonly counter: Counter
  readonly gauge: Gauge
}

const invalid = MetricOf.counter(MetricTable.metricsInvalid)
const overflown = MetricOf.counter(MetricTable.metricsOverflow)

const NO_LABELS: Labels = {}

/** Control characters separate the parts of a key. Safe text contains none. */
const keyOf = (name: string, labels: ReadonlyArray<readonly [string, string]>): string =>
  labels.reduce((key, [label, value]) => `${key}\n${label}\t${value}`, name)

/** The id of a series. `InvalidInput` if the name or a label is not a text. */
export const identify = (name: string, labels?: Labels): Either.Either<Id, InvalidInput> => {
  if (typeof name !== "string" || name === "") {
    return Either.left(new InvalidInput({ field: "name", rule: "must be a text that is not empty" }))
  }
  const safe = SafeText.make(name, MAX_TEXT)
  if (labels === undefined) return Either.right({ key: safe, name: safe, labels: NO_LABELS })
  if (typeof labels !== "object" || labels === null) {
    return Either.left(new InvalidInput({ field: "labels", rule: "must be an object of texts" }))
  }
  const pairs: Array<readonly [string, string]> = []
  for (const [label, value] of Object.entries(labels)) {
    if (typeof value !== "string") {
      return Either.left(new InvalidInput({ field: `labels.${label}`, rule: "must be a text" }))
    }
    pairs.push([SafeText.make(label, MAX_TEXT), SafeText.make(value, MAX_TEXT)])
  }
  if (pairs.length > MAX_LABELS) {
    return Either.left(
      new InvalidInput({ field: "labels", rule: `must have at most ${MAX_LABELS} items`, size: pairs.length })
    )
  }
  const ordered = pairs.toSorted(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0))
  return Either.right({ key: keyOf(safe, ordered), name: safe, labels: Object.fromEntries(ordered) })
}

export class Registry {
  readonly operations = new Map<string, Operation>()
  readonly counters = new Map<string, Counter>()
  readonly gauges = new Map<string, Gauge>()
  readonly #kinds = new Map<string, keyof Kinds>()
  #series = 0
  invalid = 0
  overflow = 0
  /** Changes at each reset: two readings of one epoch can be subtracted. */
  epoch = 0

  constructor(
    readonly maxSeries: number,
    /** Monotonic nanoseconds of the start or of the last reset. */
    public since: bigint
  ) {}

  /** Whether the name can be one of this kind. */
  check(kind: keyof Kinds, { name }: Id): Either.Either<void, InvalidInput> {
    const other = this.#kinds.get(name)
    return other === undefined || other === kind
      ? Either.void
      : Either.left(
          new InvalidInput({ field: "name", rule: `"${name}" is the name of a ${other} and cannot name a ${kind}` })
        )
  }

  operation(id: Id): Either.Either<Operation, InvalidInput> {
    return this.#find("operation", this.operations, id, Operation)
  }

  record({ outcomes, seconds }: Operation, elapsed: number, outcome: Outcome): void {
    if (!(elapsed >= 0 && elapsed < Infinity)) return this.refuse()
    Histogram.record(seconds, elapsed)
    outcomes[outcome]++
  }

  /** Counts an invalid number as `invalid`, without making a series. */
  increment(id: Id, by: number | bigint): Either.Either<void, InvalidInput> {
    const whole = typeof by === "bigint" ? by : Number.isSafeInteger(by) ? BigInt(by) : -1n
    if (whole < 0n || whole > MAX_U64) return Either.right(this.refuse())
    return Either.map(this.#find("counter", this.counters, id, Counter), (counter) => {
      counter.value += whole
    })
  }

  /** Counts a non-finite number as `invalid`, without making a series. */
  set(id: Id, value: number): Either.Either<void, InvalidInput> {
    if (!Number.isFinite(value)) return Either.right(this.refuse())
    return Either.map(this.#find("gauge", this.gauges, id, Gauge), (gauge) => {
      gauge.value = value
    })
  }

  /** Counts a value that is not recorded. */
  refuse(): void {
    this.invalid++
    invalid.unsafeUpdate(1, [])
  }

  reset(now: bigint): void {
    for (const series of [this.operations, this.counters, this.gauges, this.#kinds]) series.clear()
    this.#series = 0
    this.invalid = 0
    this.overflow = 0
    this.epoch++
    this.since = now
  }

  #find<K extends keyof Kinds>(
    kind: K,
    series: Map<string, Kinds[K]>,
    id: Id,
    Series: new (id: Id) => Kinds[K]
  ): Either.Either<Kinds[K], InvalidInput> {
    const known = series.get(id.key)
    if (known !== undefined) return Either.right(known)
    const checked = this.check(kind, id)
    if (Either.isLeft(checked)) return Either.left(checked.left)
    if (this.#series >= this.maxSeries) {
      this.overflow++
      overflown.unsafeUpdate(1, [])
      return Either.right(this.#otherOf(series, Series))
    }
    const made = new Series(id)
    series.set(id.key, made)
    this.#kinds.set(id.name, kind)
    this.#series++
    return Either.right(made)
  }

  #otherOf<S>(series: Map<string, S>, Series: new (id: Id) => S): S {
    const known = series.get(OTHER)
    if (known !== undefined) return known
    const made = new Series({ key: OTHER, name: OTHER, labels: NO_LABELS })
    series.set(OTHER, made)
    return made
  }
}
