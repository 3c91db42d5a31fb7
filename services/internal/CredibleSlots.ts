/**
 * The slots of answers: which of them a cluster can have reached.
 *
 * A slot is believed without a question if it follows from the pool's own slot, and from the time since the pool said that.
 * Any other one is compared with the pool's slot now. So one endpoint that claims a slot of the far future is not believed,
 * also if it gets there step by step.
 */
import type { Slot } from "@solana/kit"
import * as Effect from "effect/Effect"
import type { RpcError } from "../RpcTransport.js"
import * as Clock from "./clock.js"
import { furthest } from "./falseSlot.js"

export class CredibleSlots {
  readonly #current: Effect.Effect<Slot, RpcError>
  /** What the pool said last, and when, on the monotonic clock. */
  #said: { readonly slot: Slot; readonly at: number } | undefined
  #highest = 0n

  /** `current` asks the pool, and fails if that takes long. */
  constructor(current: Effect.Effect<Slot, RpcError>) {
    this.#current = current
  }

  /** The highest slot that was believed. */
  get highest(): Slot {
    return this.#highest
  }

  /** Asks the pool for its slot. */
  get ask(): Effect.Effect<Slot, RpcError> {
    return Effect.flatMap(this.#current, (slot) =>
      Effect.withFiberRuntime((fiber) => {
        this.#said = { slot, at: Clock.monotonic(fiber) }
        return Effect.succeed(slot)
      })
    )
  }

  /** Whether the slot can be true. One that cannot be compared is not believed. */
  believes(slot: Slot): Effect.Effect<boolean> {
    return Effect.withFiberRuntime((fiber) => {
      const said = this.#said
      const limit = said === undefined ? furthest(0n, 0) : furthest(said.slot, Clock.monotonic(fiber) - said.at)
      if (slot <= limit) return Effect.succeed(this.#saw(slot))
      return Effect.match(this.ask, {
        onFailure: () => false,
        onSuccess: (current) => slot <= furthest(current, 0) && this.#saw(slot)
      })
    })
  }

  /** The slot if it can be true, else the one that the pool had said before, or 0. */
  credible(slot: Slot): Effect.Effect<Slot> {
    return Effect.suspend(() => {
      const before = this.#said?.slot ?? 0n
      return Effect.map(this.believes(slot), (isBelieved) => (isBelieved ? slot : before))
    })
  }

  /** As if no slot were known, as on another cluster. */
  forget(): void {
    this.#said = undefined
    this.#highest = 0n
  }

  #saw(slot: Slot): true {
    if (slot > this.#highest) this.#highest = slot
    return true
  }
}
