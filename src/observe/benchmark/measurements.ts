/** The measurements of a benchmark as they are stored: models, bounds and the decoder. */
import type * as Either from "effect/Either"
import type * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as ExponentialHistogram from "../ExponentialHistogram.js"

const text = (maxLength: number) => Schema.String.pipe(Schema.maxLength(maxLength))
const finite = Schema.Finite
const count = Schema.NonNegativeInt
const listOf = <A, I>(item: Schema.Schema<A, I>, most: number) => Schema.Array(item).pipe(Schema.maxItems(most))

/**
 * The maximum of cases, of processes, and of rounds per process in a report.
 *
 * @since 0.1.0
 * @category constants
 */
export const LIMITS = { cases: 100, processes: 100, rounds: 10_000 } as const

/**
 * The smallest change that counts: 2 %. Two machines of one kind, and two builds of one program, differ by about as
 * much.
 *
 * @since 0.1.0
 * @category constants
 */
export const THRESHOLD = 0.02

/**
 * Latencies of single operations in microseconds, as OpenTelemetry's exponential histogram, and the seconds in which they
 * ran.
 *
 * @since 0.1.0
 * @category models
 */
export const Latencies = Schema.Struct({
  seconds: finite,
  count,
  sum: finite,
  scale: Schema.Int,
  zeroCount: count,
  positive: Schema.Struct({
    offset: Schema.Int,
    bucketCounts: listOf(count, ExponentialHistogram.MAX_BUCKETS)
  }),
  min: Schema.optionalWith(finite, { exact: true }),
  max: Schema.optionalWith(finite, { exact: true })
})

/**
 * A figure beside the times, such as requests per message.
 *
 * @since 0.1.0
 * @category models
 */
export const Figure = Schema.Struct({ name: text(100), value: finite, unit: text(30) })

/**
 * A case as it was measured.
 *
 * @since 0.1.0
 * @category models
 */
export const Case = Schema.Struct({
  name: text(200),
  /**
   * True for the A/A control: the base measured a second time. Its ratio to the base shows the noise of the machine.
   */
  isControl: Schema.Boolean,
  /** Operations that were timed, in all rounds. */
  operations: count,
  /** Microseconds per operation: one list for each process, one value for each round. */
  rounds: listOf(listOf(finite.pipe(Schema.nonNegative()), LIMITS.rounds), LIMITS.processes),
  latencies: Schema.optionalWith(Latencies, { exact: true }),
  figures: listOf(Figure, 50),
  /** The reason for which the case was not measured. */
  failure: Schema.optionalWith(text(500), { exact: true }),
  /** A remark for the reader. */
  note: Schema.optionalWith(text(500), { exact: true })
})

/**
 * A case as it was measured.
 *
 * @since 0.1.0
 * @category models
 */
export type Case = typeof Case.Type

/**
 * The machine on which a benchmark ran.
 *
 * @since 0.1.0
 * @category models
 */
export const Machine = Schema.Struct({
  cpu: text(200),
  cores: count,
  /** The engine with its version, such as `Node 20.19.0`. */
  runtime: text(100),
  /** The load average of the last minute. Absent if the platform has none. */
  load: Schema.optionalWith(finite, { exact: true })
})

/**
 * The machine on which a benchmark ran.
 *
 * @since 0.1.0
 * @category models
 */
export type Machine = typeof Machine.Type

/**
 * The measurements of a benchmark.
 *
 * @since 0.1.0
 * @category models
 */
export const Report = Schema.Struct({
  /** The version of this format. */
  version: Schema.Literal(1),
  name: text(200),
  /** `cpu`: CPU time of the process, its collector included. `latency`: time on the clock of each operation. */
  mode: Schema.Literal("cpu", "latency"),
  /** The name of the case with which the others are compared. */
  base: text(200),
  /** Unix time in milliseconds. */
  at: finite,
  /** The measured version, such as a commit. */
  of: Schema.optionalWith(text(100), { exact: true }),
  machine: Machine,
  threshold: finite.pipe(Schema.between(0, 1)),
  cases: listOf(Case, LIMITS.cases)
})

/**
 * The measurements of a benchmark.
 *
 * @since 0.1.0
 * @category models
 */
export type Report = typeof Report.Type

/**
 * Reads reports that `BenchmarkText.json` wrote. The caller bounds the size of the text.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decode: (text: string) => Either.Either<ReadonlyArray<Report>, ParseResult.ParseError> =
  /* @__PURE__ */ Schema.decodeEither(/* @__PURE__ */ Schema.parseJson(/* @__PURE__ */ listOf(Report, 1000)))
