import type { Address, Signature, Slot } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Addresses from "../../../src/solana/Address.js"
import * as Wire from "../../../src/solana/Wire.js"
import * as Receipts from "../../internal/receipts.js"
import type { Service as RpcPool } from "../../RpcPool.js"
import type { RpcError } from "../../RpcTransport.js"
import * as Failure from "../Failure.js"
import type { Receipt } from "../Model.js"

/** An account that is touched more often than that since it was made is not searched further. */
const MAX_PAGES = 10
const PAGE = 1000

/** Signatures that may be ours; the node answers no more at once. */
const MAX_KNOWN = 256

/** The oldest transactions of an account that may have made it: others may have sent lamports there before. */
const MAX_CANDIDATES = 64

/** Whether somebody else signed it: the maker of an account signs the transaction that makes it. */
const isForeign = (wire: Uint8Array, maker: Address): boolean =>
  Either.match(Wire.decode(wire), {
    onLeft: () => false,
    onRight: ({ message: { header, staticAccounts } }) =>
      !staticAccounts.slice(0, header.requiredSignatures).includes(maker)
  })

/** How often a node that has the account is asked for its transaction, which it may learn of later: for 12 seconds. */
const SEARCHES = Schedule.intersect(Schedule.exponential("400 millis"), Schedule.recurs(5))

/**
 * Recognises a write by the account that it made: gives the receipt of the transaction that did so, if the account is
 * there. One of the `known` signatures if it was one of them, else the first that touched the account, succeeded and was
 * signed by the `maker`.
 *
 * `since` is a slot in which the account must be seen if it was made: a node that lags does not know it yet. None if the
 * account does not exist, or if its transaction has been pruned.
 *
 * An address that somebody sent lamports to is not made: it belongs to the System program and holds no data.
 */
export const make = (
  pool: Pick<RpcPool, "getAccountInfo" | "getSignatureStatuses" | "getSignaturesForAddress" | "getTransaction">
) => {
  /** The slot at which it is there. */
  const made = (address: Address, since: Slot | undefined): Effect.Effect<Option.Option<Slot>, RpcError> =>
    Effect.map(
      pool.getAccountInfo(address, {
        commitment: "confirmed",
        dataSlice: { offset: 0, length: 0 },
        minContextSlot: since
      }),
      ({ slot, value }) =>
        Option.as(
          Option.filter(value, ({ owner, space }) => owner !== Addresses.SYSTEM_PROGRAM || space > 0n),
          slot
        )
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

  /** Oldest first. */
  const candidates = Effect.fnUntraced(function* (address: Address, minContextSlot: Slot) {
    let before: Signature | undefined
    let found: ReadonlyArray<Signature> = []
    for (let pages = 0; pages < MAX_PAGES; pages++) {
      const page = yield* pool
        .getSignaturesForAddress(address, { commitment: "confirmed", before, limit: PAGE, minContextSlot })
        .pipe(Effect.catchTag("InvalidInput", Effect.die))
      const succeeded = page.filter(({ err }) => Failure.succeeded(err)).map(({ signature }) => signature)
      found = [...found, ...succeeded].slice(-MAX_CANDIDATES)
      if (page.length < PAGE) return found.toReversed()
      before = page.at(-1)?.signature
    }
    return []
  })

  const receipt = Effect.fnUntraced(function* (
    address: Address,
    maker: Address,
    known: ReadonlyArray<Signature>,
    at: Slot
  ): Effect.fn.Return<Option.Option<Receipt>, RpcError> {
    const own = yield* landed(known)
    for (const signature of own === undefined ? yield* candidates(address, at) : [own]) {
      const transaction = yield* pool.getTransaction(signature, { commitment: "confirmed" })
      if (Option.isSome(transaction) && isForeign(transaction.value.wire, maker)) continue
      return Option.flatMap(transaction, ({ meta, slot }) =>
        Option.map(meta, ({ fee }) => new Receipts.Receipt(signature, slot, fee))
      )
    }
    return Option.none()
  })

  return (
    address: Address,
    maker: Address,
    known: ReadonlyArray<Signature>,
    since?: Slot
  ): Effect.Effect<Option.Option<Receipt>, RpcError> =>
    Effect.flatMap(
      made(address, since),
      Option.match({
        onNone: () => Effect.succeedNone,
        onSome: (at) =>
          Effect.flatten(receipt(address, maker, known, at)).pipe(
            Effect.retry({ while: ({ _tag }) => _tag === "NoSuchElementException", schedule: SEARCHES }),
            Effect.optionFromOptional
          )
      })
    )
}
