/** The methods of the pool. */
import type { Address, Blockhash, Lamports, Rpc, Signature, Slot, SolanaRpcApi } from "@solana/kit"
import type * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import type * as Option from "effect/Option"
import type * as Stream from "effect/Stream"
import type { InvalidInput } from "../../src/InvalidInput.js"
import type { RpcCall, RpcError, SubscriptionError } from "../RpcTransport.js"
import type {
  AccountOptions,
  BlockOptions,
  CommitmentOptions,
  HistoryOptions,
  ProgramAccountsOptions,
  ReadOptions,
  SendOptions,
  SimulateOptions
} from "./CallOptions.js"
import type * as Reply from "./Reply.js"

/**
 * The pool: every call may fail with `RpcError`, and is aborted when interrupted. An argument that is none (a text that
 * is no address, a count out of range) is `InvalidInput` with its whole path, before any I/O.
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
  /** Number of blocks since genesis; a blockhash expires by block height. */
  readonly getBlockHeight: (options?: ReadOptions) => Effect.Effect<bigint, RpcError>
  readonly getEpochInfo: (options?: ReadOptions) => Effect.Effect<Reply.EpochInfo, RpcError>
  readonly getEpochSchedule: Effect.Effect<Reply.EpochSchedule, RpcError>
  /** None where the node has no block for the slot; a skipped slot is an `RpcError` (-32007). */
  readonly getBlock: (
    slot: Slot,
    options?: BlockOptions
  ) => Effect.Effect<Option.Option<Reply.Block>, RpcError | InvalidInput>
  /** The slots from `start` to `end` (both included; default: the newest) that have a block. */
  readonly getBlocks: (
    start: Slot,
    end?: Slot,
    options?: Pick<BlockOptions, "commitment">
  ) => Effect.Effect<ReadonlyArray<Slot>, RpcError | InvalidInput>
  /** Unix seconds. */
  readonly getBlockTime: (slot: Slot) => Effect.Effect<Option.Option<bigint>, RpcError | InvalidInput>
  readonly getFirstAvailableBlock: Effect.Effect<Slot, RpcError>
  readonly minimumLedgerSlot: Effect.Effect<Slot, RpcError>
  readonly getLatestBlockhash: (
    options?: ReadOptions
  ) => Effect.Effect<Reply.Contextual<Reply.LatestBlockhash>, RpcError>
  readonly isBlockhashValid: (
    blockhash: Blockhash,
    options?: ReadOptions
  ) => Effect.Effect<Reply.Contextual<boolean>, RpcError | InvalidInput>
  /** Fee of a message in lamports; None if its blockhash has expired. */
  readonly getFeeForMessage: (
    messageBytes: Uint8Array,
    options?: ReadOptions
  ) => Effect.Effect<Reply.Contextual<Option.Option<Lamports>>, RpcError | InvalidInput>
  /** Of up to 150 recent blocks, for transactions that write all these accounts (at most 128; default: any). */
  readonly getRecentPrioritizationFees: (
    accounts?: ReadonlyArray<Address>
  ) => Effect.Effect<ReadonlyArray<Reply.PrioritizationFee>, RpcError | InvalidInput>
  /** Newest first, one a minute, at most 720 (the default). */
  readonly getRecentPerformanceSamples: (
    limit?: number
  ) => Effect.Effect<ReadonlyArray<Reply.PerformanceSample>, RpcError | InvalidInput>
  /** Minimum lamports that exempt an account of `space` bytes from rent. */
  readonly getMinimumBalanceForRentExemption: (
    space: number | bigint,
    options?: CommitmentOptions
  ) => Effect.Effect<Lamports, RpcError | InvalidInput>
  readonly getBalance: (
    address: Address,
    options?: ReadOptions
  ) => Effect.Effect<Reply.Contextual<Lamports>, RpcError | InvalidInput>
  readonly getAccountInfo: (
    address: Address,
    options?: AccountOptions
  ) => Effect.Effect<Reply.Contextual<Option.Option<Reply.AccountInfo>>, RpcError | InvalidInput>
  /** All from one bank, in the order asked for. `InvalidInput` for more than 100 addresses. */
  readonly getMultipleAccounts: (
    addresses: ReadonlyArray<Address>,
    options?: AccountOptions
  ) => Effect.Effect<Reply.Contextual<ReadonlyArray<Option.Option<Reply.AccountInfo>>>, RpcError | InvalidInput>
  readonly getProgramAccounts: (
    program: Address,
    options?: ProgramAccountsOptions
  ) => Effect.Effect<Reply.Contextual<ReadonlyArray<Reply.AccountInfo>>, RpcError | InvalidInput>
  readonly getSupply: (options?: CommitmentOptions) => Effect.Effect<Reply.Contextual<Reply.Supply>, RpcError>
  readonly getTransactionCount: (options?: ReadOptions) => Effect.Effect<bigint, RpcError>
  /** In the order of `signatures`; None for an unknown signature. `InvalidInput` for more than 256 signatures. */
  readonly getSignatureStatuses: (
    signatures: ReadonlyArray<Signature>,
    options?: {
      /** Look in the ledger too, not only in the recent statuses (about 150 blocks). Slower. Default: false. */
      readonly searchTransactionHistory?: boolean | undefined
    }
  ) => Effect.Effect<Reply.Contextual<ReadonlyArray<Option.Option<Reply.SignatureStatus>>>, RpcError | InvalidInput>
  /**
   * Statuses in the whole ledger of a node, and the slot where that ledger begins: a signature that is not found did not
   * land at or after it. One JSON-RPC array asks for both, and it is not retried, since another node's ledger may begin
   * elsewhere. `InvalidInput` for more than 256 signatures.
   */
  readonly getLedgerStatuses: (
    signatures: ReadonlyArray<Signature>
  ) => Effect.Effect<Reply.LedgerStatuses, RpcError | InvalidInput>
  /** `InvalidInput` for a limit out of 1 to 1000. */
  readonly getSignaturesForAddress: (
    address: Address,
    options?: HistoryOptions
  ) => Effect.Effect<ReadonlyArray<Reply.SignatureInfo>, RpcError | InvalidInput>
  /** None where the node knows no such transaction at this commitment. */
  readonly getTransaction: (
    signature: Signature,
    options?: Pick<BlockOptions, "commitment">
  ) => Effect.Effect<Option.Option<Reply.ConfirmedTransaction>, RpcError | InvalidInput>
  /** Test clusters only. */
  readonly requestAirdrop: (
    address: Address,
    lamports: Lamports,
    options?: CommitmentOptions
  ) => Effect.Effect<Signature, RpcError | InvalidInput>
  /**
   * Hands a signed transaction (signatures, then message) to the node, which answers before it has landed. An
   * `RpcError` other than a refused preflight (-32002) does not say that it will not land.
   */
  readonly sendTransaction: (
    wire: Uint8Array,
    options?: SendOptions
  ) => Effect.Effect<Signature, RpcError | InvalidInput>
  readonly simulateTransaction: (
    wire: Uint8Array,
    options?: SimulateOptions
  ) => Effect.Effect<Reply.Contextual<Reply.Simulation>, RpcError | InvalidInput>

  /** Each change of an account. */
  readonly accountSubscribe: (
    address: Address,
    options?: CommitmentOptions
  ) => Stream.Stream<Reply.Contextual<Reply.AccountInfo>, SubscriptionError | InvalidInput>
  /** Each change of a program's accounts. */
  readonly programSubscribe: (
    program: Address,
    options?: Pick<ProgramAccountsOptions, "commitment" | "filters" | "dataSlice">
  ) => Stream.Stream<Reply.Contextual<Reply.AccountInfo>, SubscriptionError | InvalidInput>
  /** The logs of all transactions (but votes), of all with votes, or of those that mention an address. */
  readonly logsSubscribe: (
    filter: "all" | "allWithVotes" | { readonly mentions: Address },
    options?: CommitmentOptions
  ) => Stream.Stream<Reply.Contextual<Reply.TransactionLogs>, SubscriptionError | InvalidInput>
  /** One element, when the transaction reaches the commitment; then the Stream ends. */
  readonly signatureSubscribe: (
    signature: Signature,
    options?: CommitmentOptions
  ) => Stream.Stream<
    Reply.Contextual<{
      /** Agave's transaction error, `null` where it succeeded. */
      readonly err: unknown
    }>,
    SubscriptionError | InvalidInput
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
