/**
 * Measures contenders in interleaved rounds.
 *
 * Invariant: the n-th rounds of all contenders without a failure ran in the same time. A contender that fails loses all
 * its rounds and is not run again.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type { Case as MeasuredCase } from "../../src/observe/BenchmarkReport.js"
import * as ExponentialHistogram from "../../src/observe/ExponentialHistogram.js"
import * as Statistics from "../../src/observe/Statistics.js"
import * as SafeText from "../../src/SafeText.js"
import * as TimeLimit from "../internal/timeLimit.js"
import type { Latencies, Work } from "./Work.js"

export interface Settings {
  readonly mode: "cpu" | "latency"
  readonly rounds: number
  readonly maxRounds: number
  readonly roundMicros: number
  readonly warmMicros: number
  readonly operations: number
  readonly concurrency: number
  readonly rate: Option.Option<number>
  readonly timeoutMillis: number
  readonly threshold: number
  readonly onRound: (round: number, of: number) => Effect.Effect<void>
}

export interface Contender {
  readonly name: string
  readonly isControl: boolean
  readonly operations: number
  readonly note: Option.Option<string>
  readonly work: Option.Option<Work>
  readonly histogram: ExponentialHistogram.ExponentialHistogram
  /** Calls in one round. */
  calls: number
  /** Operations that were started, including the warm-up. */
  started: number
  timed: number
  seconds: number
  rounds: Array<number>
  failure: Option.Option<Cause.Cause<unknown>>
}

interface Preparable<R> {
  readonly operations: number
  readonly note: Option.Option<string>
  readonly prepare: Effect.Effect<Work, unknown, R>
}

const within = ({ timeoutMillis }: Settings) =>
  TimeLimit.within(timeoutMillis, () => `it did not end within ${timeoutMillis} ms`)

export const prepared = <R>(
  settings: Settings,
  name: string,
  isControl: boolean,
  { note, operations, prepare }: Preparable<R>
): Effect.Effect<Contender, never, R> =>
  Effect.map(Effect.exit(within(settings)(prepare)), (made) => ({
    name,
    isControl,
    operations,
    note,
    work: Exit.isSuccess(made) ? Option.some(made.value) : Option.none(),
    histogram: ExponentialHistogram.make(),
    calls: 1,
    started: 0,
    timed: 0,
    seconds: 0,
    rounds: [],
    failure: Exit.isFailure(made) ? Option.some(made.cause) : Option.none()
  }))

/** Maximum calls in a round. Work that takes too little time for the timer even then cannot be measured. */
const MOST_CALLS = 2 ** 24

/** Below this many microseconds, the timer's resolution distorts the result. */
const LEAST_MICROS = 100

/** Runs a case until the engine has compiled it, and determines how many calls fill a round. */
const calibrate = (settings: Settings, contender: Contender, work: Work): Effect.Effect<void, unknown> =>
  Effect.gen(function* () {
    let spent = 0
    let calls = 1
    let micros = 0
    while (spent < settings.warmMicros) {
      micros = yield* work.cpu(calls)
      spent += micros
      if (micros < settings.roundMicros) {
        if (calls === MOST_CALLS && micros < LEAST_MICROS)
          return yield* Effect.fail("it is too fast to be measured: do more work in one run")
        if (calls === MOST_CALLS) break
        calls *= 2
      }
    }
    const last = Math.max(yield* work.cpu(calls), 1)
    contender.calls = Math.min(Math.max(1, Math.round((calls * settings.roundMicros) / last)), MOST_CALLS)
  })

/**
 * A report contains only finite times: `NaN` would become `null` in JSON, and make the history that contains it
 * unreadable.
 */
const isTime = (micros: number): boolean => Number.isFinite(micros) && micros >= 0

const NO_TIME = "its time is not a number from 0"

const cpuRound = (contender: Contender, work: Work): Effect.Effect<void, unknown> =>
  Effect.flatMap(work.cpu(contender.calls), (micros) => {
    if (!isTime(micros)) return Effect.fail(NO_TIME)
    const operations = contender.calls * contender.operations
    contender.timed += operations
    contender.rounds.push(micros / operations)
    return Effect.void
  })

/** Runs the next operations of a contender. */
const nextLatencies = (
  { concurrency, rate }: Settings,
  contender: Contender,
  work: Work,
  operations: number
): Effect.Effect<Latencies, unknown> => {
  const first = contender.started
  contender.started += operations
  return Effect.filterOrFail(
    work.latencies({ operations, first, concurrency, rate }),
    ({ micros, seconds }) => isTime(seconds) && micros.every(isTime),
    () => NO_TIME
  )
}

/** Maximum rounds of the warm-up, for operations that take no time. */
const MOST_WARM_ROUNDS = 1000

