/**
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"

/**
 * Lets a bounded number of effects run at once; the others wait in the order in which they came.
 *
 * A release hands its permit to the first waiter and wakes nobody else, so the cost of waiting does not grow with the
 * number of waiters, as it does with a semaphore that wakes them all to compete.
 *
 * @internal
 */
export interface Gate {
  readonly withPermit: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

/** @internal */
export const make = (permits: number): Gate => {
  let free = permits
  // A Set iterates in the order of insertion and lets an interrupted waiter leave from the middle.
  const waiting = new Set<() => void>()

  const release = () => {
    for (const first of waiting) {
      waiting.delete(first)
      return first()
    }
    free++
  }

  const wait = Effect.async<void>((resume) => {
    const waiter = () => resume(Effect.void)
    waiting.add(waiter)
    // Interrupted after the permit was handed over, it hands it on.
    return Effect.sync(() => {
      if (!waiting.delete(waiter)) release()
    })
  })

  return {
    withPermit: (effect) =>
      Effect.uninterruptibleMask((restore) => {
        const guarded = Effect.matchCauseEffect(restore(effect), {
          onFailure: (cause) => {
            release()
            return Effect.failCause(cause)
          },
          onSuccess: (value) => {
            release()
            return Effect.succeed(value)
          }
        })
        if (free === 0) return Effect.zipRight(restore(wait), guarded)
        free--
        return guarded
      })
  }
}
