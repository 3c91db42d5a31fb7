/**
 * Solana's JSON-RPC as a service: typed calls with validated replies, subscriptions as Streams.
 *
 * Calls bear the names of the JSON-RPC methods. Account data is bytes, u64 is `bigint`, what may be missing is an
 * `Option`. Replies are hostile until decoded: one that is not what the method answers fails with
 * `RpcError{reason: "Decode"}` that names the path.
 *
 * @since 0.1.0
 */
import type { Address, Blockhash, Commitment, Lamports, Rpc, Signature, Slot, SolanaRpcApi } from "@solana/kit"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import type * as Option from "effect/Option"
import type * as Stream from "effect/Stream"
import type { InvalidInput } from "../src/InvalidInput.js"
import type * as Reply from "./rpc/Reply.js"
import type { RpcCall, RpcError, SubscriptionError } from "./RpcTransport.js"

/**
 * Which bank answers.
 *
 * @since 0.1.0
 * @category models
 */
export interface CommitmentOptions {
  /** Default: the pool's. Lower is fresher, higher is surer. */
  readonly commitment?: Commitment | undefined
}

/**
 * Which bank answers, and how old it may be.
 *
 * @since 0.1.0
 * @category models
 */
export interface ReadOptions extends CommitmentOptions {
  /** A node that has not reached this slot answers with an error (-32016, retryable). Default: none. */
  readonly minContextSlot?: Slot | undefined
}

/**
 * A read of accounts.
 *
 * @since 0.1.0
 * @category models
 */
export interface AccountOptions extends ReadOptions {
  /** Only these bytes of the data; past its end the slice is shorter. Default: all. */
  readonly dataSlice?: { readonly offset: number; readonly length: number } | undefined
}

/**
 * Which accounts of a program: those whose data has this size in bytes, or holds these bytes (≤ 128) at this offset.
 *
 * @since 0.1.0
 * @category models
 */
export type AccountFilter =
  | { readonly dataSize: number }
  | { readonly memcmp: { readonly offset: number; readonly bytes: Uint8Array } }

/**
 * A read of a program's accounts.
 *
 * @since 0.1.0
 * @category models
 */
export interface ProgramAccountsOptions extends AccountOptions {
  /** All must hold (at most 4). Default: none. */
  readonly filters?: ReadonlyArray<AccountFilter> | undefined
}

/**
 * A page of an address's history, newest first.
 *
 * @since 0.1.0
 * @category models
 */
export interface HistoryOptions extends ReadOptions {
  /** Start behind this one. Default: the newest. */
  readonly before?: Signature | undefined
  /** Stop before this one. Default: the oldest. */
  readonly until?: Signature | undefined
  /** 1 to 1000 signatures. Default: 1000. */
  readonly limit?: number | undefined
}

/**
 * How a node takes a transaction.
 *
 * @since 0.1.0
 * @category models
 */
export interface SendOptions {
  /** Do not simulate first: faster by a simulation, but a transaction that must fail pays its fee. Default: false. */
  readonly skipPreflight?: boolean | undefined
  /** The bank that simulates. Default: the pool's commitment. */
  readonly preflightCommitment?: Commitment | undefined
  /** How often the node itself sends again. Default: until the blockhash expires. */
  readonly maxRetries?: number | undefined
  /** As in `ReadOptions`. */
  readonly minContextSlot?: Slot | undefined
}

/**
 * How a transaction is simulated.
 *
 * @since 0.1.0
 * @category models
 */
export interface SimulateOptions extends ReadOptions {
  /** Check signatures; not together with `replaceRecentBlockhash`. Default: false. */
  readonly sigVerify?: boolean | undefined
  /** Run with the newest blockhash instead of the transaction's own. Default: false. */
  readonly replaceRecentBlockhash?: boolean | undefined
  /** Accounts to answer with, as they would be after it. Default: none. */
  readonly accounts?: ReadonlyArray<Address> | undefined
  /** Answer with the calls below each instruction. Default: false. */
  readonly innerInstructions?: boolean | undefined
}

/**
 * A read of a block.
 *
 * @since 0.1.0
 * @category models
 */
export interface BlockOptions {
  /** `confirmed` or `finalized`. Default: the pool's, where it is not `processed`; else `confirmed`. */
  readonly commitment?: Exclude<Commitment, "processed"> | undefined
  /** What of its transactions. Default: `full`. */
  readonly transactionDetails?: "full" | "signatures" | "none" | undefined
}

