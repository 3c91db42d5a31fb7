/**
 * The decoded replies of a node. A u64 is a `bigint`, bytes are a `Uint8Array`, and an optional value is an `Option`.
 *
 * @since 0.1.0
 */
import type { Address, Blockhash, Commitment, Lamports, Signature, Slot } from "@solana/kit"
import type * as Option from "effect/Option"

/**
 * A value, and the slot at which it was read.
 *
 * @since 0.1.0
 * @category models
 */
export interface Contextual<A> {
  readonly slot: Slot
  readonly value: A
}

/**
 * An account.
 *
 * @since 0.1.0
 * @category models
 */
export interface AccountInfo {
  readonly address: Address
  /**
   * The bytes, or the requested slice. Several short arrays may share one `ArrayBuffer`, so use the view, not its `buffer`.
   */
  readonly data: Uint8Array
  readonly lamports: Lamports
  /** The program that may write the account. */
  readonly owner: Address
  readonly executable: boolean
  /** Length of the whole data in bytes, also for a slice. */
  readonly space: bigint
}

/**
 * A recent blockhash, and the last block height at which it is valid.
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
 * The status of a transaction.
 *
 * @since 0.1.0
 * @category models
 */
export interface SignatureStatus {
  /** The slot of the transaction. */
  readonly slot: Slot
  /** Blocks since the transaction; `None` once it is finalized. */
  readonly confirmations: Option.Option<bigint>
  /** Agave's transaction error; `null` if the transaction succeeded. */
  readonly err: unknown
  /** `None` if the node does not report it. */
  readonly confirmationStatus: Option.Option<Commitment>
}

/**
 * Statuses in the whole ledger of a node.
 *
 * @since 0.1.0
 * @category models
 */
export interface LedgerStatuses extends Contextual<ReadonlyArray<Option.Option<SignatureStatus>>> {
  /** The first slot of the ledger. The node has no transactions of earlier slots. */
  readonly firstSlot: Slot
}

/**
 * A transaction in the history of an address.
 *
 * @since 0.1.0
 * @category models
 */
export interface SignatureInfo {
  readonly signature: Signature
  readonly slot: Slot
  /** Agave's transaction error; `null` if the transaction succeeded. */
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
  /** Index into the accounts of the transaction: the static ones, then the loaded writable, then the loaded readonly. */
  readonly programIdIndex: number
  readonly accounts: ReadonlyArray<number>
  readonly data: Uint8Array
  /** Depth of the call: 2 for a call by a top-level instruction. */
  readonly stackHeight: Option.Option<number>
}

/**
 * The calls below one top-level instruction.
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
 * The data that a program returned with `set_return_data`.
 *
 * @since 0.1.0
 * @category models
 */
export interface ReturnData {
  readonly programId: Address
  readonly data: Uint8Array
}

/**
 * The outcome of a transaction.
 *
 * @since 0.1.0
 * @category models
 */
export interface TransactionMeta {
  /** Agave's transaction error; `null` if the transaction succeeded. */
  readonly err: unknown
  readonly fee: Lamports
  /** Balances before the transaction, by account index. */
  readonly preBalances: ReadonlyArray<Lamports>
  /** Balances after the transaction, by account index. */
  readonly postBalances: ReadonlyArray<Lamports>
  /** Empty if the node keeps no logs. */
  readonly logs: ReadonlyArray<string>
  /** Empty if the node keeps no inner instructions. */
  readonly innerInstructions: ReadonlyArray<InnerInstructions>
  readonly computeUnitsConsumed: Option.Option<bigint>
  readonly returnData: Option.Option<ReturnData>
  /** Accounts from lookup tables. */
  readonly loadedAddresses: { readonly writable: ReadonlyArray<Address>; readonly readonly: ReadonlyArray<Address> }
}

/**
 * A transaction of a block.
 *
 * @since 0.1.0
 * @category models
 */
export interface BlockTransaction {
  /** The bytes of the transaction: signatures, then message. */
  readonly wire: Uint8Array
  readonly version: "legacy" | number
  /** `None` if the node does not keep it. */
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
  /** Empty unless the request asked for `full`. */
  readonly transactions: ReadonlyArray<BlockTransaction>
  /** Empty unless the request asked for `signatures`. */
  readonly signatures: ReadonlyArray<Signature>
}

/**
 * The outcome of a simulated transaction.
 *
 * @since 0.1.0
 * @category models
 */
export interface Simulation {
  /** Agave's transaction error; `null` if the transaction would succeed. */
  readonly err: unknown
  readonly logs: ReadonlyArray<string>
  readonly unitsConsumed: Option.Option<bigint>
  /** The requested accounts after the transaction, in the order of the request. */
  readonly accounts: ReadonlyArray<Option.Option<AccountInfo>>
  readonly returnData: Option.Option<ReturnData>
  /** The blockhash of the simulation, if the request asked for `replaceRecentBlockhash`. */
  readonly replacementBlockhash: Option.Option<LatestBlockhash>
}

/**
 * The position of the cluster in its epoch.
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
 * The lengths of the cluster's epochs.
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
 * The software version of a node.
 *
 * @since 0.1.0
 * @category models
 */
export interface NodeVersion {
  readonly solanaCore: string
  readonly featureSet: Option.Option<number>
}

/**
 * The lowest prioritization fee of a recent block.
 *
 * @since 0.1.0
 * @category models
 */
export interface PrioritizationFee {
  readonly slot: Slot
  /** Micro-lamports per compute unit. */
  readonly prioritizationFee: bigint
}

/**
 * The throughput of the cluster in one sample period.
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
 * The supply of lamports.
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
  /** Agave's transaction error; `null` if the transaction succeeded. */
  readonly err: unknown
  readonly logs: ReadonlyArray<string>
}

/**
 * The notification of a new slot.
 *
 * @since 0.1.0
 * @category models
 */
export interface SlotInfo {
  readonly slot: Slot
  readonly parent: Slot
  readonly root: Slot
}
