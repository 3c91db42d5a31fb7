/**
 * Signals that wake sleeping fibers. A signal keeps nothing: a fiber that begins to wait after a ring waits for the next.
 */
import * as Effect from "effect/Effect"

export interface Signal {
  /** Wakes all fibers that wait now. */
  readonly ring: () => void
  /** Calls back at the next ring, once. The result takes that back. */
  readonly listen: (wake: () => void) => () => void
}

export const make = (): Signal => {
  const sleepers = new Set<() => void>()
  return {
    ring: () => {
      for (const wake of sleepers) wake()
      sleepers.clear()
    },
    listen: (wake) => {
      sleepers.add(wake)
      return () => sleepers.delete(wake)
    }
  }
}

/** Waits until one of the signals rings. */
export const wait = (...signals: ReadonlyArray<Signal>): Effect.Effect<void> =>
  Effect.async<void>((resume) => {
    const deafen = signals.map(({ listen }) => listen(() => resume(Effect.void)))
    return Effect.sync(() => deafen.forEach((stop) => stop()))
  })

/** Sleeps for the milliseconds, or until one of the signals rings. Says whether one did. */
export const sleep = (millis: number, ...signals: ReadonlyArray<Signal>): Effect.Effect<boolean> =>
  Effect.raceFirst(Effect.as(Effect.sleep(millis), false), Effect.as(wait(...signals), true))
