/**
 * The interface of an embedded cluster.
 *
 * @since 0.1.0
 */
import type { Address, Signature } from "@solana/kit"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { SubscriptionError, SubscriptionKind } from "../../services/RpcTransport.js"
import type { InvalidInput } from "../../src/InvalidInput.js"
import type { EmbeddedClusterError } from "./EmbeddedClusterError.js"
import type * as Options from "./Options.js"
import type { FeedKind, Sink } from "./rpc/Feeds.js"
import type * as JsonRpcError from "./rpc/JsonRpcError.js"

/**
 * The state of a cluster at one moment. It is opaque; only the cluster that made it can `restore` it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Snapshot {
  /** The newest slot at that moment. */
  readonly slot: bigint
}

/**
 * A subscription with a callback.
 *
 * @since 0.1.0
 * @category models
 */
export interface Listening {
  /** Ends the subscription. A second call does nothing. */
  readonly close: () => void
  /** The only notification, if it is available at once; then no other follows. */
  readonly answer: unknown
}

/**
 * What a cluster has done so far.
 *
 * @since 0.1.0
 * @category models
 */
export interface Activity {
  /** The newest slot. */
  readonly slot: bigint
  /** Transactions that have landed since genesis. */
  readonly transactions: number
  /** Open subscriptions of all clients. */
  readonly subscriptions: number
}

/**
 * The operations of an embedded cluster.
 *
 * `request` and `subscribe` offer what a Solana client can use over the network. The other operations are available in
 * process only.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** Answers one JSON-RPC call. Integers of the reply are `number` up to 2^53 - 1 and `bigint` beyond. */
  readonly request: (
    method: string,
    params: ReadonlyArray<unknown>
  ) => Effect.Effect<unknown, JsonRpcError.JsonRpcError>
  /** Subscribes and emits the `result` of each notification. The subscription ends with the stream. */
  readonly subscribe: (
    kind: SubscriptionKind,
    params: ReadonlyArray<unknown>
  ) => Stream.Stream<unknown, SubscriptionError>
  /**
   * Subscribes with a callback, which the chain calls synchronously and which must return at once. If it throws, its
   * subscription ends. It is for servers with many subscriptions; use `subscribe` otherwise.
   */
  readonly listen: (
    kind: FeedKind,
    params: ReadonlyArray<unknown>,
    sink: Sink
  ) => Effect.Effect<Listening, JsonRpcError.JsonRpcError>
  /** The newest slot, and what the cluster has done so far. */
  readonly activity: Effect.Effect<Activity>
  /** The options, with their defaults. */
  readonly settings: Options.Settings
  /** Sends lamports from the faucet in a separate transaction. The transaction has landed when this returns. */
  readonly airdrop: (address: Address, lamports: bigint) => Effect.Effect<Signature, InvalidInput>
  /** Writes an account without the runtime's checks. Lamports 0 removes it. */
  readonly setAccount: (account: Options.AccountImage) => Effect.Effect<void, InvalidInput>
  /** Loads a program, after a trial load on a temporary machine. */
  readonly addProgram: (address: Address, elf: Uint8Array) => Effect.Effect<void, EmbeddedClusterError>
  /**
   * Makes empty blocks, one per slot. For more than `maxBlocks` slots, only the last ones get a block. `InvalidInput`
   * for a slot beyond 2^52.
   */
  readonly advanceSlots: (count: number) => Effect.Effect<void, InvalidInput>
  /**
   * Moves the chain's Unix time forward without making a block. The next block has the new time. The chain is at most
   * 2^53 − 1 milliseconds ahead of the Clock.
   */
  readonly advanceTime: (duration: Duration.DurationInput) => Effect.Effect<void>
  /** Expires every known blockhash and makes a new one: slot and height grow by `blockhashLifetime`. */
  readonly expireBlockhashes: Effect.Effect<void>
  /** Captures the state: accounts, programs, slots, blockhashes and history, without subscriptions. */
  readonly snapshot: Effect.Effect<Snapshot>
  /** Restores a state. Open subscriptions stay open and receive later events. */
  readonly restore: (snapshot: Snapshot) => Effect.Effect<void, InvalidInput>
}
