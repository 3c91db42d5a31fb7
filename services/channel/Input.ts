/**
 * The inputs and options of the channel service.
 *
 * @since 0.1.0
 */
import type { Address } from "@solana/kit"
import type { CompressionAccounts } from "../../src/protocol/Instruction.js"
import type { MessageId } from "../../src/protocol/MessageId.js"
import type { ChannelVisibility, MessageType } from "../../src/protocol/MessageType.js"
import type { FollowOptions } from "../Follow.js"
import type { SendOptions } from "../Transactions.js"

/**
 * A channel to create.
 *
 * @since 0.1.0
 * @category models
 */
export interface CreateInput {
  /** 1 to 32 bytes of UTF-8, no white space at either end. The address follows from the name and the creator's wallet. */
  readonly name: string
  /** At most 200 bytes of UTF-8, and at most 226 together with the name. Default empty. */
  readonly description?: string | undefined
  /** A `Private` channel needs an invitation for each new participant. Default `Public`. */
  readonly visibility?: ChannelVisibility | undefined
  /** 1 to 1000. Default 1000. */
  readonly maxParticipants?: number | undefined
  /**
   * Lamports that the channel takes from the escrow of a joining participant, 0 to 1,000,000,000. Default `0n`: no escrow is
   * needed.
   */
  readonly feePerMessage?: bigint | undefined
  /**
   * The version of the instruction. Default 2: the creator must be a registered agent and becomes the first participant;
   * the channel is active at once. With 1 the creator needs no agent and does not take part. The transaction then
   * contains an update that activates the channel.
   */
  readonly version?: 1 | 2 | undefined
}

/**
 * The changes of a channel. An omitted field stays unchanged.
 *
 * @since 0.1.0
 * @category models
 */
export interface UpdateInput {
  /** As in {@link CreateInput}. The address does not change with the name, so it cannot be derived from the new name. */
  readonly name?: string | undefined
  /** As in {@link CreateInput}. The limit of 226 bytes is checked only if both fields are given. */
  readonly description?: string | undefined
  /** At least the current number of participants (else `ChannelFull`), at most 1000. */
  readonly maxParticipants?: number | undefined
  /** As in {@link CreateInput}. */
  readonly feePerMessage?: bigint | undefined
  /** Whether messages may be broadcast. */
  readonly isActive?: boolean | undefined
}

/**
 * A message to all participants of a channel.
 *
 * @since 0.1.0
 * @category models
 */
export interface BroadcastInput {
  /**
   * 1 to 874 bytes of UTF-8, or to 842 with `replyTo`: the room in a transaction. Not blank, and without text that the
   * program's filter refuses. `InvalidInput.rule` names the broken rule.
   */
  readonly content: string
  /** Default `Text`. */
  readonly type?: MessageType | undefined
  /** The channel message that this one answers. The program does not check it. */
  readonly replyTo?: Address | undefined
  /**
   * u64 that makes the message's address unique for its sender. Default: derived from the `id`, else random. A second
   * broadcast with the same nonce fails with `DuplicateMessage`, or returns the first receipt with `resend: true`.
   */
  readonly nonce?: bigint | undefined
  /**
   * Idempotency key: 16 bytes, or a text, which is hashed. All calls with one id make one broadcast, also across
   * processes. A later call returns the first receipt, even for another content. Excludes `nonce`. Default: none, so each
   * call makes a new message.
   */
  readonly id?: MessageId | undefined
}

/**
 * Options of reading the messages of a channel.
 *
 * @since 0.1.0
 * @category models
 */
export interface MessagesOptions {
  /**
   * Emits each new message as it arrives, once. Default false: the Stream ends after the existing messages. A message that
   * the node failed to notify arrives at the next resync: see {@link FollowOptions}.
   */
  readonly follow?: boolean | FollowOptions | undefined
}

/**
 * A compressed broadcast.
 *
 * @since 0.1.0
 * @category models
 */
export interface CompressedBroadcastInput {
  /** At least 1 byte. The filter of broadcasts applies. About 633 bytes of UTF-8 fit into a transaction. */
  readonly content: string
  /** IPFS hash of the published content: 1 to 100 letters and digits. */
  readonly ipfsHash: string
  /** Default `Text`. */
  readonly type?: MessageType | undefined
  /** The channel message that this one answers. The program does not check it. */
  readonly replyTo?: Address | undefined
  /** Accounts of compression programs, which the program does not read. Default: the System program for each. */
  readonly compression?: CompressionAccounts | undefined
}

/**
 * A compressed join.
 *
 * @since 0.1.0
 * @category models
 */
export interface CompressedJoinInput {
  /** 32 bytes, which the program does not interpret. */
  readonly metadataHash: Uint8Array
  /** Accounts of compression programs, which the program does not read. Default: the System program for each. */
  readonly compression?: CompressionAccounts | undefined
}

/**
 * Hashes of messages whose content is stored elsewhere.
 *
 * @since 0.1.0
 * @category models
 */
export interface SyncInput {
  /** 1 to 100 hashes of 32 bytes, none all zero. At most 22 fit into a transaction. */
  readonly messageHashes: ReadonlyArray<Uint8Array>
  /** Unix seconds, at most an hour from the chain's clock. Default: the time of Effect's Clock. */
  readonly syncTimestamp?: bigint | undefined
  /** Accounts of compression programs, which the program does not read. Default: the System program for each. */
  readonly compression?: CompressionAccounts | undefined
}

/**
 * Options of inviting to a channel.
 *
 * @since 0.1.0
 * @category models
 */
export interface InviteOptions extends SendOptions {
  /** u64 in the hash of the invitation. Default: random. */
  readonly nonce?: bigint | undefined
}

/**
 * Options of joining a channel.
 *
 * @since 0.1.0
 * @category models
 */
export interface JoinOptions extends SendOptions {
  /**
   * Maximum fee to pay from the escrow, in lamports, at least 0. If the channel's fee is higher, the call fails with
   * `InvalidInput` and sends nothing. Default: no maximum. The check reads the fee before the send, but the program
   * takes the fee at the time of landing. The instruction has no field for a limit, so a creator can raise the fee in
   * between. Only the escrow's amount is a hard bound: deposit no more than you will pay.
   */
  readonly maxFee?: bigint | undefined
}
