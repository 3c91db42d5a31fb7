/** Which transactions no block can take any more, by what one endpoint says, as far as its word can be true. */
import type { Address, Blockhash, Commitment } from "@solana/kit"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Addresses from "../../../src/solana/Address.js"
import * as NonceAccount from "../../../src/solana/NonceAccount.js"
import * as Clock from "../../internal/clock.js"
import type { AccountInfo, EpochInfo } from "../../RpcPool.js"
import type { Service as RpcPool } from "../../RpcPool.js"
import type { RpcError } from "../../RpcTransport.js"
import type { SignedTransaction } from "../../SignedTransaction.js"

/** The most that a node answers in one `getMultipleAccounts`. */
const ACCOUNTS_PER_CALL = 100

/** Blockhashes that are asked for at a time. */
const BLOCKHASHES_AT_ONCE = 8

/** How many slots finality lags behind: what was read in a confirmed bank is seen in a finalized one after that. */
const FINALITY = 32n

/**
 * Milliseconds before which no blockhash is too old, after it was fetched. Mainnet takes a minute for the 150 blocks of
 * its life; a test cluster may take 13 ms a block. One whose blockhashes die faster is told of later, and not wrongly.
 */
const SHORTEST_LIFE = 2000

/** A transaction that may be too late. */
export interface Candidate {
  readonly signed: SignedTransaction
  /** The slot of its first look-up. */
  readonly firstSlot: bigint | undefined
}

/** Those that are too late, and the finalized slot that says so. */
export interface Late<C extends Candidate> {
  readonly late: ReadonlyArray<C>
  readonly since: bigint
}

/**
 * Whether a bank of that slot has all that can have landed of one that is too late since a finalized slot. It is not
 * older than the bank that answered the first look-up, nor than the one that gave the blockhash, whatever `since` says.
 */
export const isCovered = (
  { firstSlot = 0n, signed: { minContextSlot = 0n } }: Candidate,
  since: bigint,
  slot: bigint
) => slot >= since && slot >= firstSlot && slot >= minContextSlot

/**
 * Tells which transactions no block can take any more, by what is finalized. A confirmed bank would not do: the node may
 * stand on a fork that the others left. These must all hold:
 *
 * - A blockhash is too old when a finalized block is higher than it lives, and when it is valid neither in a finalized
 *   bank, which is not older than the one that gave it, nor in the newest. The height alone would not do: it is compared
 *   with a number that came with the blockhash, and either may be false. Nor would the finalized bank alone, which may be
 *   older than the blockhash, where the slot that came with it is false.
 * - No height is above its slot, and no blockhash is too old {@link SHORTEST_LIFE} after it was fetched.
 * - A nonce is used when its account holds it neither in a finalized bank, which is not older than the one in which it was
 *   read, nor in the newest; or is gone from both. Nonces follow from blockhashes: one that is not there any more does not
 *   come back. Another authority says nothing: it may be changed back, and the nonce stays.
 *
 * Old answers are harmless: heights grow, blockhashes stay invalid and nonces do not come back.
 */
export interface Expiry {
  /** Whether any may be too late; `slot` is the newest known. It asks nobody. */
  readonly mayBeLate: (slot: bigint, candidates: ReadonlyArray<Candidate>) => boolean
  /** Those that are, as one endpoint says. */
  readonly late: <C extends Candidate>(slot: bigint, candidates: ReadonlyArray<C>) => Effect.Effect<Late<C>, RpcError>
}

const minSlotOf = ({ signed }: Candidate): bigint => signed.minContextSlot ?? 0n

/** Where a nonce that is not there was used, and is not still to come. */
const readAt = ({ firstSlot, signed }: Candidate): bigint => signed.minContextSlot ?? firstSlot ?? 0n

/** What stands in the place of the blockhash. */
const blockhashOf = ({ signed: { lifetime } }: Candidate): Blockhash =>
  "nonce" in lifetime ? lifetime.nonce : lifetime.blockhash

const livesByNonceAlone = ({ signed: { lifetime } }: Candidate): boolean => lifetime.lastValidBlockHeight === undefined

const holds = ({ data, owner }: AccountInfo, nonce: Blockhash): boolean => {
  const decoded = Either.getOrNull(NonceAccount.decode(data))
  return owner === Addresses.SYSTEM_PROGRAM && decoded?._tag === "Initialized" && decoded.nonce === nonce
}

const newest = (slots: Iterable<bigint>): bigint => Arr.fromIterable(slots).reduce((a, b) => (b > a ? b : a), 0n)

const isPlausible = ({ absoluteSlot, blockHeight }: EpochInfo): boolean => blockHeight <= absoluteSlot

