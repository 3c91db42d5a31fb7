/**
 * The transactions of an address that a follower of logs has emitted, and the reads of its history that find the others.
 *
 * Invariants:
 * - A transaction is emitted once, whether a notification or the history reports it first.
 * - Nothing below the floor is emitted. The floor rises past slots that a read has covered, past those of a `Gap`, and past
 *   those whose signatures are no longer kept.
 * - A slot that the cluster cannot have reached moves no floor: its transaction counts as one of the present slot.
 * - A read of the history ends, and keeps a bounded number of signatures, whatever pages a node answers with.
 */
import type { Address, Commitment, Signature, Slot } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { model } from "../../src/internal/jsonable.js"
import { MAX_SIGNATURES_FOR_ADDRESS } from "../../src/solana/Limits.js"
import { isFar } from "../internal/falseSlot.js"
import { persist } from "../internal/persist.js"
import type { SignatureInfo, TransactionLogs } from "../RpcPool.js"
import type { HistoryOptions, Service } from "../RpcPool.js"
import type { RpcError } from "../RpcTransport.js"
import * as Updates from "./Update.js"
import type { Update } from "./Update.js"

/** A transaction may appear in the history this many slots behind the newest; by then its fork is decided. */
const MARGIN = 32n

/** Signatures that are kept to recognise repetitions: more than an address usually sees between two reads. */
const MAX_EMITTED = 20_000

/** Transactions that are read concurrently. */
const CONCURRENCY = 8

/** The history from the newest transaction down to the floor. */
export interface Recent {
  /** Newest first. */
  readonly infos: ReadonlyArray<SignatureInfo>
  /** Whether the read stopped above the floor, so that older transactions may be missing. */
  readonly hasMore: boolean
}

const max = (a: Slot, b: Slot): Slot => (a > b ? a : b)

export class LogHistory {
  readonly #emitted = new Map<Signature, Slot>()
  readonly #pool: Service
  readonly #mentions: Address
  readonly #commitment: Exclude<Commitment, "processed">
  readonly #maxTransactions: number
  #newest: Slot | undefined
  /** The lowest slot whose transactions are emitted. */
  #floor = 0n
  /** The highest slot that the pool has returned so far. */
  #reached = 0n
  /** A transaction below the floor. Pages of the history end there. */
  #until: Signature | undefined

  constructor(pool: Service, mentions: Address, commitment: Exclude<Commitment, "processed">, maxTransactions: number) {
    this.#pool = pool
    this.#mentions = mentions
    this.#commitment = commitment
    this.#maxTransactions = maxTransactions
  }

  /** The newest slot of an emitted transaction. */
  get newest(): Slot | undefined {
    return this.#newest
  }

  /** Marks the newest page of the history as emitted: a follower starts after it. */
  get begin(): Effect.Effect<void, RpcError> {
    return Effect.map(Effect.flatMap(this.#page({}), this.#believed), (page) => {
      for (const { signature, slot } of page) this.#markEmitted(signature, slot)
      this.#floor = this.#newest ?? 0n
    })
  }

  /** Discards slots that a cluster at this slot cannot have reached. */
  takeBack(slot: Slot): void {
    this.#reached = slot
    if (this.#newest !== undefined && isFar(this.#newest, slot)) this.#newest = slot
    if (isFar(this.#floor, slot)) this.#floor = slot
    for (const [signature, emitted] of this.#emitted) if (isFar(emitted, slot)) this.#emitted.set(signature, slot)
  }

  /** Records a notification. Gives no update if its transaction was emitted before. */
  notified(slot: Slot, logs: TransactionLogs): ReadonlyArray<Update<TransactionLogs>> {
    return slot >= this.#floor && this.#markEmitted(logs.signature, slot) ? [Updates.value(slot, logs)] : []
  }

  /**
   * Reads the history down to the floor, or until it holds more new transactions than `maxTransactions`. The node must
   * have reached `minContextSlot`.
   */
  recent(minContextSlot?: Slot): Effect.Effect<Recent, RpcError> {
    return Effect.suspend(() => this.#recent(minContextSlot, new Map()))
  }

  /** The updates for the transactions of a read that were not emitted yet, oldest first. */
  updates({ hasMore, infos: told }: Recent): Effect.Effect<ReadonlyArray<Update<TransactionLogs>>, RpcError> {
    return Effect.flatMap(this.#believed(told), (infos) => {
      const missed = infos.filter((info) => this.#isMissed(info))
      const read = missed.slice(0, this.#maxTransactions)
      const oldest = hasMore || read.length < missed.length ? read.at(-1) : undefined
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

  /**
   * Adds the next page to the found transactions. A bounded number of pages is read, even if a node never reaches the
   * floor.
   */
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
      const isEndless = found.size === known || found.size > MAX_EMITTED + this.#maxTransactions
      return isEndless || infos.filter((info) => this.#isMissed(info)).length > this.#maxTransactions
        ? Effect.succeed({ infos, hasMore: true })
        : this.#recent(minContextSlot, found, last.signature)
    })
  }

  /** The listed transactions. A slot far above all others counts only if the pool has reached it. */
  readonly #believed = (infos: ReadonlyArray<SignatureInfo>): Effect.Effect<ReadonlyArray<SignatureInfo>> => {
    if (!infos.some(({ slot }) => isFar(slot, this.#reached))) return Effect.succeed(infos)
    return Effect.match(this.#pool.getSlot({ commitment: this.#commitment }), {
      onFailure: () => infos,
      onSuccess: (current) => {
        this.#reached = current
        return infos.map((info) => (isFar(info.slot, current) ? { ...info, slot: current } : info))
      }
    })
  }

  #isMissed({ signature, slot }: SignatureInfo): boolean {
    return slot >= this.#floor && !this.#emitted.has(signature)
  }

  /** Raises the floor to the margin below the newest transaction read, and to the end of a gap. */
  #settle(infos: ReadonlyArray<SignatureInfo>, gapEnd: SignatureInfo | undefined): void {
    const newest = infos[0]
    if (newest === undefined) return
    this.#floor = max(max(this.#floor, gapEnd?.slot ?? 0n), newest.slot - MARGIN)
    this.#until = infos.find(({ slot }) => slot < this.#floor)?.signature ?? this.#until
  }

  #read({ err, signature, slot }: SignatureInfo): Effect.Effect<Update<TransactionLogs>, RpcError> {
    return Effect.map(
      persist(
        Effect.catchTag(
          this.#pool.getTransaction(signature, { commitment: this.#commitment }),
          "InvalidInput",
          Effect.die
        )
      ),
      (transaction): Update<TransactionLogs> => {
        this.#markEmitted(signature, slot)
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

  /** Marks a transaction as emitted. True if it was not marked before. */
  #markEmitted(signature: Signature, slot: Slot): boolean {
    if (this.#newest === undefined || slot > this.#newest) this.#newest = slot
    if (this.#emitted.has(signature)) return false
    this.#emitted.set(signature, slot)
    if (this.#emitted.size > MAX_EMITTED) this.#forgetOldest()
    return true
  }

  /** Raises the floor past the signature that it drops, because a dropped signature is no longer recognised. */
  #forgetOldest(): void {
    for (const [signature, slot] of this.#emitted) {
      this.#emitted.delete(signature)
      this.#floor = max(this.#floor, slot + 1n)
      return
    }
  }
}
