/**
 * Combines single reads that begin in one turn of the event loop into one call.
 *
 * Invariants:
 * - The call runs in the fiber of the first read. All reads belong to one caller, so they are interrupted together.
 * - The call requests the latest slot that a read needs. Each read compares the answer's slot with its own.
 */
import type { Address, Slot } from "@solana/kit"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Turns from "../internal/eventLoop.js"
import type { AccountInfo, AccountOptions, Contextual, Service as RpcPool } from "../RpcPool.js"
import type { RpcError } from "../RpcTransport.js"

type Found = Contextual<ReadonlyMap<Address, AccountInfo>>

/** Reads that wait for their call. */
interface Call {
  readonly addresses: Set<Address>
  readonly found: Deferred.Deferred<Found, RpcError>
  least: Slot
}

export class Together {
  readonly #pool: RpcPool
  #next: Call | undefined

  constructor(pool: RpcPool) {
    this.#pool = pool
  }

  get(
    address: Address,
    { minContextSlot = 0n }: AccountOptions = {}
  ): Effect.Effect<Contextual<Option.Option<AccountInfo>>, RpcError> {
    return Effect.withFiberRuntime((fiber) => {
      const known = this.#next
      const call = known ?? { addresses: new Set(), found: Deferred.unsafeMake(fiber.id()), least: 0n }
      call.addresses.add(address)
      if (minContextSlot > call.least) call.least = minContextSlot
      this.#next = call
      const run = Effect.zipRight(
        Turns.next,
        Effect.intoDeferred(
          Effect.suspend(() => this.#run(call)),
          call.found
        )
      )
      return Effect.map(
        known === undefined ? Effect.zipRight(run, Deferred.await(call.found)) : Deferred.await(call.found),
        ({ slot, value }) => ({ slot, value: Option.fromNullable(value.get(address)) })
      )
    })
  }

  #run(call: Call): Effect.Effect<Found, RpcError> {
    this.#next = undefined
    const { addresses, least } = call
    return this.#pool.getMultipleAccounts([...addresses], least > 0n ? { minContextSlot: least } : undefined).pipe(
      // A call has at most a hundred addresses.
      Effect.catchTag("InvalidInput", Effect.die),
      Effect.map(({ slot, value }) => {
        const found = new Map<Address, AccountInfo>()
        for (const info of value) if (Option.isSome(info)) found.set(info.value.address, info.value)
        return { slot, value: found }
      })
    )
  }
}
