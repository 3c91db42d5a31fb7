/**
 * Produces the blocks of interval mode by the monotonic Clock.
 *
 * Invariant: slots are counted from the start, so a late wake-up delays no later slot. A clock that stands still, as
 * `TestClock` does, makes no block and no busy loop.
 */
import * as Effect from "effect/Effect"
import * as Clock from "../../services/internal/clock.js"
import type { Chain } from "./chain/Chain.js"

/** Enters each slot when it is due. It enters overdue slots at once, so the chain never falls behind the Clock. */
export const run = (chain: Chain): Effect.Effect<never> =>
  Effect.gen(function* () {
    const { slotMillis } = chain.settings
    const start = yield* Clock.monotonicMillis
    let entered = 0
    return yield* Effect.forever(
      Effect.gen(function* () {
        const before = yield* Clock.monotonicMillis
        yield* Effect.sleep(Math.max(0, start + (entered + 1) * slotMillis - before))
        const now = yield* Clock.monotonicMillis
        const due = Math.floor((now - start) / slotMillis) - entered
        chain.advance(due, now)
        entered += due
      })
    )
  })
