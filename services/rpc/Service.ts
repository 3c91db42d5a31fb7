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
 * The methods of the pool. Every call may fail with `RpcError`, and is aborted when interrupted. An invalid argument (a
 * text that is not an address, a count out of range) is `InvalidInput` with its whole path, before any I/O.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** Returns `ok`. A lagging node answers with an `RpcError` (-32005). */
  readonly getHealth: Effect.Effect<"ok", RpcError>
  readonly getVersion: Effect.Effect<Reply.NodeVersion, RpcError>
  /** The node's own address. */
  readonly getIdentity: Effect.Effect<Address, RpcError>
  /** The hash of the genesis block. It identifies the cluster. */
  readonly getGenesisHash: Effect.Effect<Blockhash, RpcError>
  readonly getSlot: (options?: ReadOptions) => Effect.Effect<Slot, RpcError>
  /** Number of blocks since genesis; a blockhash expires by block height. */
  readonly getBlockHeight: (options?: ReadOptions) => Effect.Effect<bigint, RpcError>
  readonly getEpochInfo: (options?: ReadOptions) => Effect.Effect<Reply.EpochInfo, RpcError>
  readonly getEpochSchedule: Effect.Effect<Reply.EpochSchedule, RpcError>
  /** `None` if the node has no block for the slot. A skipped slot is an `RpcError` (-32007). */
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
  /** The fee of a message in lamports; `None` if its blockhash has expired. */
  readonly getFeeForMessage: (
    messageBytes: Uint8Array,
    options?: ReadOptions
  ) => Effect.Effect<Reply.Contextual<Option.Option<Lamports>>, RpcError | InvalidInput>
  /**
   * The lowest fees in up to 150 recent blocks, for transactions that write all these accounts (at most 128; default:
   * any account).
   */
  readonly getRecentPrioritizationFees: (
    accounts?: ReadonlyArray<Address>
  ) => Effect.Effect<ReadonlyArray<Reply.PrioritizationFee>, RpcError | InvalidInput>
  /** Samples, newest first, one per minute: at most 720, which is the default. */
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
  /** All accounts from one bank, in the order of the request. `InvalidInput` for more than 100 addresses. */
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
  /**
   * Statuses in the order of `signatures`; `None` for an unknown signature. `InvalidInput` for more than 256
   * signatures.
   */
  readonly getSignatureStatuses: (
    signatures: ReadonlyArray<Signature>,
    options?: {
      /** Searches the ledger too, not only the recent statuses (about 150 blocks). Slower. Default: false. */
      readonly searchTransactionHistory?: boolean | undefined
    }
  ) => Effect.Effect<Reply.Contextual<ReadonlyArray<Option.Option<Reply.SignatureStatus>>>, RpcError | InvalidInput>
  /**
   * Statuses in the whole ledger of a node, and the first slot of that ledger. A signature without a status did not land
   * at or after that slot. One JSON-RPC array makes both calls. It is not retried, because the ledger of another node may
   * begin elsewhere. `InvalidInput` for more than 256 signatures.
   */
  readonly getLedgerStatuses: (
    signatures: ReadonlyArray<Signature>
  ) => Effect.Effect<Reply.LedgerStatuses, RpcError | InvalidInput>
  /** `InvalidInput` for a limit outside 1 to 1000. */
  readonly getSignaturesForAddress: (
    address: Address,
    options?: HistoryOptions
  ) => Effect.Effect<ReadonlyArray<Reply.SignatureInfo>, RpcError | InvalidInput>
  /** `None` if the node does not know the transaction at this commitment. */
  readonly getTransaction: (
    signature: Signature,
    options?: Pick<BlockOptions, "commitment">
  ) => Effect.Effect<Option.Option<Reply.ConfirmedTransaction>, RpcError | InvalidInput>
  /** Requests test lamports. Only test clusters offer this. */
  readonly requestAirdrop: (
    address: Address,
    lamports: Lamports,
    options?: CommitmentOptions
  ) => Effect.Effect<Signature, RpcError | InvalidInput>
  /**
   * Submits a signed transaction (signatures, then message) to the node, which answers before the transaction has
   * landed. After an `RpcError` other than a refused preflight (-32002), the transaction may still land.
   */
  readonly sendTransaction: (
    wire: Uint8Array,
    options?: SendOptions
  ) => Effect.Effect<Signature, RpcError | InvalidInput>
  readonly simulateTransaction: (
    wire: Uint8Array,
    options?: SimulateOptions
  ) => Effect.Effect<Reply.Contextual<Reply.Simulation>, RpcError | InvalidInput>

  /** Emits each change of an account. */
  readonly accountSubscribe: (
    address: Address,
    options?: CommitmentOptions
  ) => Stream.Stream<Reply.Contextual<Reply.AccountInfo>, SubscriptionError | InvalidInput>
  /** Emits each change of a program's accounts. */
  readonly programSubscribe: (
    program: Address,
    options?: Pick<ProgramAccountsOptions, "commitment" | "filters" | "dataSlice">
  ) => Stream.Stream<Reply.Contextual<Reply.AccountInfo>, SubscriptionError | InvalidInput>
  /** Emits the logs of all transactions except votes, of all with votes, or of those that mention an address. */
  readonly logsSubscribe: (
    filter: "all" | "allWithVotes" | { readonly mentions: Address },
    options?: CommitmentOptions
  ) => Stream.Stream<Reply.Contextual<Reply.TransactionLogs>, SubscriptionError | InvalidInput>
  /** Emits one element when the transaction reaches the commitment, and then ends. */
  readonly signatureSubscribe: (
    signature: Signature,
    options?: CommitmentOptions
  ) => Stream.Stream<
    Reply.Contextual<{
      /** Agave's transaction error; `null` if the transaction succeeded. */
      readonly err: unknown
    }>,
    SubscriptionError | InvalidInput
  >
  readonly slotSubscribe: Stream.Stream<Reply.SlotInfo, SubscriptionError>
  /** Emits each slot that becomes the root. */
  readonly rootSubscribe: Stream.Stream<Slot, SubscriptionError>

  /** Calls any method. The result is the node's, unchecked, with integers as `number` or `bigint`. */
  readonly request: (method: string, params?: ReadonlyArray<unknown>) => Effect.Effect<unknown, RpcError>
  /**
   * Makes several calls as one JSON-RPC array, and returns the results in order. A failed item does not affect the
   * others.
   */
  readonly batch: (
    calls: ReadonlyArray<RpcCall>
  ) => Effect.Effect<ReadonlyArray<Either.Either<unknown, RpcError>>, RpcError>
  /** Kit's typed RPC over this pool's transport. `@solana/kit` is loaded on the first use. */
  readonly kit: Effect.Effect<Rpc<SolanaRpcApi>>
}
