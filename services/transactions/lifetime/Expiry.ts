/**
 * Finds the transactions that can no longer land, from the replies of one endpoint and within the limits of what they
 * prove.
 */
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

/** Maximum accounts of one `getMultipleAccounts`. */
const ACCOUNTS_PER_CALL = 100

/** Blockhashes that are checked concurrently. */
const BLOCKHASHES_AT_ONCE = 8

/** The lag of finality in slots: after that, a finalized bank contains the changes of a confirmed one. */
const FINALITY = 32n

/**
 * Minimum age in milliseconds of a blockhash that is too old, since its fetch. On mainnet, its 150 blocks take a
 * minute; on a test cluster, a block may take 13 ms. If blockhashes expire faster than this, the expiry is reported
 * later, but still correctly.
 */
const SHORTEST_LIFE = 2000

/** A transaction that may be expired. */
export interface Candidate {
  readonly signed: SignedTransaction
  /** The slot of its first look-up. */
  readonly firstSlot: bigint | undefined
}

/** The expired transactions, and the finalized slot that proves it. */
export interface Late<C extends Candidate> {
  readonly late: ReadonlyArray<C>
  readonly since: bigint
}

/**
 * Whether a bank at `slot` contains the transaction if it landed at all, given that it was expired at the finalized
 * slot `since`. The bank must also be at least as new as the one that provided the blockhash, because `since` may be
 * false. If one host is believed alone, it must also be at least as new as the one that answered the first look-up.
 * Among several hosts that slot may be false too, and would hold back what the others say.
 */
export const isCovered = (
  { firstSlot = 0n, signed: { minContextSlot = 0n } }: Candidate,
  since: bigint,
  slot: bigint,
  isAlone: boolean
) => slot >= since && slot >= minContextSlot && (!isAlone || slot >= firstSlot)

/**
 * Finds expired transactions, by finalized banks. A confirmed bank does not suffice: the node may be on a fork that the
 * cluster has abandoned. These conditions must hold:
 *
 * - A blockhash is too old if a finalized block is above its last valid height, and if it is invalid in two banks: the
 *   newest, and a finalized one that is not older than the bank that provided it. The height alone does not suffice: it
 *   is compared with a number that came with the blockhash, and either may be false. The finalized bank alone does not
 *   suffice: if the slot of the blockhash is false, that bank may be older than the blockhash.
 * - No block height is above its slot, and no blockhash is too old {@link SHORTEST_LIFE} after its fetch.
 * - A nonce is used if its account does not contain it in two banks: the newest, and a finalized one that is not older
 *   than the bank in which the nonce was read. A missing account counts as not containing it. Nonces derive from
 *   blockhashes: a used nonce never returns. A changed authority proves nothing: it may be changed back, and the nonce
 *   stays.
 *
 * A blockhash whose check fails is not expired yet, and does not hold back the others.
 *
 * Old replies are harmless: heights only grow, blockhashes stay invalid and nonces do not return.
 */
export interface Expiry {
  /** Whether any candidate may be expired. `slot` is the newest known slot. It makes no request. */
  readonly mayBeLate: (slot: bigint, candidates: ReadonlyArray<Candidate>) => boolean
  /** The expired candidates, according to one endpoint. The replies of other endpoints do not affect it. */
  readonly late: <C extends Candidate>(slot: bigint, candidates: ReadonlyArray<C>) => Effect.Effect<Late<C>, RpcError>
}

const minSlotOf = ({ signed }: Candidate): bigint => signed.minContextSlot ?? 0n

/** The lowest slot of a bank that proves a missing nonce used: in an older bank it may not exist yet. */
const readAt = ({ firstSlot, signed }: Candidate): bigint => signed.minContextSlot ?? firstSlot ?? 0n

/** The blockhash, or the nonce in its place. */
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
  /** The time at which a blockhash was fetched, on the monotonic clock, if this service fetched it. */
  fetchedAt: (blockhash: Blockhash) => number | undefined
): Expiry => {
  let height: EpochInfo | undefined

  /** Whether enough slots have passed for a block above the last valid height. */
  const mayBePast = (slot: bigint, { signed: { lifetime } }: Candidate): boolean => {
    const last = lifetime.lastValidBlockHeight
    if (last === undefined || height === undefined) return true
    const passed = slot - height.absoluteSlot
    // A height that is too low is replaced soon.
    return passed < 0n || passed >= FINALITY || height.blockHeight + passed > last
  }

  /** The slot of the bank in which the blockhash is invalid. */
  const invalidAt = (blockhash: Blockhash, commitment: Commitment) =>
    pool.isBlockhashValid(blockhash, { commitment }).pipe(
      Effect.catchTag("InvalidInput", Effect.die),
      Effect.map(({ slot, value }) => (value ? undefined : slot))
    )

  /** The slot of a finalized bank in which the blockhash is invalid, if it is also invalid in the newest bank. */
  const deadAt = (blockhash: Blockhash) =>
    Effect.flatMap(invalidAt(blockhash, "finalized"), (slot) =>
      slot === undefined
        ? Effect.succeed(slot)
        : Effect.map(invalidAt(blockhash, "processed"), (newest) => (newest === undefined ? undefined : slot))
    )

  /** The candidates whose blockhash is too old. */
  const past = Effect.fnUntraced(function* <C extends Candidate>(
    candidates: ReadonlyArray<C>
  ): Effect.fn.Return<Late<C>, RpcError> {
    const now = yield* Clock.monotonicMillis
    const possible = candidates.filter((candidate) => {
      const since = fetchedAt(blockhashOf(candidate))
      return since === undefined || now - since >= SHORTEST_LIFE
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
    const [failures, known] = yield* Effect.partition(
      blockhashes,
      (blockhash) => Effect.map(deadAt(blockhash), (slot) => [blockhash, slot] as const),
      { concurrency: BLOCKHASHES_AT_ONCE }
    )
    const [failure] = failures
    if (failure !== undefined && known.length === 0) return yield* failure
    const ends = new Map(known)
    const late = old.filter((candidate) => {
      const end = ends.get(blockhashOf(candidate))
      return end !== undefined && end >= minSlotOf(candidate)
    })
    return { late, since: newest([absoluteSlot, ...Array.from(ends.values(), (end) => end ?? 0n)]) }
  })

  /** Reads nonce accounts at a commitment: each account with the slot of its reply. */
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

  /** The candidates whose nonce is missing at that commitment. */
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

  /** The candidates whose nonce was used. */
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
      const old = yield* past(byBlockhash)
      const [over, maybe] = Arr.partition(old.late, ({ signed }) => "nonce" in signed.lifetime)
      const nonces = yield* used(slot, [...byNonce, ...maybe])
      return { late: [...over, ...nonces.late], since: newest([old.since, nonces.since]) }
    })
  }
}
