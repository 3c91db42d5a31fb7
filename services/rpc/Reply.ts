/**
 * What a node answers, as the pool hands it out: u64 as `bigint`, bytes as `Uint8Array`, absent as `Option`.
 *
 * @since 0.1.0
 */
import type { Address, Blockhash, Commitment, Lamports, Signature, Slot } from "@solana/kit"
import type * as Option from "effect/Option"

/**
 * A value and the slot of the bank that it was read from.
 *
 * @since 0.1.0
 * @category models
 */
export interface Contextual<A> {
  readonly slot: Slot
  readonly value: A
}

/**
 * An account as it stands.
 *
 * @since 0.1.0
 * @category models
 */
export interface AccountInfo {
  readonly address: Address
  /**
   * The bytes, or the slice of them that was asked for. Short ones lie many to an `ArrayBuffer`, each at a place of its own:
   * use the view, not its `buffer`.
   */
  readonly data: Uint8Array
  readonly lamports: Lamports
  /** The program that may write it. */
  readonly owner: Address
  readonly executable: boolean
  /** Length of the whole data in bytes, also where a slice was asked for. */
  readonly space: bigint
}

/**
 * A recent blockhash and how long it lives.
 *
 * @since 0.1.0
 * @category models
 */
export interface LatestBlockhash {
  readonly blockhash: Blockhash
  /** The last block height at which a transaction with this blockhash can land. */
  readonly lastValidBlockHeight: bigint
}

/**
 * What the cluster knows of a transaction.
 *
 * @since 0.1.0
 * @category models
 */
export interface SignatureStatus {
  /** The slot in which it was processed. */
  readonly slot: Slot
  /** Blocks since then; none once finalized. */
  readonly confirmations: Option.Option<bigint>
  /** Agave's transaction error, `null` where it succeeded. */
  readonly err: unknown
  /** None in replies of nodes that do not say. */
  readonly confirmationStatus: Option.Option<Commitment>
}

/**
 * Statuses in the whole ledger of a node.
 *
 * @since 0.1.0
 * @category models
 */
export interface LedgerStatuses extends Contextual<ReadonlyArray<Option.Option<SignatureStatus>>> {
  /** The first slot of the ledger: the node knows nothing of what landed before. */
  readonly firstSlot: Slot
}

/**
 * A transaction that touched an address.
 *
 * @since 0.1.0
 * @category models
 */
export interface SignatureInfo {
  readonly signature: Signature
  readonly slot: Slot
  /** Agave's transaction error, `null` where it succeeded. */
  readonly err: unknown
  readonly memo: Option.Option<string>
  /** Unix seconds. */
  readonly blockTime: Option.Option<bigint>
  readonly confirmationStatus: Option.Option<Commitment>
}

/**
 * An instruction that a program called.
 *
 * @since 0.1.0
 * @category models
 */
export interface InnerInstruction {
  /** Index into the accounts of the transaction, static first, then loaded writable, then loaded readonly. */
  readonly programIdIndex: number
  readonly accounts: ReadonlyArray<number>
  readonly data: Uint8Array
  /** Depth of the call: 2 for one made by a top-level instruction. */
  readonly stackHeight: Option.Option<number>
}

/**
 * The calls made below one top-level instruction.
 *
 * @since 0.1.0
 * @category models
 */
export interface InnerInstructions {
  /** Index of the top-level instruction. */
  readonly index: number
  readonly instructions: ReadonlyArray<InnerInstruction>
}

/**
 * What a program handed back with `set_return_data`.
 *
 * @since 0.1.0
 * @category models
 */
export interface ReturnData {
  readonly programId: Address
  readonly data: Uint8Array
}

/**
 * What became of a transaction.
 *
 * @since 0.1.0
 * @category models
 */
export interface TransactionMeta {
  /** Agave's transaction error, `null` where it succeeded. */
  readonly err: unknown
  readonly fee: Lamports
  /** By account index, before. */
  readonly preBalances: ReadonlyArray<Lamports>
  /** By account index, after. */
  readonly postBalances: ReadonlyArray<Lamports>
  /** Empty where the node keeps none. */
  readonly logs: ReadonlyArray<string>
  /** Empty where the node keeps none. */
  readonly innerInstructions: ReadonlyArray<InnerInstructions>
  readonly computeUnitsConsumed: Option.Option<bigint>
  readonly returnData: Option.Option<ReturnData>
  /** Accounts that came from lookup tables. */
  readonly loadedAddresses: { readonly writable: ReadonlyArray<Address>; readonly readonly: ReadonlyArray<Address> }
}

