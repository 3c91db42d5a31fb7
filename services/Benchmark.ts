/**
 * Benchmarks with reliable results on a noisy machine.
 *
 * Every round runs every case once, in shuffled order. Each case is compared with the base of the same round, because a
 * disturbance of the machine affects both. The base runs twice, as a control: a change smaller than the difference
 * between its two runs does not count. Ratios have a 95 % interval. A verdict needs an interval that lies wholly on one
 * side.
 *
 * @since 0.1.0
 */
import type * as Command from "@effect/platform/Command"
import type { CommandExecutor, Process } from "@effect/platform/CommandExecutor"
import * as Array from "effect/Array"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { constVoid } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Check from "../src/internal/check.js"
import * as Outside from "../src/internal/Outside.js"
import { printable } from "../src/internal/printable.js"
import type { InvalidInput } from "../src/InvalidInput.js"
import * as BenchmarkReport from "../src/observe/BenchmarkReport.js"
import type { Case as MeasuredCase, Report } from "../src/observe/BenchmarkReport.js"
import * as SafeText from "../src/SafeText.js"
import * as Rounds from "./benchmark/Rounds.js"
import type { Work } from "./benchmark/Work.js"
import * as Works from "./benchmark/Work.js"
import * as TimeLimit from "./internal/timeLimit.js"
import { Stopwatch } from "./Stopwatch.js"

export type { Latencies, Plan, Work } from "./benchmark/Work.js"

/** The tag of `@effect/platform`'s `CommandExecutor`, without loading its module. Tags with equal keys are equal. */
const commandExecutor = Context.GenericTag<CommandExecutor>("@effect/platform/CommandExecutor")

/**
 * A benchmark produced no report.
 *
 * - `Base`: the base failed, so no case can be compared. Any other failed case is marked in the report.
 * - `Process`: the process that measures failed, or did not end in time.
 * - `Malformed`: the output of the process is not a report.
 *
 * @since 0.1.0
 * @category errors
 */
export class BenchmarkError extends printable(
  Schema.TaggedError<BenchmarkError>("@pod-protocol/effect/BenchmarkError")("BenchmarkError", {
    reason: Schema.Literal("Base", "Process", "Malformed"),
    detail: SafeText.Schema(),
    cause: Schema.optional(Outside.Cause)
  })
) {
  /** Always false: the same code fails again. */
  readonly isRetryable = false

  override get message(): string {
    return `${this.detail}: ${ADVICE[this.reason]}`
  }
}

const ADVICE: Readonly<Record<BenchmarkError["reason"], string>> = {
  Base: "run the base alone and fix it",
  Process: "run the command by hand and read its output",
  Malformed: "the command must write only BenchmarkText.json of its reports"
}

/**
 * One contender of a benchmark: {@link effect}, {@link call} or {@link remote}. {@link withSetup} provides its
 * requirements.
 *
 * @since 0.1.0
 * @category models
 */
export interface Case<out R> {
  /** Operations in one call. Times are divided by this number. */
  readonly operations: number
  /** Makes the work before the first round. The Scope closes after the last. */
  readonly prepare: Effect.Effect<Work, unknown, R>
  readonly note: Option.Option<string>
}

/**
 * Options of a case.
 *
 * @since 0.1.0
 * @category models
 */
export interface CaseOptions {
  /** Operations in one run, by which its time is divided. Default 1. A wrong number makes the figures wrong. */
  readonly operations?: number | undefined
  /** A remark for readers of the report, such as a limitation of the case. Default: none. */
  readonly note?: string | undefined
}

const caseOf = <R>(prepare: Effect.Effect<Work, unknown, R>, { note, operations = 1 }: CaseOptions = {}): Case<R> => ({
  operations,
  note: Option.fromNullable(note),
  prepare
})

/**
 * A case that runs an effect, or the effect that a function returns for the number of the run.
 *
 * @since 0.1.0
 * @category constructors
 */
export const effect = <A, E, R>(
  run: Effect.Effect<A, E, R> | ((index: number) => Effect.Effect<A, E, R>),
  options?: CaseOptions
): Case<R | Stopwatch> => caseOf(Works.fromEffect(Effect.isEffect(run) ? () => run : run), options)

/**
 * A case that calls a function with the number of the run. A promise is awaited before the next call. The result is
 * stored, so that the engine cannot remove the call.
 *
 * @since 0.1.0
 * @category constructors
 */
export const call = (run: (index: number) => unknown, options?: CaseOptions): Case<Stopwatch> =>
  caseOf(Works.fromCall(run), options)

const untold = (what: string) => () => Effect.fail(`the case does not measure its ${what}`)

