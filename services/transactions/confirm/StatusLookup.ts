/**
 * Looks up the statuses of signatures at one node, and evaluates the answer.
 *
 * - A status at the commitment of its transaction, or above, is the outcome.
 * - A status below it is discarded by the next answer without a status: the node has left that fork.
 * - A missing status is no outcome. If a node refused the bytes before, its refusal is the outcome. The exception is an
 *   answer from a bank older than the one in which they were signed, because it cannot contain the transaction yet. A
 *   refusal comes from one node, and another may have the bytes, so its error has `mayHaveLanded`.
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

/** Maximum signatures of one `getSignatureStatuses`. */
export const MAX_SIGNATURES = 256

/** The entries without a status. */
export interface Unknown {
  /** The slot of the bank that answered. */
  readonly slot: bigint
  readonly entries: ReadonlyArray<Entry>
  /** The first slot of the searched ledger, if the node returned it. The node has no statuses of earlier slots. */
  readonly firstSlot?: bigint
}

/** Resolves the landed entries, and returns the others. At most {@link MAX_SIGNATURES} entries. */
export type LookUp = (entries: ReadonlyArray<Entry>) => Effect.Effect<Unknown, RpcError>

export interface StatusLookup {
  /** Searches the node's memory, the last 300 rooted slots. */
  readonly inMemory: LookUp
  /** Searches the ledger too. */
  readonly inHistory: LookUp
  /** Searches the ledger too, and requests its first slot. */
  readonly inLedger: LookUp
  /** Fails the entries whose refusal is their outcome. */
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
