/**
 * A fair semaphore: a bounded number of effects run at once, and the others wait in the order of their calls.
 *
 * - A release hands its permit to the first waiter and wakes no other. Effect's own semaphore wakes all waiters to compete,
 *   so there a release costs O(waiters).
 * - A waiter that is interrupted after it was handed the permit hands it on, so no permit is lost.
 * - At its limit a waiter leaves the queue and fails. A fiber that has the permit continues.
 */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import { constVoid } from "effect/Function"
import * as Clock from "./clock.js"
import type { Limit } from "./endBy.js"
import { onLimit } from "./endBy.js"
import { FifoSet } from "./FifoSet.js"

export interface FifoSemaphore {
  /** Free permits. */
  readonly free: number
  /** Fibers that wait for a permit. */
  readonly waiting: number
  /** Waits for a permit until the limit, if there is one. */
  readonly withPermit: <A, E, R, L = never>(
    effect: Effect.Effect<A, E, R>,
    limit?: Limit<L>
  ) => Effect.Effect<A, E | L, R>
}

interface Waiter {
  /** The end of its wait, in milliseconds of the monotonic clock. */
  readonly at: number
  readonly fiber: Fiber.RuntimeFiber<unknown, unknown>
  readonly enter: () => void
  readonly expire: () => void
}

export const make = (permits: number): FifoSemaphore => {
  let free = permits
  const waiting = new FifoSet<Waiter>()
  // One timer, for the nearest limit: a timer for each waiter would take most of the memory of a long queue.
  let timerAt = Infinity
  let stopTimer = constVoid

  const setTimer = (waiter: Waiter) => {
    timerAt = waiter.at
    stopTimer = onLimit(waiter.fiber, waiter, expire)
  }

  const clearTimer = () => {
    timerAt = Infinity
    stopTimer()
    stopTimer = constVoid
  }

  const expire = () => {
    clearTimer()
    let nearest: Waiter | undefined
    for (const waiter of waiting) {
      if (waiter.at - Clock.monotonic(waiter.fiber) < 1) {
        waiting.delete(waiter)
        waiter.expire()
      } else if (waiter.at < (nearest?.at ?? Infinity)) nearest = waiter
    }
    if (nearest !== undefined) setTimer(nearest)
  }

  const join = (waiter: Waiter) => {
    waiting.add(waiter)
    if (waiter.at >= timerAt) return
    clearTimer()
    setTimer(waiter)
  }

  const leave = (waiter: Waiter) => {
    waiting.delete(waiter)
    if (waiting.size === 0) clearTimer()
  }

  const release = () => {
    const first = waiting.shift()
    if (first === undefined) {
      free++
      return
    }
    if (waiting.size === 0) clearTimer()
    first.enter()
  }

  const wait = <L>(limit: Limit<L> | undefined) =>
    Effect.withFiberRuntime<void, L>((fiber) =>
      Effect.async<void, L>((resume) => {
        let hasPermit = false
        const waiter: Waiter = {
          at: limit?.at ?? Infinity,
          fiber,
          enter: () => {
            hasPermit = true
            resume(Effect.void)
          },
          expire: () => {
            if (limit !== undefined) resume(Effect.fail(limit.late(`its turn, behind ${permits} others`)))
          }
        }
        join(waiter)
        return Effect.sync(() => {
          leave(waiter)
          if (hasPermit) release()
        })
      })
    )

  return {
    get free() {
      return free
    },
    get waiting() {
      return waiting.size
    },
    withPermit: (effect, limit) =>
      Effect.uninterruptibleMask((restore) => {
        const guarded = () =>
          Effect.matchCauseEffect(restore(effect), {
            onFailure: (cause) => {
              release()
              return Effect.failCause(cause)
            },
            onSuccess: (value) => {
              release()
              return Effect.succeed(value)
            }
          })
        if (free === 0) return Effect.flatMap(restore(wait(limit)), guarded)
        free--
        return guarded()
      })
  }
}
