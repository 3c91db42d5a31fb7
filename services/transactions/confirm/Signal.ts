import * as Effect from "effect/Effect"

/** Ends sleeps early. */
export interface Signal {
  readonly ring: () => void
  /** Has the callback called when it rings, once; gives how to take that back. */
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

/** Sleeps so many milliseconds, or until one of the signals rings: whether one did. */
export const sleep = (millis: number, ...signals: ReadonlyArray<Signal>): Effect.Effect<boolean> =>
  Effect.raceFirst(Effect.as(Effect.sleep(millis), false), Effect.as(wait(...signals), true))
