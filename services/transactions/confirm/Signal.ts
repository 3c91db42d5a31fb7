/**
 * Signals that wake sleeping fibers. A signal has no memory: a fiber that starts to wait after a ring waits for the
 * next one.
 *
 * The sleepers are in an array, which each ring replaces. A `Set` that is cleared leaves its table behind, with its entries and
 * a link to the next table. Once one of these tables is old, all later ones and what they hold live until the next full
 * collection.
 */
import * as Effect from "effect/Effect"
import { cancelable } from "../../internal/hot.js"

export interface Signal {
  /** Wakes all fibers that wait now. */
  readonly ring: () => void
  /** Calls back at the next ring, once. The result cancels this. */
  readonly listen: (wake: () => void) => () => void
}

export const make = (): Signal => {
  let sleepers: ReadonlyArray<() => void> = []
  return {
    ring: () => {
      const woken = sleepers
      sleepers = []
      for (const wake of woken) wake()
    },
    listen: (wake) => {
      sleepers = [...sleepers, wake]
      return () => {
        sleepers = sleepers.filter((sleeper) => sleeper !== wake)
      }
    }
  }
}

/** Waits until one of the signals rings, and then listens to none of them. */
export const wait = (...signals: ReadonlyArray<Signal>): Effect.Effect<void> =>
  cancelable<void, never>((resume) => {
    const deafen = () => stops.forEach((stop) => stop())
    const stops = signals.map(({ listen }) =>
      listen(() => {
        deafen()
        resume(Effect.void)
      })
    )
    return deafen
  })

/** Sleeps for the milliseconds, or until one of the signals rings. Returns whether one did. */
export const sleep = (millis: number, ...signals: ReadonlyArray<Signal>): Effect.Effect<boolean> =>
  Effect.raceFirst(Effect.as(Effect.sleep(millis), false), Effect.as(wait(...signals), true))
