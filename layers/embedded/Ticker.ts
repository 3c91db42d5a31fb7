/**
 * What makes blocks in interval mode: the Clock.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Chain } from "./Chain.js"

/**
 * Enters a slot whenever one is due. Slots that came due while the process was busy are entered at once, so that the
 * chain never falls behind the Clock.
 *
 * @since 0.1.0
 * @category constructors
 */
export const run = (chain: Chain): Effect.Effect<never> =>
  Effect.gen(function* () {
    const { slotMillis } = chain.settings
    const start = yield* Clock.currentTimeMillis
    let entered = 0
    return yield* Effect.forever(
      Effect.gen(function* () {
        const before = yield* Clock.currentTimeMillis
        yield* Effect.sleep(Math.max(0, start + (entered + 1) * slotMillis - before))
        const now = yield* Clock.currentTimeMillis
        const due = Math.floor((now - start) / slotMillis) - entered
        chain.advance(due, now)
        entered += due
      })
    )
  })