/**
 * A case that is timed elsewhere, such as in another process. In each round, it returns the microseconds of CPU of some
 * calls, or the latencies of some operations.
 *
 * @since 0.1.0
 * @category constructors
 */
export const remote = <E, R>(prepare: Effect.Effect<Partial<Work>, E, R>, options?: CaseOptions): Case<R> => {
  return caseOf(
    Effect.map(prepare, (work) => ({ cpu: untold("CPU time"), latencies: untold("latencies"), ...work })),
    options
  )
}

/**
 * Provides a case with its requirements. The layer is built once before the first round, outside the timing, and is
 * released after the last round.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withSetup = <R, Out, E, In>(
  self: Case<R>,
  setup: Layer.Layer<Out, E, In>
): Case<Exclude<R, Out> | In | Scope.Scope> => ({
  ...self,
  prepare: Effect.flatMap(Layer.build(setup), (built) => Effect.provide(self.prepare, built))
})

/**
 * Cases that do the same work.
 *
 * @since 0.1.0
 * @category models
 */
export interface Benchmark<out R> {
  readonly name: string
  readonly base: string
  readonly cases: ReadonlyArray<readonly [name: string, contender: Case<R>]>
}

/**
 * The requirements of the cases of a record.
 *
 * @since 0.1.0
 * @category models
 */
export type RequirementsOf<Cases> = Cases[keyof Cases] extends Case<infer R> ? R : never

/**
 * Defines a benchmark: names the cases, and the base with which the others are compared. The base should be code that
 * never changes: reports of different days are compared by their ratios to it.
 *
 * @example
 * ```ts
 * import { Benchmark, StopwatchNode } from "@pod-protocol/effect"
 * import * as BenchmarkText from "@pod-protocol/effect/observe/BenchmarkText"
 * import * as Effect from "effect/Effect"
 *
 * const list = Array.from({ length: 1000 }, (_, index) => index)
 *
 * const sums = Benchmark.make({
 *   name: "sum of 1,000 numbers",
 *   base: "loop",
 *   cases: {
 *     loop: Benchmark.call(() => {
 *       let sum = 0
 *       for (const each of list) sum += each
 *       return sum
 *     }),
 *     reduce: Benchmark.call(() => list.reduce((sum, each) => sum + each, 0)),
 *     effect: Benchmark.effect(Effect.reduce(list, 0, (sum, each) => Effect.succeed(sum + each)))
 *   }
 * })
 *
 * export const printed = Benchmark.run(sums).pipe(
 *   Effect.map((report) => BenchmarkText.text(report)),
 *   Effect.provide(StopwatchNode.layer)
 * )
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <const Cases extends Readonly<Record<string, Case<unknown>>>>(definition: {
  readonly name: string
  readonly base: keyof Cases & string
  readonly cases: Cases
}): Benchmark<RequirementsOf<Cases>> => {
  const { base, cases, name } = definition
  const entries: ReadonlyArray<readonly [string, Case<unknown>]> = Object.entries(cases)
  // `Object.entries` gives all values one type. Each case needs a part of the common requirements
  return { name, base, cases: entries as ReadonlyArray<readonly [string, Case<RequirementsOf<Cases>>]> }
}

/**
 * The options of a run: what is measured, and for how long.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * `cpu` measures the CPU time of the process, including garbage collection: waits and other processes do not count.
   * `latency` measures the elapsed time of each operation. Default `cpu`.
   */
  readonly mode?: "cpu" | "latency" | undefined
  /** Minimum number of rounds, 2 to 10,000. Default 31. Too low: wide intervals. Too high: a long run. */
  readonly rounds?: number | undefined
  /**
   * In mode `cpu`, the maximum number of rounds: a run continues until the control's interval is narrower than the
   * threshold. Default four times `rounds`. Too low: more verdicts are `TooNoisy`. Too high: a noisy machine needs a long
   * run.
   */
  readonly maxRounds?: number | undefined
  /**
   * In mode `cpu`, the CPU time of a case in a round. Default 12 milliseconds. Too low (below 2): the timer's resolution
   * distorts the result. Too high (above 100): the state of the machine changes within a round.
   */
  readonly roundTime?: Duration.DurationInput | undefined
  /**
   * Time of each case before the first round, in which the engine compiles it. Default 150 milliseconds: of CPU in mode
   * `cpu`, of elapsed time in mode `latency`. In mode `latency`, it runs at least as many operations as a round. Too
   * low: the first rounds are slower. Too high: a long run.
   */
  readonly warmUp?: Duration.DurationInput | undefined
  /**
   * In mode `latency`, operations of each case over all rounds. Default 1,000. Too low: with fewer than 200, the report
   * has no P95. Too high: a long run.
   */
  readonly operations?: number | undefined
  /**
   * In mode `latency`, maximum operations in flight, 1 to 10,000. Default 1, and 1,000 with a rate. Too low: the system
   * is idle between operations. Too high: operations wait within the system, and their latency grows.
   */
  readonly concurrency?: number | undefined
  /**
   * In mode `latency`, operations started per second. The latency of each counts from its scheduled start, even if it
   * started later. Default: no rate, so each operation starts when an earlier one has ended, and a stall delays only the
   * operations in flight. Too low: a long run. Too high: the system is overloaded, and latencies grow until the end.
   */
  readonly rate?: number | undefined
  /**
   * Maximum duration of a case in a round. Default 1 minute. Too low: slow cases fail. Too high: a hanging case delays the
   * run. Synchronous work cannot be interrupted.
   */
  readonly timeout?: Duration.DurationInput | undefined
  /**
   * The smallest relevant change, as a share from 0 to 1. Default 0.02. Too low: most cases are `TooNoisy`. Too high: a
   * smaller change counts as `NoChange`.
   */
  readonly threshold?: number | undefined
  /** The version that is measured, such as a commit. Default: none. */
  readonly of?: string | undefined
  /** Runs after each round, for example to show the progress. Default: nothing. */
  readonly onRound?: ((round: number, of: number) => Effect.Effect<void>) | undefined
}

