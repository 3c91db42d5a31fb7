/**
 * @since 0.1.0
 */
import type { Address, Signature } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Addresses from "../../../src/solana/Address.js"
import type { Service as RpcPool } from "../../RpcPool.js"
import type { RpcError } from "../../RpcTransport.js"
import type { Receipt } from "../Model.js"
import * as Failure from "./Failure.js"

/** An account that is touched more often than that since it was made is not searched further. */
const MAX_PAGES = 10
const PAGE = 1000

/** Signatures that may be ours; the node answers no more at once. */
const MAX_KNOWN = 256

/**
 * Recognises a write by the account that it made: gives the receipt of the transaction that did so, if the account is
 * there. One of the `known` signatures if it was one of them, else the first that touched the account and succeeded.
 *
 * An address that somebody sent lamports to is not made: it belongs to the System program and holds no data.
 *
 * @internal
 */
export const make = (
  pool: Pick<RpcPool, "getAccountInfo" | "getSignatureStatuses" | "getSignaturesForAddress" | "getTransaction">
) => {
  const isMade = (address: Address): Effect.Effect<boolean, RpcError> =>
    Effect.map(
      pool.getAccountInfo(address, { commitment: "confirmed", dataSlice: { offset: 0, length: 0 } }),
      ({ value }) => Option.exists(value, ({ owner, space }) => owner !== Addresses.SYSTEM_PROGRAM || space > 0n)
    )

  const landed = (known: ReadonlyArray<Signature>): Effect.Effect<Signature | undefined, RpcError> =>
    known.length === 0
      ? Effect.succeed(undefined)
      : pool.getSignatureStatuses(known.slice(-MAX_KNOWN), { searchTransactionHistory: true }).pipe(
          Effect.catchTag("InvalidInput", Effect.die),
          Effect.map(({ value }) =>
            known
              .slice(-MAX_KNOWN)
              .find((_, index) => Option.exists(value[index] ?? Option.none(), ({ err }) => Failure.succeeded(err)))
          )
        )

  const oldest = Effect.fnUntraced(function* (address: Address) {
    let before: Signature | undefined
    let found: Signature | undefined
    for (let pages = 0; pages < MAX_PAGES; pages++) {
      const page = yield* pool
        .getSignaturesForAddress(address, { commitment: "confirmed", before, limit: PAGE })
        .pipe(Effect.catchTag("InvalidInput", Effect.die))
      found = page.findLast(({ err }) => Failure.succeeded(err))?.signature ?? found
      if (page.length < PAGE) return found
      before = page.at(-1)?.signature
    }
    return undefined
  })

  return Effect.fnUntraced(function* (
    address: Address,
    known: ReadonlyArray<Signature>
  ): Effect.fn.Return<Option.Option<Receipt>, RpcError> {
    if (!(yield* isMade(address))) return Option.none()
    const signature = (yield* landed(known)) ?? (yield* oldest(address))
    if (signature === undefined) return Option.none()
    const transaction = yield* pool.getTransaction(signature, { commitment: "confirmed" })
    return Option.flatMap(transaction, ({ meta, slot }) => Option.map(meta, ({ fee }) => ({ signature, slot, fee })))
  })
}
