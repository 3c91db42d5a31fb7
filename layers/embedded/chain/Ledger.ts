/**
 * The history: blocks, transactions, statuses, and transactions by address.
 *
 * Invariants: every collection is bounded and drops its oldest entry first; a transaction leaves its block, its address
 * lists and its lookup together; a message hash stays known as long as its status. A signature names one transaction: where
 * signatures are not verified it can come again once its status was dropped, and then names the newer one.
 */
import type { Address, Blockhash, Signature } from "@solana/kit"
import type { Settings } from "../Options.js"
import type { LoadedTransaction } from "./LoadedTransaction.js"
import { OldestFirst } from "./OldestFirst.js"
import type { Outcome } from "./Svm.js"
import type { TokenBalance } from "./TokenAccounts.js"

/** A landed transaction and its outcome. */
export interface TransactionRecord {
  readonly transaction: LoadedTransaction
  readonly outcome: Outcome
  readonly slot: number
  /** Unix seconds. */
  readonly blockTime: bigint
  readonly fee: bigint
  /** By account index. */
  readonly preBalances: ReadonlyArray<bigint>
  /** By account index. */
  readonly postBalances: ReadonlyArray<bigint>
  readonly preTokenBalances: ReadonlyArray<TokenBalance>
  readonly postTokenBalances: ReadonlyArray<TokenBalance>
}

/** A complete block, with its hash. */
export interface Block {
  readonly slot: number
  readonly parentSlot: number
  readonly height: number
  readonly previousBlockhash: Blockhash
  readonly blockhash: Blockhash
  /** Unix seconds. */
  readonly time: bigint
  readonly records: ReadonlyArray<TransactionRecord>
}

/** The status of a transaction, which the ledger keeps longest. */
export interface Status {
  readonly signature: Signature
  readonly messageHash: string
  readonly slot: number
  readonly err: Outcome["err"]
  /** Height of the block of the transaction's blockhash; undefined for a durable nonce. */
  readonly blockhashHeight: number | undefined
}

/** The content of a ledger. */
export interface LedgerParts {
  readonly blocks: ReadonlyArray<Block>
  readonly records: ReadonlyArray<TransactionRecord>
  readonly statuses: ReadonlyArray<Status>
  readonly prunedSlot: number
}

/** The ledger of a chain. */
export class Ledger {
  #blocks = new OldestFirst<number, Block>()
  #records = new OldestFirst<Signature, TransactionRecord>()
  readonly #byAddress = new Map<Address, Set<TransactionRecord>>()
  #statuses = new OldestFirst<Signature, Status>()
  readonly #messageHashes = new Set<string>()
  /** Blocks up to this slot lost transactions and were dropped. */
  #prunedSlot = -1

  readonly #settings: Settings

  constructor(settings: Settings) {
    this.#settings = settings
  }

  /** The first slot with a kept block. */
  get firstSlot(): number {
    return this.#blocks.oldest?.slot ?? this.#prunedSlot + 1
  }

  block(slot: number): Block | undefined {
    return this.#blocks.get(slot)
  }

  /** All kept blocks, oldest first. */
  get allBlocks(): Iterable<Block> {
    return this.#blocks.values()
  }

  record(signature: Signature): TransactionRecord | undefined {
    return this.#records.get(signature)
  }

  status(signature: Signature): Status | undefined {
    return this.#statuses.get(signature)
  }

  /** Whether this message has landed, with any signatures. */
  hasLanded(messageHash: string): boolean {
    return this.#messageHashes.has(messageHash)
  }

  /** Transactions that name the address, newest first. */
  history(address: Address): ReadonlyArray<TransactionRecord> {
    return Array.from(this.#byAddress.get(address) ?? []).toReversed()
  }

  addBlock(block: Block): void {
    if (block.slot <= this.#prunedSlot) return
    this.#blocks.set(block.slot, block)
    this.#blocks.dropTo(this.#settings.maxBlocks)
  }

  addRecord(record: TransactionRecord): void {
    const { signature } = record.transaction
    const replaced = this.#records.get(signature)
    if (replaced !== undefined) this.#unlist(replaced)
    this.#records.set(signature, record)
    for (const address of new Set(record.transaction.addresses)) {
      const records = this.#byAddress.get(address)
      if (records === undefined) this.#byAddress.set(address, new Set([record]))
      else records.add(record)
    }
    for (const dropped of this.#records.dropTo(this.#settings.maxTransactions)) this.#forget(dropped)
  }

  /** Adds a status and returns the statuses that this removes. */
  addStatus(status: Status): ReadonlyArray<Status> {
    this.#statuses.set(status.signature, status)
    this.#messageHashes.add(status.messageHash)
    const forgotten = this.#statuses.dropTo(this.#settings.maxStatuses)
    for (const { messageHash } of forgotten) this.#messageHashes.delete(messageHash)
    return forgotten
  }

  /** The content of the ledger, oldest first. */
  get parts(): LedgerParts {
    return {
      blocks: Array.from(this.#blocks.values()),
      records: Array.from(this.#records.values()),
      statuses: Array.from(this.#statuses.values()),
      prunedSlot: this.#prunedSlot
    }
  }

  /** A ledger of these parts. Blocks and records share their transactions. */
  static of(settings: Settings, { blocks, prunedSlot, records, statuses }: LedgerParts): Ledger {
    const made = new Ledger(settings)
    made.#prunedSlot = prunedSlot
    records.forEach((record) => made.addRecord(record))
    blocks.forEach((block) => made.addBlock(block))
    statuses.forEach((status) => made.addStatus(status))
    return made
  }

  /** Returns an independent copy. */
  copy(): Ledger {
    const copy = new Ledger(this.#settings)
    copy.#blocks = this.#blocks.copy()
    copy.#records = this.#records.copy()
    copy.#statuses = this.#statuses.copy()
    for (const [address, records] of this.#byAddress) copy.#byAddress.set(address, new Set(records))
    for (const hash of this.#messageHashes) copy.#messageHashes.add(hash)
    copy.#prunedSlot = this.#prunedSlot
    return copy
  }

  /** Takes a record out of its address lists. */
  #unlist(record: TransactionRecord): void {
    for (const address of record.transaction.addresses) {
      const records = this.#byAddress.get(address)
      records?.delete(record)
      if (records?.size === 0) this.#byAddress.delete(address)
    }
  }

  /** Removes a dropped record from its address lists, and its block with it. */
  #forget(record: TransactionRecord): void {
    this.#unlist(record)
    this.#prunedSlot = Math.max(this.#prunedSlot, record.slot)
    while ((this.#blocks.oldest?.slot ?? Infinity) <= this.#prunedSlot) this.#blocks.dropOldest()
  }
}
