import * as Effect from "effect/Effect"
import { constVoid } from "effect/Function"
import type { Limit } from "./endBy.js"
import { onLimit } from "./endBy.js"

/**
 * Lets a bounded number of effects run at once; the others wait in the order in which they came.
 *
 * A release hands its permit to the first waiter and wakes nobody else, so the cost of waiting does not grow with the
 * number of waiters, as it does with a semaphore that wakes them all to compete.
 */
export interface FifoSemaphore {
  /** Waits for a permit until the limit, if there is one. */
  readonly withPermit: <A, E, R, L = never>(
    effect: Effect.Effect<A, E, R>,
    limit?: Limit<L>
  ) => Effect.Effect<A, E | L, R>
}

export const make = (permits: number): FifoSemaphore => {
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

  const wait = <L>(limit: Limit<L> | undefined) =>
    Effect.withFiberRuntime<void, L>((fiber) =>
      Effect.async<void, L>((resume) => {
        const waiter = () => {
          cancel()
          resume(Effect.void)
        }
        waiting.add(waiter)
        const cancel =
          limit === undefined
            ? constVoid
            : onLimit(fiber, limit, () => {
                if (waiting.delete(waiter)) resume(Effect.fail(limit.late(`its turn, behind ${permits} others`)))
              })
        // Interrupted after the permit was handed over, it hands it on.
        return Effect.sync(() => {
          cancel()
          if (!waiting.delete(waiter)) release()
        })
      })
    )

  return {
    withPermit: (effect, limit) =>
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
        if (free === 0) return Effect.zipRight(restore(wait(limit)), guarded)
        free--
        return guarded
      })
  }
}