/**
 * A transaction of a block.
 *
 * @since 0.1.0
 * @category models
 */
export interface BlockTransaction {
  /** The transaction as it was sent: signatures, then message. */
  readonly wire: Uint8Array
  readonly version: "legacy" | number
  /** None in replies of nodes that do not keep it. */
  readonly meta: Option.Option<TransactionMeta>
}

/**
 * A transaction that landed.
 *
 * @since 0.1.0
 * @category models
 */
export interface ConfirmedTransaction extends BlockTransaction {
  readonly slot: Slot
  /** Unix seconds. */
  readonly blockTime: Option.Option<bigint>
}

/**
 * A block.
 *
 * @since 0.1.0
 * @category models
 */
export interface Block {
  readonly blockhash: Blockhash
  readonly previousBlockhash: Blockhash
  readonly parentSlot: Slot
  readonly blockHeight: Option.Option<bigint>
  /** Unix seconds. */
  readonly blockTime: Option.Option<bigint>
  /** Empty unless `full` was asked for. */
  readonly transactions: ReadonlyArray<BlockTransaction>
  /** Empty unless `signatures` was asked for. */
  readonly signatures: ReadonlyArray<Signature>
}

/**
 * How a transaction would end.
 *
 * @since 0.1.0
 * @category models
 */
export interface Simulation {
  /** Agave's transaction error, `null` where it would succeed. */
  readonly err: unknown
  readonly logs: ReadonlyArray<string>
  readonly unitsConsumed: Option.Option<bigint>
  /** The accounts that were asked for, in that order, as they would be after it. */
  readonly accounts: ReadonlyArray<Option.Option<AccountInfo>>
  readonly returnData: Option.Option<ReturnData>
  /** The blockhash that it ran with, where `replaceRecentBlockhash` was asked for. */
  readonly replacementBlockhash: Option.Option<LatestBlockhash>
}

/**
 * Where the cluster stands in its epoch.
 *
 * @since 0.1.0
 * @category models
 */
export interface EpochInfo {
  readonly absoluteSlot: Slot
  readonly blockHeight: bigint
  readonly epoch: bigint
  readonly slotIndex: bigint
  readonly slotsInEpoch: bigint
  readonly transactionCount: Option.Option<bigint>
}

/**
 * How the cluster cuts slots into epochs.
 *
 * @since 0.1.0
 * @category models
 */
export interface EpochSchedule {
  readonly slotsPerEpoch: bigint
  readonly leaderScheduleSlotOffset: bigint
  readonly warmup: boolean
  readonly firstNormalEpoch: bigint
  readonly firstNormalSlot: Slot
}

/**
 * The software of a node.
 *
 * @since 0.1.0
 * @category models
 */
export interface NodeVersion {
  readonly solanaCore: string
  readonly featureSet: Option.Option<number>
}

/**
 * What a recent block's cheapest transaction paid.
 *
 * @since 0.1.0
 * @category models
 */
export interface PrioritizationFee {
  readonly slot: Slot
  /** Micro-lamports for each compute unit. */
  readonly prioritizationFee: bigint
}

/**
 * How fast the cluster went over a while.
 *
 * @since 0.1.0
 * @category models
 */
export interface PerformanceSample {
  readonly slot: Slot
  readonly numSlots: bigint
  readonly numTransactions: bigint
  readonly numNonVoteTransactions: Option.Option<bigint>
  /** Seconds. */
  readonly samplePeriodSecs: number
}

/**
 * How many lamports there are.
 *
 * @since 0.1.0
 * @category models
 */
export interface Supply {
  readonly total: Lamports
  readonly circulating: Lamports
  readonly nonCirculating: Lamports
  readonly nonCirculatingAccounts: ReadonlyArray<Address>
}

/**
 * The logs of one transaction.
 *
 * @since 0.1.0
 * @category models
 */
export interface TransactionLogs {
  readonly signature: Signature
  /** Agave's transaction error, `null` where it succeeded. */
  readonly err: unknown
  readonly logs: ReadonlyArray<string>
}

/**
 * A slot was entered.
 *
 * @since 0.1.0
 * @category models
 */
export interface SlotInfo {
  readonly slot: Slot
  readonly parent: Slot
  readonly root: Slot
}
