/**
 * Stores the reports of benchmarks, so that a run can be compared with an earlier one.
 *
 * @since 0.1.0
 */
import type { FileSystem } from "@effect/platform/FileSystem"
import * as Array from "effect/Array"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Check from "../src/internal/check.js"
import * as Outside from "../src/internal/Outside.js"
import { printable } from "../src/internal/printable.js"
import type { InvalidInput } from "../src/InvalidInput.js"
import * as BenchmarkReport from "../src/observe/BenchmarkReport.js"
import type { Report } from "../src/observe/BenchmarkReport.js"
import * as BenchmarkText from "../src/observe/BenchmarkText.js"
import * as SafeText from "../src/SafeText.js"
import * as FileStore from "./internal/fileStore.js"
import * as StoreFailure from "./internal/storeFailure.js"
import * as TestLayer from "./internal/testLayer.js"

/**
 * The history cannot be used.
 *
 * - `Read`, `Write`: the store failed; `cause` has the reason.
 * - `Malformed`: the stored text is not a history: it was cut, changed, or is too large. It is ignored and not
 *   overwritten.
 *
 * @since 0.1.0
 * @category errors
 */
export class BenchmarkHistoryError extends printable(
  Schema.TaggedError<BenchmarkHistoryError>("@pod-protocol/effect/BenchmarkHistoryError")("BenchmarkHistoryError", {
    reason: Schema.Literal("Read", "Write", "Malformed"),
    /** The name of the benchmark, or the folder of all. */
    benchmark: SafeText.Schema(),
    cause: Schema.optional(Outside.Cause)
  })
) {
  /** True for `Read` and `Write`. */
  get isRetryable(): boolean {
    return this.reason !== "Malformed"
  }

  override get message(): string {
    return this.reason === "Malformed"
      ? `The history of ${this.benchmark} is damaged: remove its file to begin a new one`
      : `The history of ${this.benchmark} cannot be ${this.reason === "Read" ? "read" : "written"}: ${StoreFailure.explain(this.cause)}`
  }
}

/**
 * The operations of the history.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** Adds a report to those of its name. Above the limit, the oldest reports are removed. */
  readonly add: (report: Report) => Effect.Effect<void, BenchmarkHistoryError>
  /** The reports of a benchmark, oldest first. */
  readonly all: (name: string) => Effect.Effect<ReadonlyArray<Report>, BenchmarkHistoryError>
  /** The newest report of a benchmark. */
  readonly last: (name: string) => Effect.Effect<Option.Option<Report>, BenchmarkHistoryError>
}

/**
 * The history of benchmarks.
 *
 * @since 0.1.0
 * @category tags
 */
export class BenchmarkHistory extends Context.Tag("@pod-protocol/effect/BenchmarkHistory")<
  BenchmarkHistory,
  Service
>() {}

/**
 * Options of a history.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * Maximum reports of one benchmark, 1 to 1,000. Default 20. Too low: trends are not visible. Too high: each run reads
   * and writes all of them.
   */
  readonly maxReports?: number | undefined
}

/** The text of a benchmark's reports. */
interface Store {
  readonly get: (name: string) => Effect.Effect<Option.Option<string>, unknown>
  readonly set: (name: string, text: string) => Effect.Effect<void, unknown>
}

const failed = (reason: "Read" | "Write" | "Malformed", name: string) => (cause: unknown) =>
  new BenchmarkHistoryError({ reason, benchmark: name, cause })

const make = Effect.fnUntraced(function* (store: Store, { maxReports }: Options) {
  const most = yield* Check.integer("maxReports", maxReports ?? 20, 1, 1000)
  /** Serialises additions: each one reads the history and writes it again. */
  const lock = yield* Effect.makeSemaphore(1)

  const stored: Service["all"] = (name) =>
    Effect.flatMap(
      Effect.mapError(store.get(name), failed("Read", name)),
      Option.match({
        onNone: () => Effect.succeed([]),
        onSome: (text) => Effect.mapError(BenchmarkReport.decode(text), failed("Malformed", name))
      })
    )

  // The file may contain reports of other names
  const all: Service["all"] = (name) =>
    Effect.map(stored(name), (reports) => reports.filter((report) => report.name === name))

  return BenchmarkHistory.of({
    all,
    last: (name) => Effect.map(all(name), Array.last),
    add: (report) =>
      lock.withPermits(1)(
        Effect.flatMap(stored(report.name), (earlier) =>
          Effect.mapError(
            store.set(report.name, BenchmarkText.json([...earlier, report].slice(-most))),
            failed("Write", report.name)
          )
        )
      )
  })
})

/**
 * A history in memory. `InvalidInput` for a `maxReports` outside 1 to 1,000.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerMemory = (options: Options = {}): Layer.Layer<BenchmarkHistory, InvalidInput> =>
  Layer.effect(
    BenchmarkHistory,
    Effect.suspend(() => {
      const texts = new Map<string, string>()
      return make(
        {
          get: (name) => Effect.sync(() => Option.fromNullable(texts.get(name))),
          set: (name, text) => Effect.sync(() => void texts.set(name, text))
        },
        options
      )
    })
  )

/** Maximum bytes of a file that is read. A report of ten cases and a hundred rounds has 30 kB. */
const MAX_BYTES = 64 * 1024 * 1024

/** Age at which a temporary file is removed: a killed run has left it. */
const LEFTOVER_AGE = Duration.hours(1)

/** The name of a file. No name of a benchmark leads out of the folder. */
const keyOf = (name: string): string => `${SafeText.make(name, 80)}.json`

const utf8 = new TextEncoder()

/**
 * A history in a folder, with one file per benchmark. A file is written atomically. Benchmarks with the same first 80
 * characters share a file and its limit. `InvalidInput` as for {@link layerMemory}.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerFileSystem = (
  directory: string,
  options: Options = {}
): Layer.Layer<BenchmarkHistory, BenchmarkHistoryError | InvalidInput, FileSystem> =>
  Layer.effect(
    BenchmarkHistory,
    Effect.gen(function* () {
      const files = yield* Effect.mapError(
        FileStore.make(directory, { maxBytes: MAX_BYTES, leftoverAge: LEFTOVER_AGE }),
        (cause) => new BenchmarkHistoryError({ reason: "Read", benchmark: directory, cause })
      )
      return yield* make(
        {
          get: (name) =>
            Effect.map(
              files.get(keyOf(name)),
              Option.map((bytes) => new TextDecoder().decode(bytes))
            ),
          set: (name, text) => files.set(keyOf(name), utf8.encode(text))
        },
        options
      )
    })
  )

/**
 * A test layer from stubs: a call to a missing member dies with the member's name.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerTest = (stubs: Partial<Service>): Layer.Layer<BenchmarkHistory> =>
  TestLayer.layer(BenchmarkHistory, stubs)