export const make = (
  pool: Pick<RpcPool, "getEpochInfo" | "getMultipleAccounts" | "isBlockhashValid">,
  /** When a blockhash was fetched, on the monotonic clock, if it was here. */
  fetchedAt: (blockhash: Blockhash) => number | undefined
): Expiry => {
  let height: EpochInfo | undefined

  /** Whether so many slots have passed that a block may be higher than the blockhash lives. */
  const mayBePast = (slot: bigint, { signed: { lifetime } }: Candidate): boolean => {
    const last = lifetime.lastValidBlockHeight
    if (last === undefined || height === undefined) return true
    const passed = slot - height.absoluteSlot
    // A height that was told too low is not believed for long.
    return passed < 0n || passed >= FINALITY || height.blockHeight + passed > last
  }

  /** The slot of the bank in which the blockhash is not valid. */
  const invalidAt = (blockhash: Blockhash, commitment: Commitment) =>
    pool.isBlockhashValid(blockhash, { commitment }).pipe(
      Effect.catchTag("InvalidInput", Effect.die),
      Effect.map(({ slot, value }) => (value ? undefined : slot))
    )

  /** The slot of the finalized bank in which the blockhash is not valid any more, nor in the newest. */
  const deadAt = (blockhash: Blockhash) =>
    Effect.flatMap(invalidAt(blockhash, "finalized"), (slot) =>
      slot === undefined
        ? Effect.succeed(slot)
        : Effect.map(invalidAt(blockhash, "processed"), (newest) => (newest === undefined ? undefined : slot))
    )

  /** Those whose blockhash is too old. */
  const past = Effect.fnUntraced(function* <C extends Candidate>(
    slot: bigint,
    candidates: ReadonlyArray<C>
  ): Effect.fn.Return<Late<C>, RpcError> {
    const now = yield* Clock.monotonicMillis
    const possible = candidates.filter((candidate) => {
      const since = fetchedAt(blockhashOf(candidate))
      return mayBePast(slot, candidate) && (since === undefined || now - since >= SHORTEST_LIFE)
    })
    if (possible.length === 0) return { late: [], since: 0n }
    const told = yield* pool.getEpochInfo({ commitment: "finalized" })
    if (!isPlausible(told)) return { late: [], since: 0n }
    height = told
    const { absoluteSlot, blockHeight } = told
    const old = possible.filter(
      (candidate) =>
        blockHeight > (candidate.signed.lifetime.lastValidBlockHeight ?? blockHeight) &&
        absoluteSlot >= minSlotOf(candidate)
    )
    const blockhashes = Arr.dedupe(old.map(blockhashOf))
    const ends = new Map(
      yield* Effect.forEach(
        blockhashes,
        (blockhash) => Effect.map(deadAt(blockhash), (slot) => [blockhash, slot] as const),
        { concurrency: BLOCKHASHES_AT_ONCE }
      )
    )
    const late = old.filter((candidate) => {
      const end = ends.get(blockhashOf(candidate))
      return end !== undefined && end >= minSlotOf(candidate)
    })
    return { late, since: newest([absoluteSlot, ...Array.from(ends.values(), (end) => end ?? 0n)]) }
  })

  /** Reads nonce accounts of one kind of bank: the slot of each answer, and what is there. */
  const read = Effect.fnUntraced(function* (accounts: ReadonlyArray<Address>, commitment: Commitment) {
    const found = new Map<Address, { readonly slot: bigint; readonly info: Option.Option<AccountInfo> }>()
    for (const addresses of Arr.chunksOf(accounts, ACCOUNTS_PER_CALL)) {
      const { slot, value } = yield* pool
        .getMultipleAccounts(addresses, { commitment })
        .pipe(Effect.catchTag("InvalidInput", Effect.die))
      addresses.forEach((address, index) => found.set(address, { slot, info: value[index] ?? Option.none() }))
    }
    return found
  })

  /** Those whose nonce that kind of bank does not hold. */
  const gone = Effect.fnUntraced(function* <C extends Candidate>(
    candidates: ReadonlyArray<C>,
    commitment: Commitment
  ): Effect.fn.Return<Late<C>, RpcError> {
    const accounts = candidates.flatMap(({ signed: { lifetime } }) => ("nonce" in lifetime ? [lifetime.account] : []))
    const found = yield* read(Arr.dedupe(accounts), commitment)
    const late = candidates.filter((candidate) => {
      const { lifetime } = candidate.signed
      const account = "nonce" in lifetime ? found.get(lifetime.account) : undefined
      const isOlder = account === undefined || account.slot < readAt(candidate)
      return !isOlder && !Option.exists(account.info, (info) => holds(info, blockhashOf(candidate)))
    })
    return { late, since: newest(Array.from(found.values(), ({ slot }) => slot)) }
  })

  /** Those whose nonce was used. */
  const used = Effect.fnUntraced(function* <C extends Candidate>(
    slot: bigint,
    candidates: ReadonlyArray<C>
  ): Effect.fn.Return<Late<C>, RpcError> {
    const due = candidates.filter((candidate) => slot >= readAt(candidate) + FINALITY)
    const finalized = yield* gone(due, "finalized")
    const { late } = yield* gone(finalized.late, "processed")
    return { late, since: finalized.since }
  })

  return {
    mayBeLate: (slot, candidates) =>
      candidates.some((candidate) =>
        livesByNonceAlone(candidate) ? slot >= readAt(candidate) + FINALITY : mayBePast(slot, candidate)
      ),
    late: Effect.fnUntraced(function* (slot, candidates) {
      const [byBlockhash, byNonce] = Arr.partition(candidates, livesByNonceAlone)
      const old = yield* past(slot, byBlockhash)
      const [over, maybe] = Arr.partition(old.late, ({ signed }) => "nonce" in signed.lifetime)
      const nonces = yield* used(slot, [...byNonce, ...maybe])
      return { late: [...over, ...nonces.late], since: newest([old.since, nonces.since]) }
    })
  }
}
