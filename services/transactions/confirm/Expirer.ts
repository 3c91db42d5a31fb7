/**
 * Ends transactions that did not land and can no longer land.
 *
 * One endpoint must confirm all of this before a transaction is `Expired`:
 * 1. Its lifetime is over in a **finalized** bank and in the newest, by all the rules of {@link Expiry.Expiry}.
 * 2. A look-up after that, with history, does not find it.
 * 3. The bank that answers this look-up is at least as new as the finalized bank, the bank of the first look-up and the
 *    bank in which the transaction was signed. So a node that lags, or answers from a cache, does not count.
 * 4. The node's ledger includes all slots in which the transaction could have landed. This is checked for transactions
 *    that were signed long ago, or at an unknown time. If the ledger begins later, the outcome is `Unconfirmed`:
 *    waiting does not help.
 *
 * Where the pool has several hosts, two of them must confirm all of it ({@link Opinion.Opinion}), whether they answer just
 * now or not. They are asked one after the other, until two agree or too few are left. So a host that lies, or is of
 * another cluster, cannot bring `Expired` about alone. One of two can hold it back until the deadline, which is
 * `Unconfirmed`; one of three cannot. A host that is the only one is believed where its answers agree with each other,
 * with the clock and with the rules of the chain.
 *
 * If all hosts were asked, and the ledger of one begins too late while another claims the whole ledger, the outcome is
 * `Unconfirmed`: the claim is not confirmed.
 *
 * A host that fails holds nothing back: the next one is asked.
 *
 * A transaction that either host finds at its commitment gets its receipt. If it is answered while a host is being
 * asked, it keeps that answer.
 */
import type { Blockhash } from "@solana/kit"
import * as Arr from "effect/Array"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Deadline from "../../Deadline.js"
import * as Opinion from "../../internal/Opinion.js"
import type { Service as RpcPool } from "../../RpcPool.js"
import type { RpcError } from "../../RpcTransport.js"
import * as Expiry from "../lifetime/Expiry.js"
import type { TransactionError } from "../TransactionError.js"
import type { Entry } from "./Entry.js"
import type { InFlight } from "./InFlight.js"
import * as outcomes from "./outcomes.js"
import * as StatusLookup from "./StatusLookup.js"

/**
 * A node holds the statuses of the last 300 rooted slots in memory, whatever its ledger has. For transactions
 * signed at most 256 slots ago, "not found" is conclusive.
 */
const REMEMBERED_SLOTS = 256n

/**
 * Limits the time of one host, which makes at least four calls one after the other. Too low: slow hosts never confirm
 * anything. Too high: a host that hangs delays the others. Its verdicts before the limit count.
 */
const OPINION_TIMEOUT = Duration.seconds(10)

export interface Expirer {
  /** Whether any entry may be expired. `slot` is the newest known slot. It makes no request. */
  readonly mayExpire: (slot: bigint, entries: ReadonlyArray<Entry>) => boolean
  /** Ends the entries that two hosts, or the only one, find expired. Fails with the last failure of a host. */
  readonly expire: (slot: bigint, entries: ReadonlyArray<Entry>) => Effect.Effect<void, RpcError>
}

const isRemembered = ({ signed: { minContextSlot } }: Entry, slot: bigint): boolean =>
  minContextSlot !== undefined && slot - minContextSlot <= REMEMBERED_SLOTS

const verdictOn = ({ signed, transmission }: Entry, firstSlot: bigint): TransactionError =>
  firstSlot <= (signed.minContextSlot ?? 0n)
    ? outcomes.expired(signed, transmission.lastError)
    : outcomes.forgotten(signed, firstSlot)

export const make = (
  pool: Pick<RpcPool, "getEpochInfo" | "getMultipleAccounts" | "isBlockhashValid">,
  fetchedAt: (blockhash: Blockhash) => number | undefined,
  { inHistory, inLedger }: Pick<StatusLookup.StatusLookup, "inHistory" | "inLedger">,
  inFlight: InFlight
): Expirer => {
  const expiry = Expiry.make(pool, fetchedAt)

  /** Reports each entry that is expired according to one endpoint. */
  const judge = Effect.fnUntraced(function* (
    slot: bigint,
    entries: ReadonlyArray<Entry>,
    opinion: Opinion.Opinion,
    report: (entry: Entry, error: TransactionError) => void
  ) {
    const { late, since } = yield* expiry.late(slot, entries)
    const [old, recent] = Arr.partition(late, (entry) => isRemembered(entry, since))
    for (const [candidates, lookUp] of [
      [recent, inHistory],
      [old, inLedger]
    ] as const) {
      for (const batch of Arr.chunksOf(candidates, StatusLookup.MAX_SIGNATURES)) {
        const { entries: unknown, firstSlot = 0n, slot } = yield* lookUp(batch)
        for (const entry of unknown) {
          if (Expiry.isCovered(entry, since, slot, opinion.hosts === 1)) report(entry, verdictOn(entry, firstSlot))
        }
      }
    }
  })

  /** Ends the entries on which two hosts disagree and no other is left. */
  const endDivided = (verdicts: ReadonlyMap<Entry, ReadonlyArray<TransactionError>>) => {
    for (const [entry, errors] of verdicts) {
      const [error] = errors.length > 1 ? errors.filter(({ reason }) => reason === "Unconfirmed") : []
      if (error !== undefined) inFlight.fail(entry, error)
    }
  }

  return {
    mayExpire: expiry.mayBeLate,
    expire: Effect.fnUntraced(function* (slot, entries) {
      /** The verdicts of the hosts so far, while no two agree. */
      const verdicts = new Map<Entry, ReadonlyArray<TransactionError>>()
      let undecided = entries.filter((entry) => expiry.mayBeLate(slot, [entry]))
      let failure: RpcError | undefined
      for (let opinion = Opinion.first(); undecided.length > 0; opinion = Opinion.after(opinion)) {
        const judged = yield* judge(slot, undecided, opinion, (entry, error) => {
          const earlier = verdicts.get(entry) ?? []
          if (opinion.hosts === 1 || earlier.some(({ reason }) => reason === error.reason)) inFlight.fail(entry, error)
          else verdicts.set(entry, [...earlier, error])
        }).pipe(Opinion.by(opinion), Deadline.within(OPINION_TIMEOUT), Effect.either)
        if (Either.isLeft(judged)) failure = judged.left
        // No host is left, or no request was needed.
        if (opinion.answered.size === 0) break
        const left = Opinion.left(opinion)
        if (left === 0) endDivided(verdicts)
        undecided = undecided.filter((entry) => inFlight.has(entry) && left >= (verdicts.has(entry) ? 1 : 2))
      }
      if (failure !== undefined) return yield* failure
    })
  }
}
