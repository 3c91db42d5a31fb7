/**
 * What the calls of the channel service take.
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
  /** 1 … 32 bytes of UTF-8, no white space at either end. Together with the creator's wallet it makes the address. */
  readonly name: string
  /** At most 200 bytes of UTF-8, and at most 226 together with the name. Default empty. */
  readonly description?: string | undefined
  /** `Private` asks each new participant for an invitation. Default `Public`. */
  readonly visibility?: ChannelVisibility | undefined
  /** 1 … 1000. Default 1000. */
  readonly maxParticipants?: number | undefined
  /** Lamports taken from a participant's escrow when it joins, 0 … 1,000,000,000. Default `0n`: no escrow is needed. */
  readonly feePerMessage?: bigint | undefined
  /**
   * Which of the two instructions makes it. Default 2: the creator, who must be a registered agent, is its first
   * participant and the channel is active at once. With 1 the creator needs no agent and is no participant, and an
   * update that activates the channel goes into the same transaction.
   */
  readonly version?: 1 | 2 | undefined
}

/**
 * What to change; a member left out stays as it is.
 *
 * @since 0.1.0
 * @category models
 */
export interface UpdateInput {
  /** As in {@link CreateInput}. The address keeps following from the first name: remember it, do not derive it again. */
  readonly name?: string | undefined
  /** As in {@link CreateInput}; the 226 bytes are checked where both are given. */
  readonly description?: string | undefined
  /** At least the current number of participants (else `ChannelFull`), at most 1000. */
  readonly maxParticipants?: number | undefined
  /** As in {@link CreateInput}. */
  readonly feePerMessage?: bigint | undefined
  /** Whether messages may be broadcast. */
  readonly isActive?: boolean | undefined
}

/**
 * A message to everybody in a channel.
 *
 * @since 0.1.0
 * @category models
 */
export interface BroadcastInput {
  /**
   * 1 … 874 bytes of UTF-8, or 842 with `replyTo`: what a transaction has room for. Not blank, and free of what the
   * program's filter refuses; `InvalidInput.rule` says which rule was met.
   */
  readonly content: string
  /** Default `Text`. */
  readonly type?: MessageType | undefined
  /** The channel message that this one answers. Not checked by the program. */
  readonly replyTo?: Address | undefined
  /**
   * u64 that makes the message's address unique for its sender. Default: that of the `id`, else a random one. Used
   * twice: `DuplicateMessage`, or with `resend: true` the first one's receipt.
   */
  readonly nonce?: bigint | undefined
  /**
   * Names this broadcast, so that it is made once however often the call runs, from whichever process: 16 bytes, or a
   * text that is hashed. The second call gives the receipt of the first, also where it has another content. Not beside
   * a `nonce`. Default: none, so each call is a new message.
   */
  readonly id?: MessageId | undefined
}

/**
 * Which channel messages to read.
 *
 * @since 0.1.0
 * @category models
 */
export interface MessagesOptions {
  /**
   * Go on with messages as they arrive, none twice. Default false: the stream ends after the last one. One of which the
   * node did not notify comes late, but comes: {@link FollowOptions} say when.
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
  /** At least 1 byte, and free of what the filter of broadcasts refuses; about 633 bytes of UTF-8 fit into a transaction. */
  readonly content: string
  /** Where the content is published: 1 … 100 letters and digits. */
  readonly ipfsHash: string
  /** Default `Text`. */
  readonly type?: MessageType | undefined
  /** Not checked by the program. */
  readonly replyTo?: Address | undefined
  /** What is carried along for compression programs, which nobody looks at. Default: the System program for each. */
  readonly compression?: CompressionAccounts | undefined
}

/**
 * A compressed join.
 *
 * @since 0.1.0
 * @category models
 */
export interface CompressedJoinInput {
  /** 32 bytes, not interpreted by the program. */
  readonly metadataHash: Uint8Array
  /** What is carried along for compression programs, which nobody looks at. Default: the System program for each. */
  readonly compression?: CompressionAccounts | undefined
}

/**
 * Hashes of messages that are kept elsewhere.
 *
 * @since 0.1.0
 * @category models
 */
export interface SyncInput {
  /** 1 … 100 hashes of 32 bytes, none all zero; 22 fit into a transaction. */
  readonly messageHashes: ReadonlyArray<Uint8Array>
  /** Seconds since 1970, at most an hour from the chain's clock. Default: now, by Effect's Clock. */
  readonly syncTimestamp?: bigint | undefined
  /** What is carried along for compression programs, which nobody looks at. Default: the System program for each. */
  readonly compression?: CompressionAccounts | undefined
}

/**
 * How an invitation is made.
 *
 * @since 0.1.0
 * @category models
 */
export interface InviteOptions extends SendOptions {
  /** u64 that goes into the invitation's hash. Default: a random one. */
  readonly nonce?: bigint | undefined
}

/**
 * How a channel is joined.
 *
 * @since 0.1.0
 * @category models
 */
export interface JoinOptions extends SendOptions {
  /**
   * The highest fee to pay from the escrow, in lamports, 0 or more. A channel that asks more is `InvalidInput`, and
   * nothing is sent. Default: whatever it asks. The program takes the fee of the moment at which the transaction lands,
   * and the wire has no field for a limit: a creator that raises the fee after it was read here still gets it, as far as
   * the escrow reaches. So the escrow's amount is the only hard bound; deposit no more than is to be paid.
   */
  readonly maxFee?: bigint | undefined
}
