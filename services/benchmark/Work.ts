/** Runs and times the operations of a case, in this process or in another. */
import * as Array from "effect/Array"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Case as MeasuredCase } from "../../src/observe/BenchmarkReport.js"
import { Stopwatch } from "../Stopwatch.js"

/**
 * The operations that {@link Work} times in one round of mode `latency`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Plan {
  /** Operations to time. */
  readonly operations: number
  /** The index of the first operation. */
  readonly first: number
  /** Maximum operations in flight. */
  readonly concurrency: number
  /** Operations started per second. `None`: the next one starts when an earlier one has ended. */
  readonly rate: Option.Option<number>
}

/**
 * The latencies of one round.
 *
 * @since 0.1.0
 * @category models
 */
export interface Latencies {
  /** The latency of each operation, in any order. */
  readonly micros: ReadonlyArray<number>
  /** Time from the first start to the last end. */
  readonly seconds: number
}

/**
 * The operations of a case: how to run and time them, in this process or in another.
 *
 * @since 0.1.0
 * @category models
 */
export interface Work {
  /** Returns the microseconds of CPU of some calls. */
  readonly cpu: (calls: number) => Effect.Effect<number, unknown>
  /** Returns the latencies of some operations. */
  readonly latencies: (plan: Plan) => Effect.Effect<Latencies, unknown>
  /** Figures in addition to the times, read after the last round. */
  readonly figures?: Effect.Effect<MeasuredCase["figures"], unknown>
}

/** Microseconds of the monotonic clock. */
const now: Effect.Effect<number> = Effect.map(Clock.currentTimeNanos, (nanos) => Number(nanos) / 1000)

/** Microseconds of CPU that an effect takes. */
const cpuOf = <E, R>(self: Effect.Effect<unknown, E, R>): Effect.Effect<number, E, R | Stopwatch> =>
  Effect.gen(function* () {
    const { cpuMicros } = yield* Stopwatch
    const before = yield* cpuMicros
    yield* self
    return (yield* cpuMicros) - before
  })

/**
 * Times operations. With a rate, the latency of an operation counts from its scheduled start, so it includes the delay
 * that an earlier stall caused.
 */
const latenciesOf =
  <E, R>(once: (index: number) => Effect.Effect<unknown, E, R>) =>
  ({ concurrency, first, operations, rate }: Plan): Effect.Effect<Latencies, E, R> =>
    Effect.gen(function* () {
      const micros: Array<number> = []
      const started = yield* now
      let next = 0
      const operation = (index: number) =>
        Effect.gen(function* () {
          const ready = yield* now
          const due = Option.match(rate, { onNone: () => ready, onSome: (rate) => started + (index * 1e6) / rate })
          if (due > ready) yield* Effect.sleep(Duration.millis((due - ready) / 1000))
          yield* once(first + index)
          micros.push((yield* now) - due)
        })
      // The loop takes the number, because the fiber may yield before the operation begins.
      const worker = Effect.whileLoop({
        while: () => next < operations,
        body: () => operation(next++),
        step: () => undefined
      })
      yield* Effect.all(
        Array.makeBy(Math.min(concurrency, operations), () => worker),
        { concurrency: "unbounded", discard: true }
      )
      return { micros, seconds: ((yield* now) - started) / 1e6 }
    })

/** Runs an operation repeatedly, in one fiber. */
const repeated = <E, R>(
  once: (index: number) => Effect.Effect<unknown, E, R>,
  times: number
): Effect.Effect<void, E, R> =>
  Effect.suspend(() => {
    let index = 0
    return Effect.whileLoop({ while: () => index < times, body: () => once(index++), step: () => undefined })
  })

/** The work of an effect, with its context. */
export const fromEffect = <A, E, R>(
  once: (index: number) => Effect.Effect<A, E, R>
): Effect.Effect<Work, never, R | Stopwatch> =>
  Effect.map(Effect.context<R | Stopwatch>(), (context) => ({
    cpu: (calls) => Effect.provide(cpuOf(repeated(once, calls)), context),
    latencies: (plan) => Effect.provide(latenciesOf(once)(plan), context)
  }))

/** Stores results, so that the engine cannot remove the calls. */
let sink: unknown

const calledOften = async (call: (index: number) => unknown, times: number): Promise<void> => {
  for (let index = 0; index < times; index++) {
    sink = call(index)
    if (sink instanceof Promise) await sink
  }
}

const attempted = (run: () => Promise<unknown>): Effect.Effect<unknown, unknown> =>
  Effect.tryPromise({ try: run, catch: (cause) => cause })

/** The work of a function. A promise is awaited, and the result is stored. */
export const fromCall = (call: (index: number) => unknown): Effect.Effect<Work, never, Stopwatch> =>
  Effect.map(Effect.context<Stopwatch>(), (context) => ({
    cpu: (calls) => Effect.provide(cpuOf(attempted(() => calledOften(call, calls))), context),
    latencies: latenciesOf((index) => attempted(async () => (sink = await call(index))))
  }))
