/**
 * @since 0.1.0
 */
import type { Address, Blockhash } from "@solana/kit"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Addresses from "../../../src/solana/Address.js"
import * as NonceAccount from "../../../src/solana/NonceAccount.js"
import type { AccountInfo } from "../../rpc/Reply.js"
import type { Service as RpcPool } from "../../RpcPool.js"
import type { RpcError } from "../../RpcTransport.js"
import type { SignedTransaction } from "../../SignedTransaction.js"

/** The most that a node answers in one `getMultipleAccounts`. */
const ACCOUNTS_PER_CALL = 100

/** How many slots finality lags behind: what was read in a confirmed bank is seen in a finalized one after that. */
const FINALITY = 32n

/**
 * A transaction that may be too late.
 *
 * @internal
 */
export interface Candidate {
  readonly signed: SignedTransaction
  /** The slot of its first look-up. */
  readonly firstSlot: bigint | undefined
}

/**
 * Tells which transactions no block can take any more, by what is finalized.
 *
 * - A blockhash is too old when a finalized block is higher than it lives. Blocks are not more than slots, so the height
 *   is asked for only when the slot leaves room for that.
 * - A nonce is used when its account, in a finalized bank, does not hold it, or is gone. Nonces follow from blockhashes:
 *   one that is not there any more does not come back. But it may be still to come in a bank older than the one in which
 *   it was read, which therefore says nothing. Nor does another authority: it may be changed back, and the nonce stays.
 *
 * @internal
 */
export interface Expiry {
  /** Of those that were not known in `slot`; and the finalized slot whose state says so. */
  readonly late: <C extends Candidate>(
    slot: bigint,
    candidates: ReadonlyArray<C>
  ) => Effect.Effect<{ readonly late: ReadonlyArray<C>; readonly since: bigint }, RpcError>
}

/** Where a nonce that is not there was used, and is not still to come. */
const readAt = ({ firstSlot, signed }: Candidate): bigint => signed.minContextSlot ?? firstSlot ?? 0n

const holds = ({ data, owner }: AccountInfo, nonce: Blockhash): boolean => {
  const decoded = Either.getOrNull(NonceAccount.decode(data))
  return owner === Addresses.SYSTEM_PROGRAM && decoded?._tag === "Initialized" && decoded.nonce === nonce
}

/** @internal */
export const make = (pool: Pick<RpcPool, "getEpochInfo" | "getMultipleAccounts">): Expiry => {
  let height: { readonly slot: bigint; readonly blockHeight: bigint } | undefined

  /** Those that live by no blockhash, or by one that is too old. */
  const past = Effect.fnUntraced(function* <C extends Candidate>(slot: bigint, candidates: ReadonlyArray<C>) {
    const highest = height === undefined || slot < height.slot ? undefined : height.blockHeight + (slot - height.slot)
    const mayBePast = candidates.some(({ signed: { lifetime } }) => {
      const last = lifetime.lastValidBlockHeight
      return last !== undefined && (highest === undefined || highest > last)
    })
    if (mayBePast) {
      const { absoluteSlot, blockHeight } = yield* pool.getEpochInfo({ commitment: "finalized" })
      height = { slot: absoluteSlot, blockHeight }
    }
    const { blockHeight, slot: since } = height ?? { slot: 0n, blockHeight: 0n }
    const late = candidates.filter(({ signed: { lifetime } }) => blockHeight > (lifetime.lastValidBlockHeight ?? -1n))
    return { late, since }
  })

  /** Those that live by no nonce, or by one that was used. */
  const used = Effect.fnUntraced(function* <C extends Candidate>(slot: bigint, candidates: ReadonlyArray<C>) {
    const due = candidates.filter(
      (candidate) => !("nonce" in candidate.signed.lifetime) || slot >= readAt(candidate) + FINALITY
    )
    const accounts = new Set(due.flatMap(({ signed: { lifetime } }) => ("nonce" in lifetime ? [lifetime.account] : [])))
    const read = new Map<Address, { readonly slot: bigint; readonly info: Option.Option<AccountInfo> }>()
    for (const addresses of Arr.chunksOf(accounts, ACCOUNTS_PER_CALL)) {
      const { slot, value } = yield* pool
        .getMultipleAccounts(addresses, { commitment: "finalized" })
        .pipe(Effect.catchTag("InvalidInput", Effect.die))
      addresses.forEach((address, index) => read.set(address, { slot, info: value[index] ?? Option.none() }))
    }
    const late = due.filter((candidate) => {
      const { lifetime } = candidate.signed
      if (!("nonce" in lifetime)) return true
      const account = read.get(lifetime.account)
      const isOlder = account === undefined || account.slot < readAt(candidate)
      return !isOlder && !Option.exists(account.info, (info) => holds(info, lifetime.nonce))
    })
    return { late, since: Array.from(read.values()).reduce((since, { slot }) => (slot > since ? slot : since), 0n) }
  })

  return {
    late: Effect.fnUntraced(function* (slot, candidates) {
      const old = yield* past(slot, candidates)
      const { late, since } = yield* used(slot, old.late)
      return { late, since: since > old.since ? since : old.since }
    })
  }
}