const checked = Effect.fnUntraced(function* (options: Options) {
  const { mode = "cpu", onRound = () => Effect.void, rate, rounds: atLeast } = options
  yield* Check.oneOf("mode", mode, ["cpu", "latency"])
  const rounds = yield* Check.integer("rounds", atLeast ?? 31, 2, BenchmarkReport.LIMITS.rounds)
  const most = Math.min(4 * rounds, BenchmarkReport.LIMITS.rounds)
  const settings: Rounds.Settings = {
    mode,
    rounds,
    maxRounds: yield* Check.integer("maxRounds", options.maxRounds ?? most, rounds, BenchmarkReport.LIMITS.rounds),
    roundMicros: 1000 * (yield* Check.millisBetween("roundTime", options.roundTime ?? 12, 1, 60_000)),
    warmMicros: 1000 * (yield* Check.millisBetween("warmUp", options.warmUp ?? 150, 1, 600_000)),
    operations: yield* Check.integer("operations", options.operations ?? 1000, rounds, 100_000_000),
    concurrency: yield* Check.integer("concurrency", options.concurrency ?? (rate === undefined ? 1 : 1000), 1, 10_000),
    rate: Option.fromNullable(rate === undefined ? undefined : yield* Check.between("rate", rate, 0.001, 1_000_000)),
    timeoutMillis: yield* Check.millisBetween("timeout", options.timeout ?? "1 minute", 1, 86_400_000),
    threshold: yield* Check.between("threshold", options.threshold ?? BenchmarkReport.THRESHOLD, 0.0001, 1),
    onRound
  }
  return settings
})

const checkNames = Effect.fnUntraced(function* <R>({ base, cases, name }: Benchmark<R>) {
  yield* Check.items("name", name.length, 200)
  yield* Check.items("cases", cases.length, BenchmarkReport.LIMITS.cases - 1)
  yield* Check.oneOf(
    "base",
    base,
    cases.map(([name]) => name)
  )
  for (const [name, { operations }] of cases) {
    yield* Check.items(`cases.${name}`, name.length, 200)
    yield* Check.integer(`cases.${name}.operations`, operations, 1)
  }
})

/**
 * Measures the cases against each other in this process. A case that fails or exceeds its time is marked as failed, and
 * the others continue. The base is measured twice: the second measurement is the control.
 *
 * @since 0.1.0
 * @category running
 */
export const run = <R>(
  benchmark: Benchmark<R>,
  options: Options = {}
): Effect.Effect<Report, BenchmarkError | InvalidInput, Exclude<R, Scope.Scope> | Stopwatch> =>
  Effect.scoped(
    Effect.gen(function* () {
      const settings = yield* checked(options)
      yield* checkNames(benchmark)
      const { machine } = yield* Stopwatch
      const contenders: Array<Rounds.Contender> = []
      for (const [name, contender] of benchmark.cases) {
        contenders.push(yield* Rounds.prepared(settings, name, false, contender))
        if (name === benchmark.base) contenders.push(yield* Rounds.prepared(settings, name, true, contender))
      }
      const [base, control] = contenders.filter(({ name }) => name === benchmark.base)
      yield* Rounds.measure(settings, contenders, base, control)
      if (base === undefined || Option.isSome(base.failure)) {
        const cause = Option.flatMap(Option.fromNullable(base), ({ failure }) => failure)
        return yield* new BenchmarkError({
          reason: "Base",
          detail: `${benchmark.base}, the base of ${benchmark.name}, failed`,
          cause: Option.getOrUndefined(Option.map(cause, Cause.squash))
        })
      }
      const cases: Array<MeasuredCase> = []
      for (const contender of contenders) cases.push(yield* Rounds.result(settings, contender))
      return {
        version: 1,
        name: benchmark.name,
        mode: settings.mode,
        base: benchmark.base,
        at: yield* Clock.currentTimeMillis,
        ...(options.of === undefined ? {} : { of: options.of.slice(0, 100) }),
        machine: yield* machine,
        threshold: settings.threshold,
        cases
      }
    })
  )

