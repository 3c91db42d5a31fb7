/**
 * Which transactions of an address have been told of, and what its history says of the others.
 */
import type { Address, Commitment, Signature, Slot } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { model } from "../../src/internal/jsonable.js"
import { MAX_SIGNATURES_FOR_ADDRESS } from "../../src/solana/Limits.js"
import type { SignatureInfo, TransactionLogs } from "../RpcPool.js"
import type { HistoryOptions, Service } from "../RpcPool.js"
import type { RpcError } from "../RpcTransport.js"
import { persist } from "./follower.js"
import * as Updates from "./Update.js"
import type { Update } from "./Update.js"

/** Slots behind what was read in which one may still come to be known; a fork is decided by then. */
const MARGIN = 32n

/** Signatures that are kept to recognise a repetition: what an address sees between two reads, and a margin. */
const MAX_TOLD = 20_000

/** Transactions that are read at a time. */
const CONCURRENCY = 8

/** The history down to the floor. */
export interface Recent {
  /** Newest first. */
  readonly infos: ReadonlyArray<SignatureInfo>
  /** Whether more of them may be untold. */
  readonly hasMore: boolean
}

const max = (a: Slot, b: Slot): Slot => (a > b ? a : b)

export class LogHistory {
  readonly #told = new Map<Signature, Slot>()
  readonly #pool: Service
  readonly #mentions: Address
  readonly #commitment: Exclude<Commitment, "processed">
  readonly #maxTransactions: number
  #newest: Slot | undefined
  /** Nothing before this slot is told any more. */
  #floor = 0n
  /** One before the floor, where pages may end. */
  #until: Signature | undefined

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
    return Effect.map(this.#page({}), (page) => {
      for (const { signature, slot } of page) this.#isNew(signature, slot)
      this.#floor = this.#newest ?? 0n
    })
  }

  /** A notification, unless it was told of. */
  notified(slot: Slot, logs: TransactionLogs): ReadonlyArray<Update<TransactionLogs>> {
    return slot >= this.#floor && this.#isNew(logs.signature, slot) ? [Updates.value(slot, logs)] : []
  }

  /** Reads down to the floor, or until it is too much, in a history that has reached a slot. */
  recent(minContextSlot?: Slot): Effect.Effect<Recent, RpcError> {
    return Effect.suspend(() => this.#recent(minContextSlot, new Map()))
  }

  /** Tells of those that were not told yet, oldest first. */
  tell({ hasMore, infos }: Recent): Effect.Effect<ReadonlyArray<Update<TransactionLogs>>, RpcError> {
    return Effect.suspend(() => {
      const untold = infos.filter((info) => this.#isUntold(info))
      const read = untold.slice(0, this.#maxTransactions)
      const oldest = hasMore || read.length < untold.length ? read.at(-1) : undefined
      const gap = oldest === undefined ? [] : [Updates.gap(this.#floor, oldest.slot)]
      return Effect.map(
        Effect.forEach(read.toReversed(), (info) => this.#read(info), { concurrency: CONCURRENCY }),
        (updates) => {
          this.#settle(infos, oldest)
          return [...gap, ...updates]
        }
      )
    })
  }

  /** Adds the next page to those found. Ends also where a node pages without end: a true history ends sooner. */
  #recent(
    minContextSlot: Slot | undefined,
    found: Map<Signature, SignatureInfo>,
    before?: Signature
  ): Effect.Effect<Recent, RpcError> {
    return Effect.flatMap(this.#page({ before, until: this.#until, minContextSlot }), (page) => {
      const known = found.size
      for (const info of page) if (!found.has(info.signature)) found.set(info.signature, info)
      const infos = Array.from(found.values())
      const last = page.at(-1)
      if (last === undefined || page.length < MAX_SIGNATURES_FOR_ADDRESS || last.slot < this.#floor) {
        return Effect.succeed({ infos, hasMore: false })
      }
      const isEndless = found.size === known || found.size > MAX_TOLD + this.#maxTransactions
      return isEndless || infos.filter((info) => this.#isUntold(info)).length > this.#maxTransactions
        ? Effect.succeed({ infos, hasMore: true })
        : this.#recent(minContextSlot, found, last.signature)
    })
  }

  #isUntold({ signature, slot }: SignatureInfo): boolean {
    return slot >= this.#floor && !this.#told.has(signature)
  }

  /** What is older than this read by the margin is done with, and what is older than the end of a gap. */
  #settle(infos: ReadonlyArray<SignatureInfo>, gapEnd: SignatureInfo | undefined): void {
    const newest = infos[0]
    if (newest === undefined) return
    this.#floor = max(max(this.#floor, gapEnd?.slot ?? 0n), newest.slot - MARGIN)
    this.#until = infos.find(({ slot }) => slot < this.#floor)?.signature ?? this.#until
  }

  #read({ err, signature, slot }: SignatureInfo): Effect.Effect<Update<TransactionLogs>, RpcError> {
    return Effect.map(
      persist(this.#pool.getTransaction(signature, { commitment: this.#commitment })),
      (transaction): Update<TransactionLogs> => {
        this.#isNew(signature, slot)
        return Option.match(
          Option.flatMap(transaction, ({ meta }) => meta),
          {
            onNone: () => Updates.gap(slot, slot),
            onSome: ({ logs }) => Updates.value(slot, model({ signature, err, logs }))
          }
        )
      }
    )
  }

  #page(
    options: Pick<HistoryOptions, "before" | "until" | "minContextSlot">
  ): Effect.Effect<ReadonlyArray<SignatureInfo>, RpcError> {
    return persist(
      Effect.catchTag(
        this.#pool.getSignaturesForAddress(this.#mentions, {
          ...options,
          commitment: this.#commitment,
          limit: MAX_SIGNATURES_FOR_ADDRESS
        }),
        "InvalidInput",
        Effect.die
      )
    )
  }

  /** Whether it is new; it is told from now on. */
  #isNew(signature: Signature, slot: Slot): boolean {
    if (this.#newest === undefined || slot > this.#newest) this.#newest = slot
    if (this.#told.has(signature)) return false
    this.#told.set(signature, slot)
    if (this.#told.size > MAX_TOLD) this.#forgetOldest()
    return true
  }

  /** What is forgotten could be told again, so the floor rises past it. */
  #forgetOldest(): void {
    for (const [signature, slot] of this.#told) {
      this.#told.delete(signature)
      this.#floor = max(this.#floor, slot + 1n)
      return
    }
  }
}
