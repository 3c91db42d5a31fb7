/**
 * Asks one node for the statuses of signatures, and judges the answer.
 *
 * - A status at the commitment of its transaction, or above, is the outcome.
 * - A status below it is forgotten by the next answer that has none: the node left that fork.
 * - No status is the outcome of nothing. Where a node refused the bytes before, its refusal is the outcome, unless the
 *   answer comes from a bank that is older than the one in which they were signed: it cannot have the transaction yet.
 *   A refusal is one node's word about bytes that another may have, so its error says `mayHaveLanded`.
 * - A failed look-up changes nothing.
 */
import type { Signature } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { InvalidInput } from "../../../src/InvalidInput.js"
import * as Commitment from "../../internal/commitment.js"
import { serving } from "../../internal/traced.js"
import type { Contextual, SignatureStatus } from "../../RpcPool.js"
import type { Service as RpcPool } from "../../RpcPool.js"
import type { RpcError } from "../../RpcTransport.js"
import type { Entry } from "./Entry.js"
import type { InFlight } from "./InFlight.js"

/** The most that a node answers in one `getSignatureStatuses`. */
export const MAX_SIGNATURES = 256

/** What a node does not know. */
export interface Unknown {
  /** The slot of the bank that answered. */
  readonly slot: bigint
  readonly entries: ReadonlyArray<Entry>
  /** Where the ledger begins that was searched, if the node was asked. It knows nothing of what landed before. */
  readonly firstSlot?: bigint
}

/** Resolves what has landed, and gives what the node does not know. At most {@link MAX_SIGNATURES} entries. */
export type LookUp = (entries: ReadonlyArray<Entry>) => Effect.Effect<Unknown, RpcError>

export interface StatusLookup {
  /** Searches what the node holds in memory, the last 300 rooted slots. */
  readonly inMemory: LookUp
  /** Searches the ledger too. */
  readonly inHistory: LookUp
  /** Searches the ledger too, and asks where it begins. */
  readonly inLedger: LookUp
  /** Fails those whose refusal is their outcome. */
  readonly refuse: (unknown: Unknown) => void
}

interface Answer extends Contextual<ReadonlyArray<Option.Option<SignatureStatus>>> {
  readonly firstSlot?: bigint
}

export const make = (
  pool: Pick<RpcPool, "getLedgerStatuses" | "getSignatureStatuses">,
  inFlight: InFlight
): StatusLookup => {
  const judge = (entries: ReadonlyArray<Entry>, { firstSlot, slot, value }: Answer): Unknown => {
    const unknown: Array<Entry> = []
    for (let index = 0; index < entries.length; index++) {
      const entry = entries[index]
      if (entry === undefined) continue
      entry.firstSlot ??= slot
      const status = Option.getOrUndefined(value[index] ?? Option.none())
      entry.seen = status !== undefined
      if (status === undefined) {
        unknown.push(entry)
        continue
      }
      entry.refusal = undefined
      if (Commitment.reached(status, entry.commitment)) {
        inFlight.resolve(entry, Effect.succeed({ slot: status.slot, err: status.err }))
      }
    }
    return firstSlot === undefined ? { slot, entries: unknown } : { slot, entries: unknown, firstSlot }
  }

  const lookUp =
    (ask: (signatures: ReadonlyArray<Signature>) => Effect.Effect<Answer, InvalidInput | RpcError>): LookUp =>
    (entries) =>
      ask(entries.map(({ signed }) => signed.signature)).pipe(
        serving(entries),
        Effect.catchTag("InvalidInput", Effect.die),
        Effect.map((answer) => judge(entries, answer))
      )

  return {
    inMemory: lookUp((signatures) => pool.getSignatureStatuses(signatures)),
    inHistory: lookUp((signatures) => pool.getSignatureStatuses(signatures, { searchTransactionHistory: true })),
    inLedger: lookUp((signatures) => pool.getLedgerStatuses(signatures)),
    refuse: ({ entries, slot }) => {
      for (const entry of entries) {
        if (entry.refusal === undefined || slot < (entry.signed.minContextSlot ?? 0n)) continue
        inFlight.fail(entry, entry.refusal)
      }
    }
  }
}
