/**
 * Lets slots pass by the Clock in instant mode while a client waits for them. Otherwise only transactions make blocks,
 * so a client that waits for a slot, a root or the expiry of a blockhash would wait for ever.
 *
 * A client waits while it has a subscription to slots or roots, or if it requests the slot again and no block was made
 * since its last request. Without a subscription, no timer runs.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Clock from "../../services/internal/clock.js"
import type { Chain } from "./chain/Chain.js"
import type { Feeds } from "./rpc/Feeds.js"

/** Methods whose answer changes when slots pass. */
const POLLS: ReadonlySet<string> = new Set(["getBlockHeight", "getEpochInfo", "getSlot", "isBlockhashValid"])

/** Maximum slots that pass between two requests, about a minute. After a longer pause, the client was not waiting. */
const MAX_SLOTS = 150

/** Makes a block each slot while there are subscribers to slots, unless transactions make blocks. */
export const run = (chain: Chain, feeds: Feeds): Effect.Effect<void, never, Scope.Scope> =>
  Effect.suspend(() => {
    const { slotMillis } = chain.settings
    const watched = Effect.unsafeMakeLatch(false)
    feeds.onWatch = (isWatched) => (isWatched ? watched.unsafeOpen() : watched.unsafeClose())
    const pass = Effect.gen(function* () {
      yield* watched.await
      const { slot } = chain.bank("processed")
      yield* Effect.sleep(slotMillis)
      const now = yield* Clock.monotonicMillis
      if (feeds.isWatched && chain.bank("processed").slot === slot) chain.advance(1, now)
    })
    return Effect.asVoid(Effect.forkScoped(Effect.interruptible(Effect.forever(pass))))
  })

/** Returns a function to call before each method. It lets slots pass between repeated requests. */
export const polls = (chain: Chain): ((method: string, nowMillis: number) => void) => {
  const { slotMillis } = chain.settings
  let asked: { readonly slot: number; readonly at: number } | undefined
  return (method, nowMillis) => {
    if (!POLLS.has(method)) return
    const { slot } = chain.bank("processed")
    if (asked?.slot !== slot) {
      asked = { slot, at: nowMillis }
      return
    }
    const passed = Math.floor((nowMillis - asked.at) / slotMillis)
    if (passed < 1) return
    if (passed <= MAX_SLOTS) chain.advance(passed, nowMillis)
    asked = { slot: chain.bank("processed").slot, at: asked.at + passed * slotMillis }
  }
}
