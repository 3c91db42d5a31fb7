/**
 * What can be asked of an embedded cluster.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { Address, Signature } from "@solana/kit"
import type { SubscriptionError, SubscriptionKind } from "../../services/RpcTransport.js"
import type { InvalidInput } from "../../src/InvalidInput.js"
import type { EmbeddedClusterError } from "./EmbeddedClusterError.js"
import type { Sink } from "./rpc/Feeds.js"
import type * as JsonRpcError from "./rpc/JsonRpcError.js"
import type * as Options from "./Options.js"

/**
 * An account as `setAccount` takes it.
 *
 * @since 0.1.0
 * @category models
 */
export interface AccountImage {
  readonly address: Address
  readonly lamports: bigint
  readonly owner: Address
  readonly data: Uint8Array
}

/**
 * The whole state of a cluster at one moment. Opaque; good for `restore` on the cluster it was taken from.
 *
 * @since 0.1.0
 * @category models
 */
export interface Snapshot {
  /** The slot in which it was taken. */
  readonly slot: bigint
}

/**
 * A subscription in the form of a callback.
 *
 * @since 0.1.0
 * @category models
 */
export interface Listening {
  /** Ends it. To do it twice does no harm. */
  readonly close: () => void
  /** The only notification, where it was due already: nothing else follows then. */
  readonly answer: unknown
}

/**
 * What an embedded cluster does.
 *
 * `request` and `subscribe` are what any Solana client could ask over the wire. All the rest can be asked in process
 * only.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** Answers one JSON-RPC call. Integers of the answer are `number` up to 2^53 - 1 and `bigint` beyond. */
  readonly request: (
    method: string,
    params: ReadonlyArray<unknown>
  ) => Effect.Effect<unknown, JsonRpcError.JsonRpcError>
  /** Subscribes, and gives each notification's `result`. The subscription lives as long as the stream runs. */
  readonly subscribe: (
    kind: SubscriptionKind,
    params: ReadonlyArray<unknown>
  ) => Stream.Stream<unknown, SubscriptionError>
  /**
   * Subscribes with a callback instead, which is called in the middle of what happens and must return at once. For
   * servers with many subscriptions; everybody else wants `subscribe`.
   */
  readonly listen: (
    kind: SubscriptionKind,
    params: ReadonlyArray<unknown>,
    sink: Sink
  ) => Effect.Effect<Listening, JsonRpcError.JsonRpcError>
  /** The options, with their defaults. */
  readonly settings: Options.Settings
  /** Sends lamports from the faucet in a transaction of its own, which has landed when this returns. */
  readonly airdrop: (address: Address, lamports: bigint) => Effect.Effect<Signature, InvalidInput>
  /** Writes an account as it is given, past all rules of the runtime. Lamports 0 removes it. */
  readonly setAccount: (account: AccountImage) => Effect.Effect<void, InvalidInput>
  /** Loads a program, after trying it on a throw-away machine. */
  readonly addProgram: (address: Address, elf: Uint8Array) => Effect.Effect<void, EmbeddedClusterError>
  /** Makes empty blocks, one a slot. Of more than `maxBlocks` slots only the last ones get a block. */
  readonly advanceSlots: (count: number) => Effect.Effect<void, InvalidInput>
  /** Moves the chain's unix time forward without making a block; the next block has it. */
  readonly advanceTime: (duration: Duration.DurationInput) => Effect.Effect<void>
  /** Makes every blockhash handed out so far invalid, and a new one: slot and height grow by `blockhashLifetime`. */
  readonly expireBlockhashes: Effect.Effect<void>
  /** Takes the state: accounts, programs, slots, blockhashes and history. Subscriptions are not part of it. */
  readonly snapshot: Effect.Effect<Snapshot>
  /** Puts a state back. Open subscriptions stay open and hear what happens from then on. */
  readonly restore: (snapshot: Snapshot) => Effect.Effect<void, InvalidInput>
}
