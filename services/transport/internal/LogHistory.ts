/**
 * Which transactions of an address have been told of, and what its history says of the others.
 */
import type { Address, Commitment, Signature, Slot } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { SignatureInfo, TransactionLogs } from "../../rpc/Reply.js"
import type { Service } from "../../RpcPool.js"
import type { RpcError } from "../../RpcTransport.js"
import type { Update } from "../Update.js"
import { persist } from "./follow.js"

/** Slots behind the newest in which one may still be notified out of order; a fork is decided by then. */
const MARGIN = 32n

/** Signatures that are kept to recognise a repetition: far more than a margin's for one address. */
const MAX_TOLD = 20_000

/** Agave's limit for a page of history. */
const MAX_PAGE = 1000

/** Transactions that are read at a time. */
const CONCURRENCY = 8

export class LogHistory {
  readonly #told = new Set<Signature>()
  readonly #pool: Service
  readonly #mentions: Address
  readonly #commitment: Exclude<Commitment, "processed">
  readonly #maxTransactions: number
  /** The slot at which it began; nothing before it is told. */
  #start = 0n
  #newest: Slot | undefined

  constructor(pool: Service, mentions: Address, commitment: Exclude<Commitment, "processed">, maxTransactions: number) {
    this.#pool = pool
    this.#mentions = mentions
    this.#commitment = commitment
    this.#maxTransactions = maxTransactions
  }

  /** The newest slot that was told of. */
  get newest(): Slot | undefined {
    return this.#newest
  }

  /** Takes what the history holds now as told. */
  get begin(): Effect.Effect<void, RpcError> {
    return Effect.map(this.#page(MAX_PAGE, undefined, undefined), (page) => {
      for (const { signature, slot } of page) this.#tell(signature, slot)
      this.#start = this.#newest ?? 0n
    })
  }

  /** A notification, unless it was told of. */
  notified(slot: Slot, logs: TransactionLogs): ReadonlyArray<Update<TransactionLogs>> {
    return this.#tell(logs.signature, slot) ? [{ _tag: "Value", slot, value: logs }] : []
  }

  /** What was not told of yet, oldest first, out of a history that has reached a slot. */
  since(minContextSlot: Slot | undefined): Effect.Effect<ReadonlyArray<Update<TransactionLogs>>, RpcError> {
    return Effect.suspend(() => {
      const from = this.#newest ?? 0n
      const floor = from - MARGIN > this.#start ? from - MARGIN : this.#start
      return Effect.flatMap(this.#untold(floor, minContextSlot, undefined, []), ({ complete, found }) =>
        Effect.map(
          Effect.forEach(found.toReversed(), (info) => this.#read(info), { concurrency: CONCURRENCY }),
          (updates) => {
            const oldest = found.at(-1)
            return complete || oldest === undefined
              ? updates
              : [{ _tag: "Gap" as const, from, to: oldest.slot }, ...updates]
          }
        )
      )
    })
  }

  /** Pages back to the floor, or until it is too much. */
  #untold(
    floor: Slot,
    minContextSlot: Slot | undefined,
    before: Signature | undefined,
    found: ReadonlyArray<SignatureInfo>
  ): Effect.Effect<{ readonly complete: boolean; readonly found: ReadonlyArray<SignatureInfo> }, RpcError> {
    return Effect.flatMap(this.#page(MAX_PAGE, before, minContextSlot), (page) => {
      const untold = page.filter(({ signature, slot }) => slot >= floor && !this.#told.has(signature))
      const all = [...found, ...untold]
      if (all.length > this.#maxTransactions) {
        return Effect.succeed({ complete: false, found: all.slice(0, this.#maxTransactions) })
      }
      const last = page.at(-1)
      return last === undefined || page.length < MAX_PAGE || last.slot < floor
        ? Effect.succeed({ complete: true, found: all })
        : this.#untold(floor, minContextSlot, last.signature, all)
    })
  }

  #read({ err, signature, slot }: SignatureInfo): Effect.Effect<Update<TransactionLogs>, RpcError> {
    return Effect.map(
      persist(this.#pool.getTransaction(signature, { commitment: this.#commitment })),
      (transaction): Update<TransactionLogs> => {
        this.#tell(signature, slot)
        return Option.match(
          Option.flatMap(transaction, ({ meta }) => meta),
          {
            onNone: () => ({ _tag: "Gap", from: slot, to: slot }),
            onSome: ({ logs }) => ({ _tag: "Value", slot, value: { signature, err, logs } })
          }
        )
      }
    )
  }

  #page(
    limit: number,
    before: Signature | undefined,
    minContextSlot: Slot | undefined
  ): Effect.Effect<ReadonlyArray<SignatureInfo>, RpcError> {
    const options = { commitment: this.#commitment, limit, before, minContextSlot }
    return persist(
      Effect.catchTag(this.#pool.getSignaturesForAddress(this.#mentions, options), "InvalidInput", Effect.die)
    )
  }

  /** Whether it is new. */
  #tell(signature: Signature, slot: Slot): boolean {
    if (this.#newest === undefined || slot > this.#newest) this.#newest = slot
    if (this.#told.has(signature)) return false
    this.#told.add(signature)
    if (this.#told.size > MAX_TOLD) {
      for (const oldest of this.#told) {
        this.#told.delete(oldest)
        break
      }
    }
    return true
  }
}