/**
 * The pool: every call may fail with `RpcError`, and is aborted when interrupted.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** `ok`, or an `RpcError` (-32005) from a node that lags behind. */
  readonly getHealth: Effect.Effect<"ok", RpcError>
  readonly getVersion: Effect.Effect<Reply.NodeVersion, RpcError>
  /** The node's own address. */
  readonly getIdentity: Effect.Effect<Address, RpcError>
  /** Tells clusters apart. */
  readonly getGenesisHash: Effect.Effect<Blockhash, RpcError>
  readonly getSlot: (options?: ReadOptions) => Effect.Effect<Slot, RpcError>
  /** Slots that have a block, from genesis on; what blockhashes expire by. */
  readonly getBlockHeight: (options?: ReadOptions) => Effect.Effect<bigint, RpcError>
  readonly getEpochInfo: (options?: ReadOptions) => Effect.Effect<Reply.EpochInfo, RpcError>
  readonly getEpochSchedule: Effect.Effect<Reply.EpochSchedule, RpcError>
  /** None where the node has no block for the slot; a skipped slot is an `RpcError` (-32007). */
  readonly getBlock: (slot: Slot, options?: BlockOptions) => Effect.Effect<Option.Option<Reply.Block>, RpcError>
  /** The slots from `start` to `end` (both included; default: the newest) that have a block. */
  readonly getBlocks: (
    start: Slot,
    end?: Slot,
    options?: Pick<BlockOptions, "commitment">
  ) => Effect.Effect<ReadonlyArray<Slot>, RpcError>
  /** Unix seconds. */
  readonly getBlockTime: (slot: Slot) => Effect.Effect<Option.Option<bigint>, RpcError>
  readonly getFirstAvailableBlock: Effect.Effect<Slot, RpcError>
  readonly minimumLedgerSlot: Effect.Effect<Slot, RpcError>
  readonly getLatestBlockhash: (
    options?: ReadOptions
  ) => Effect.Effect<Reply.Contextual<Reply.LatestBlockhash>, RpcError>
  readonly isBlockhashValid: (
    blockhash: Blockhash,
    options?: ReadOptions
  ) => Effect.Effect<Reply.Contextual<boolean>, RpcError>
  /** What a message would cost; none where its blockhash has expired. */
  readonly getFeeForMessage: (
    messageBytes: Uint8Array,
    options?: ReadOptions
  ) => Effect.Effect<Reply.Contextual<Option.Option<Lamports>>, RpcError>
  /** Of up to 150 recent blocks, for transactions that write all these accounts (at most 128; default: any). */
  readonly getRecentPrioritizationFees: (
    accounts?: ReadonlyArray<Address>
  ) => Effect.Effect<ReadonlyArray<Reply.PrioritizationFee>, RpcError>
  /** Newest first, one a minute, at most 720 (the default). */
  readonly getRecentPerformanceSamples: (
    limit?: number
  ) => Effect.Effect<ReadonlyArray<Reply.PerformanceSample>, RpcError>
  /** What an account of so many bytes must hold to stay. */
  readonly getMinimumBalanceForRentExemption: (
    space: number | bigint,
    options?: CommitmentOptions
  ) => Effect.Effect<Lamports, RpcError>
  readonly getBalance: (address: Address, options?: ReadOptions) => Effect.Effect<Reply.Contextual<Lamports>, RpcError>
  readonly getAccountInfo: (
    address: Address,
    options?: AccountOptions
  ) => Effect.Effect<Reply.Contextual<Option.Option<Reply.AccountInfo>>, RpcError>
  /** All from one bank, in the order asked for. `InvalidInput` for more than 100 addresses. */
  readonly getMultipleAccounts: (
    addresses: ReadonlyArray<Address>,
    options?: AccountOptions
  ) => Effect.Effect<Reply.Contextual<ReadonlyArray<Option.Option<Reply.AccountInfo>>>, RpcError | InvalidInput>
  readonly getProgramAccounts: (
    program: Address,
    options?: ProgramAccountsOptions
  ) => Effect.Effect<Reply.Contextual<ReadonlyArray<Reply.AccountInfo>>, RpcError>
  readonly getSupply: (options?: CommitmentOptions) => Effect.Effect<Reply.Contextual<Reply.Supply>, RpcError>
  readonly getTransactionCount: (options?: ReadOptions) => Effect.Effect<bigint, RpcError>
  /** In the order asked for; none where the node knows nothing. `InvalidInput` for more than 256 signatures. */
  readonly getSignatureStatuses: (
    signatures: ReadonlyArray<Signature>,
    options?: {
      /** Look in the ledger too, not only in the recent statuses (about 150 blocks). Slower. Default: false. */
      readonly searchTransactionHistory?: boolean | undefined
    }
  ) => Effect.Effect<Reply.Contextual<ReadonlyArray<Option.Option<Reply.SignatureStatus>>>, RpcError | InvalidInput>
  /** `InvalidInput` for a limit out of 1 to 1000. */
  readonly getSignaturesForAddress: (
    address: Address,
    options?: HistoryOptions
  ) => Effect.Effect<ReadonlyArray<Reply.SignatureInfo>, RpcError | InvalidInput>
  /** None where the node knows no such transaction at this commitment. */
  readonly getTransaction: (
    signature: Signature,
    options?: Pick<BlockOptions, "commitment">
  ) => Effect.Effect<Option.Option<Reply.ConfirmedTransaction>, RpcError>
  /** Test clusters only. */
  readonly requestAirdrop: (
    address: Address,
    lamports: Lamports,
    options?: CommitmentOptions
  ) => Effect.Effect<Signature, RpcError>
  /**
   * Hands a signed transaction (signatures, then message) to the node, which answers before it has landed. An
   * `RpcError` other than a refused preflight (-32002) does not say that it will not land.
   */
  readonly sendTransaction: (wire: Uint8Array, options?: SendOptions) => Effect.Effect<Signature, RpcError>
  readonly simulateTransaction: (
    wire: Uint8Array,
    options?: SimulateOptions
  ) => Effect.Effect<Reply.Contextual<Reply.Simulation>, RpcError>

  /** Each change of an account. */
  readonly accountSubscribe: (
    address: Address,
    options?: CommitmentOptions
  ) => Stream.Stream<Reply.Contextual<Reply.AccountInfo>, SubscriptionError>
  /** Each change of a program's accounts. */
  readonly programSubscribe: (
    program: Address,
    options?: Pick<ProgramAccountsOptions, "commitment" | "filters" | "dataSlice">
  ) => Stream.Stream<Reply.Contextual<Reply.AccountInfo>, SubscriptionError>
  /** The logs of all transactions (but votes), of all with votes, or of those that mention an address. */
  readonly logsSubscribe: (
    filter: "all" | "allWithVotes" | { readonly mentions: Address },
    options?: CommitmentOptions
  ) => Stream.Stream<Reply.Contextual<Reply.TransactionLogs>, SubscriptionError>
  /** One element, when the transaction reaches the commitment; then the Stream ends. */
  readonly signatureSubscribe: (
    signature: Signature,
    options?: CommitmentOptions
  ) => Stream.Stream<
    Reply.Contextual<{
      /** Agave's transaction error, `null` where it succeeded. */
      readonly err: unknown
    }>,
    SubscriptionError
  >
  readonly slotSubscribe: Stream.Stream<Reply.SlotInfo, SubscriptionError>
  /** Each slot that becomes the root. */
  readonly rootSubscribe: Stream.Stream<Slot, SubscriptionError>

  /** Any method; the result is what the node sent, unchecked, with integers as `number` or `bigint`. */
  readonly request: (method: string, params?: ReadonlyArray<unknown>) => Effect.Effect<unknown, RpcError>
  /** Several calls as one JSON-RPC array, answered in the order of the calls; an item's failure is its own. */
  readonly batch: (
    calls: ReadonlyArray<RpcCall>
  ) => Effect.Effect<ReadonlyArray<Either.Either<unknown, RpcError>>, RpcError>
  /** Kit's own typed RPC over this pool's transport. Loads `@solana/kit` when first asked for. */
  readonly kit: Effect.Effect<Rpc<SolanaRpcApi>>
}

/**
 * Solana's JSON-RPC.
 *
 * @since 0.1.0
 * @category tags
 */
export class RpcPool extends Context.Tag("@pod-protocol/effect/RpcPool")<RpcPool, Service>() {}