/** Runs rounds that do not count: at least one, until they have taken the time of the warm-up. */
const warmLatencies = (
  settings: Settings,
  contender: Contender,
  work: Work,
  operations: number
): Effect.Effect<void, unknown> =>
  Effect.gen(function* () {
    let micros = 0
    for (let round = 0; round === 0 || (micros < settings.warmMicros && round < MOST_WARM_ROUNDS); round++)
      micros += 1e6 * (yield* nextLatencies(settings, contender, work, operations)).seconds
  })

const latencyRound = (
  settings: Settings,
  contender: Contender,
  work: Work,
  operations: number
): Effect.Effect<void, unknown> =>
  Effect.gen(function* () {
    const { micros, seconds } = yield* nextLatencies(settings, contender, work, operations)
    if (micros.length === 0) return yield* Effect.fail("it returned no latency")
    let sum = 0
    for (const each of micros) {
      const own = each / contender.operations
      sum += own
      ExponentialHistogram.record(contender.histogram, own)
    }
    contender.timed += micros.length * contender.operations
    contender.seconds += seconds
    contender.rounds.push(sum / micros.length)
  })

/** Runs a step of a contender, unless it has failed. */
const attempt = (
  settings: Settings,
  contender: Contender,
  step: (work: Work) => Effect.Effect<void, unknown>
): Effect.Effect<void> =>
  Option.isSome(contender.failure) || Option.isNone(contender.work)
    ? Effect.void
    : Effect.map(Effect.exit(within(settings)(step(contender.work.value))), (exit) => {
        if (Exit.isSuccess(exit)) return
        contender.failure = Option.some(exit.cause)
        contender.rounds = []
      })

const medianOf = (values: ReadonlyArray<number>): number => Option.getOrElse(Statistics.median(values), () => NaN)

/** Resamples that suffice to estimate the width of an interval. */
const RESAMPLES = 400

/**
 * Whether the control's interval is narrower than the threshold. Its position is ignored: it would select runs with a
 * certain result.
 */
const isPrecise = ({ threshold }: Settings, base: Contender | undefined, control: Contender | undefined): boolean => {
  if (base === undefined || control === undefined) return true
  const ratios = control.rounds.map((micros, round) => micros / (base.rounds[round] ?? NaN)).filter(Number.isFinite)
  const interval = Statistics.bootstrap(ratios, medianOf, { random: Statistics.seeded(1), resamples: RESAMPLES })
  return Option.match(interval, { onNone: () => true, onSome: ({ high, low }) => high - low <= threshold })
}

/** Rounds between two checks of the width. */
const LOOK = 8

const hasFailed = (contender: Contender | undefined): boolean =>
  contender === undefined || Option.isSome(contender.failure)

/** Warms all contenders up, then runs the rounds. It ends early if the base fails. */
export const measure = (
  settings: Settings,
  contenders: ReadonlyArray<Contender>,
  base: Contender | undefined,
  control: Contender | undefined
): Effect.Effect<void> =>
  Effect.gen(function* () {
    const { maxRounds, mode, onRound, operations, rounds } = settings
    const perRound = (round: number): number =>
      Math.floor((operations * (round + 1)) / rounds) - Math.floor((operations * round) / rounds)
    for (const contender of contenders) {
      yield* attempt(settings, contender, (work) =>
        mode === "cpu" ? calibrate(settings, contender, work) : warmLatencies(settings, contender, work, perRound(0))
      )
    }
    const last = mode === "cpu" ? maxRounds : rounds
    for (let round = 0; round < last && !hasFailed(base); round++) {
      if (round >= rounds && round % LOOK === 0 && isPrecise(settings, base, control)) break
      for (const contender of yield* Random.shuffle(contenders)) {
        yield* attempt(settings, contender, (work) =>
          mode === "cpu" ? cpuRound(contender, work) : latencyRound(settings, contender, work, perRound(round))
        )
      }
      yield* onRound(round + 1, round < rounds ? rounds : last)
    }
  })

/** The measurements of a contender, with the figures that its work reports at the end. */
export const result = (settings: Settings, contender: Contender): Effect.Effect<MeasuredCase> =>
  Effect.gen(function* () {
    const { histogram, isControl, name, note, rounds, seconds, timed, work } = contender
    const figures = yield* Option.match(work, {
      onNone: () => Effect.succeed([]),
      onSome: ({ figures = Effect.succeed([]) }) =>
        Effect.catchAllCause(within(settings)(figures), () => Effect.succeed([]))
    })
    const shown = Option.map(contender.failure, (cause) => SafeText.make(String(Cause.squash(cause))))
    return {
      name,
      isControl,
      operations: timed,
      rounds: [rounds],
      figures: figures.filter(({ value }) => Number.isFinite(value)),
      ...(rounds.length > 0 && histogram.count > 0
        ? { latencies: { seconds, ...ExponentialHistogram.toOtlp(histogram) } }
        : {}),
      ...Option.match(shown, { onNone: () => ({}), onSome: (failure) => ({ failure }) }),
      ...Option.match(note, { onNone: () => ({}), onSome: (note) => ({ note: SafeText.make(note) }) })
    }
  })