/**
 * Measures in several processes, one after another, and merges their reports. Samples of one process are not
 * independent trials: its memory layout and its compiled code stay the same for its lifetime. `one` runs with the
 * number of the process, from 0; {@link command} is one such function.
 *
 * @since 0.1.0
 * @category running
 */
export const processes = <E, R>(
  count: number,
  one: (nth: number) => Effect.Effect<Report, E, R>
): Effect.Effect<Report, E | InvalidInput, R> =>
  Effect.gen(function* () {
    yield* Check.integer("count", count, 1, BenchmarkReport.LIMITS.processes)
    const first = yield* one(0)
    const others = yield* Effect.forEach(Array.makeBy(count, (nth) => nth).slice(1), one)
    return BenchmarkReport.merge([first, ...others])
  })

const failed = (detail: string) => (cause?: unknown) => new BenchmarkError({ reason: "Process", detail, cause })

/** Milliseconds that a process has to end by itself, before it is killed. */
const GRACE_MILLIS = 1000

/** Ends a process. The executor waits for ever for a process that ignores SIGTERM. */
const ended = (child: Process): Effect.Effect<void> =>
  TimeLimit.orElse(
    GRACE_MILLIS,
    constVoid
  )(child.kill("SIGTERM")).pipe(
    Effect.zipRight(Effect.whenEffect(child.kill("SIGKILL"), child.isRunning)),
    Effect.whenEffect(child.isRunning),
    Effect.ignore
  )

/**
 * Runs a command and returns the report that it writes to standard output with `BenchmarkText.json`: the first one, if
 * there are several.
 *
 * `timeout` is the maximum duration of the process (default 10 minutes), and `maxBytes` the maximum size of its output
 * (default 16 MiB). A process that exceeds one of them is killed.
 *
 * @since 0.1.0
 * @category running
 */
export const command = (
  program: Command.Command,
  options: { readonly timeout?: Duration.DurationInput | undefined; readonly maxBytes?: number | undefined } = {}
): Effect.Effect<Report, BenchmarkError | InvalidInput, CommandExecutor> =>
  Effect.gen(function* () {
    const timeout = yield* Check.millis("timeout", options.timeout ?? "10 minutes")
    const maxBytes = yield* Check.integer("maxBytes", options.maxBytes ?? 16 * 1024 * 1024, 1, 1024 ** 3)
    const executor = yield* commandExecutor
    const written = Effect.scoped(
      Effect.gen(function* () {
        const child = yield* executor.start(program)
        yield* Effect.addFinalizer(() => ended(child))
        // A pipe that nobody reads blocks the process when it is full.
        yield* Effect.forkScoped(Effect.catchAllCause(Stream.runDrain(child.stderr), () => Effect.void))
        let bytes = 0
        const text = yield* child.stdout.pipe(
          Stream.takeWhile((chunk) => (bytes += chunk.length) <= maxBytes),
          Stream.decodeText(),
          Stream.mkString
        )
        if (bytes > maxBytes) return yield* failed(`The process wrote more than ${maxBytes} bytes`)()
        const code = yield* child.exitCode
        return code === 0 ? text : yield* failed(`The process ended with code ${code}`)()
      })
    ).pipe(
      Effect.catchTags({
        BadArgument: (cause) => failed("The process could not be started")(cause),
        SystemError: (cause) => failed("The process could not be started")(cause)
      }),
      TimeLimit.within(timeout, () => failed(`The process did not end within ${timeout} ms`)())
    )
    const reports = yield* Effect.mapError(Effect.flatMap(written, BenchmarkReport.decode), (cause) =>
      cause instanceof BenchmarkError
        ? cause
        : new BenchmarkError({ reason: "Malformed", detail: "The process wrote no report", cause })
    )
    return yield* Effect.mapError(
      Array.head(reports),
      () => new BenchmarkError({ reason: "Malformed", detail: "The process wrote no report" })
    )
  })

export {
  /**
   * Compares a report with an earlier one: `BenchmarkReport.compare`.
   *
   * @since 0.1.0
   * @category getters
   */
  compare
} from "../src/observe/BenchmarkReport.js"
