import * as Effect from "effect/Effect"

/** Ends sleeps early. */
export interface Bell {
  readonly ring: () => void
  /** Has the callback called when it rings, once; gives how to take that back. */
  readonly listen: (wake: () => void) => () => void
}

export const make = (): Bell => {
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

/** Waits until one of the bells rings. */
export const wait = (...bells: ReadonlyArray<Bell>): Effect.Effect<void> =>
  Effect.async<void>((resume) => {
    const deafen = bells.map(({ listen }) => listen(() => resume(Effect.void)))
    return Effect.sync(() => deafen.forEach((stop) => stop()))
  })

/** Sleeps so many milliseconds, or until one of the bells rings: whether one did. */
export const sleep = (millis: number, ...bells: ReadonlyArray<Bell>): Effect.Effect<boolean> =>
  Effect.raceFirst(Effect.as(Effect.sleep(millis), false), Effect.as(wait(...bells), true))
