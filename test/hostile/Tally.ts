/** The violations by hostile inputs: each list has one line per event of its kind. */
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"

export interface Tally {
  cases: number
  /** Uncaught exceptions, unhandled rejections and defects. */
  readonly crashes: Array<string>
  /** Inputs with neither an answer nor an error within `BOUND`. */
  readonly hangs: Array<string>
  /** Failures of another error class than the call declares. */
  readonly untypedErrors: Array<string>
  /** Memory that a run did not release. */
  readonly leaks: Array<string>
}

export const make = (): Tally => ({ cases: 0, crashes: [], hangs: [], untypedErrors: [], leaks: [] })

/** Longer than each timeout of client and server. */
export const BOUND = "60 seconds"

const show = (what: string, value: unknown): string =>
  `${what}: ${value instanceof Error ? (value.stack ?? value.message) : String(value)}`.slice(0, 2000)

/** Records the end of one call, even of an uninterruptible one. It must end within `bound`. */
export const end = <A, E>(
  tally: Tally,
  what: string,
  call: Effect.Effect<A, E>,
  isTyped: (error: E) => boolean,
  bound: Duration.DurationInput = BOUND
) =>
  Effect.map(Effect.timeoutOption(Effect.disconnect(Effect.exit(call)), bound), (ended) => {
    if (Option.isNone(ended)) {
      tally.hangs.push(what)
      return
    }
    if (Exit.isSuccess(ended.value)) return
    for (const defect of Cause.defects(ended.value.cause)) tally.crashes.push(show(what, defect))
    for (const error of Cause.failures(ended.value.cause)) {
      if (!isTyped(error)) tally.untypedErrors.push(show(what, error))
    }
  })

/** Counts exceptions outside of every Effect, and defects of unawaited fibers, while `effect` runs. */
export const watch = <A, E, R>(tally: Tally, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
  const note = (error: unknown) => void tally.crashes.push(show("thrown", error))
  const logger = Logger.make(({ cause }) => {
    for (const defect of Chunk.toReadonlyArray(Cause.defects(cause))) tally.crashes.push(show("logged", defect))
  })
  return Effect.acquireUseRelease(
    Effect.sync(() => process.on("uncaughtException", note).on("unhandledRejection", note)),
    () => effect,
    () => Effect.sync(() => process.off("uncaughtException", note).off("unhandledRejection", note))
  ).pipe(Logger.withMinimumLogLevel(LogLevel.All), Effect.provide(Logger.replace(Logger.defaultLogger, logger)))
}
