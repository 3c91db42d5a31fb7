/**
 * Finds the transaction that created an account. It shows whether a write with an unknown outcome was executed.
 *
 * - The account exists if it has data, or an owner other than the System program. Lamports alone prove nothing: anyone
 *   can send them to an address.
 * - Signatures known to the caller are tried first. Otherwise, the result is the oldest successful transaction that
 *   touched the account and was signed by the maker.
 * - A node may have the account before it finds its transaction, so the search is repeated for 12 seconds.
 */
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

/** Maximum pages of the account's history. A longer history is not searched. */
const MAX_PAGES = 10
const PAGE = 1000

/** Maximum known signatures in one look-up: the limit of a node. */
const MAX_KNOWN = 256

/**
 * The oldest transactions of an account that may have created it. Others may have sent lamports to the address before.
 */
const MAX_CANDIDATES = 64

/** Whether the maker did not sign the transaction: the maker of an account must sign its creation. */
const isForeign = (wire: Uint8Array, maker: Address): boolean =>
  Either.match(Wire.decode(wire), {
    onLeft: () => false,
    onRight: ({ message: { header, staticAccounts } }) =>
      !staticAccounts.slice(0, header.requiredSignatures).includes(maker)
  })

/** The schedule that repeats an unsuccessful search, for 12 seconds. */
const SEARCHES = Schedule.intersect(Schedule.exponential("400 millis"), Schedule.recurs(5))

/**
 * Returns the receipt of the transaction with which the `maker` created the account. `None` if the account does not
 * exist, or if its transaction has been pruned. `since` is a slot at which an existing account is visible: nodes behind
 * it are not asked.
 */
export const make = (
  pool: Pick<RpcPool, "getAccountInfo" | "getSignatureStatuses" | "getSignaturesForAddress" | "getTransaction">
) => {
  /** The slot of the bank that contains the account. */
  const made = (address: Address, since: Slot | undefined): Effect.Effect<Option.Option<Slot>, RpcError> =>
    pool
      .getAccountInfo(address, {
        commitment: "confirmed",
        dataSlice: { offset: 0, length: 0 },
        minContextSlot: since
      })
      .pipe(
        Effect.catchTag("InvalidInput", Effect.die),
        Effect.map(({ slot, value }) =>
          Option.as(
            Option.filter(value, ({ owner, space }) => owner !== Addresses.SYSTEM_PROGRAM || space > 0n),
            slot
          )
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

  /** The candidate transactions, oldest first. */
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
      const transaction = yield* pool
        .getTransaction(signature, { commitment: "confirmed" })
        .pipe(Effect.catchTag("InvalidInput", Effect.die))
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
