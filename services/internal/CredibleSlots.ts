/**
 * Decides which slots of answers a cluster can have reached.
 *
 * A slot is credible if the cluster can have reached it since the pool last reported its slot. Any other slot is
 * compared with the pool's current slot. So a slot of one endpoint that is far in the future is not credible, even if
 * the endpoint raises it step by step.
 */
import type { Slot } from "@solana/kit"
import * as Effect from "effect/Effect"
import type { RpcError } from "../RpcTransport.js"
import * as Clock from "./clock.js"
import { furthest } from "./falseSlot.js"

export class CredibleSlots {
  readonly #current: Effect.Effect<Slot, RpcError>
  /** The last slot that the pool reported, with its monotonic time. */
  #reported: { readonly slot: Slot; readonly at: number } | undefined
  #highest = 0n

  /** `current` asks the pool, and fails if that takes long. */
  constructor(current: Effect.Effect<Slot, RpcError>) {
    this.#current = current
  }

  /** The highest credible slot so far. */
  get highest(): Slot {
    return this.#highest
  }

  /** Asks the pool for its slot. */
  get ask(): Effect.Effect<Slot, RpcError> {
    return Effect.flatMap(this.#current, (slot) =>
      Effect.withFiberRuntime((fiber) => {
        this.#reported = { slot, at: Clock.monotonic(fiber) }
        return Effect.succeed(slot)
      })
    )
  }

  /** Whether the slot is credible. False if the pool does not answer for the comparison. */
  believes(slot: Slot): Effect.Effect<boolean> {
    return Effect.withFiberRuntime((fiber) => {
      const reported = this.#reported
      const limit =
        reported === undefined ? furthest(0n, 0) : furthest(reported.slot, Clock.monotonic(fiber) - reported.at)
      if (slot <= limit) return Effect.succeed(this.#accept(slot))
      return Effect.match(this.ask, {
        onFailure: () => false,
        onSuccess: (current) => slot <= furthest(current, 0) && this.#accept(slot)
      })
    })
  }

  /** The slot if it is credible; else the slot that the pool reported before, or 0. */
  credible(slot: Slot): Effect.Effect<Slot> {
    return Effect.suspend(() => {
      const before = this.#reported?.slot ?? 0n
      return Effect.map(this.believes(slot), (isBelieved) => (isBelieved ? slot : before))
    })
  }

  /** Forgets all slots, as for a new cluster. */
  forget(): void {
    this.#reported = undefined
    this.#highest = 0n
  }

  #accept(slot: Slot): true {
    if (slot > this.#highest) this.#highest = slot
    return true
  }
}
