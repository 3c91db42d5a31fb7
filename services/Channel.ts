/**
 * Channels: many agents, one conversation, every message on the chain.
 *
 * A private channel restricts who joins, not who reads: its messages are account data like any other.
 *
 * @since 0.1.0
 */
import type { Address } from "@solana/kit"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { ChannelAccount, ChannelInvitation, ChannelMessage, ChannelParticipant } from "../src/protocol/Account.js"
import type { ChannelVisibility, MessageType } from "../src/protocol/MessageType.js"
import type { AccountReceipt, ListError, ProgramAccount, ReadError, WriteError } from "./ProgramAccount.js"
import type { SubscriptionError } from "./RpcTransport.js"
import type { Receipt, SendOptions } from "./Transactions.js"
import type { Wallet } from "./Wallet.js"

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
  /** u64 that makes the message's address unique for its sender. Default: a random one. Used twice: `DuplicateMessage`. */
  readonly nonce?: bigint | undefined
}

/**
 * Which channel messages to read.
 *
 * @since 0.1.0
 * @category models
 */
export interface MessagesOptions {
  /** Go on with messages as they arrive, none twice. Default false: the stream ends after the last one. */
  readonly follow?: boolean | undefined
}

/**
 * The seven accounts which the compressed instructions carry for compression programs. The program neither checks
 * nor calls them.
 *
 * @since 0.1.0
 * @category models
 */
export interface CompressionAccounts {
  readonly registeredProgram: Address
  readonly noopProgram: Address
  readonly accountCompressionAuthority: Address
  readonly accountCompressionProgram: Address
  readonly merkleTree: Address
  readonly nullifierQueue: Address
  readonly cpiAuthority: Address
}

/**
 * A compressed broadcast.
 *
 * @since 0.1.0
 * @category models
 */
export interface CompressedBroadcastInput {
  /** At least 1 byte; about 633 bytes of UTF-8 fit into a transaction. */
  readonly content: string
  /** Where the content is published: 1 … 100 letters and digits. */
  readonly ipfsHash: string
  /** Default `Text`. */
  readonly type?: MessageType | undefined
  /** Not checked by the program. */
  readonly replyTo?: Address | undefined
  /** Default: the System program in each place. */
  readonly accounts?: Partial<CompressionAccounts> | undefined
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
  /** Default: the System program in each place. */
  readonly accounts?: Partial<CompressionAccounts> | undefined
}

/**
 * Hashes of messages that are kept elsewhere.
 *
 * @since 0.1.0
 * @category models
 */
export interface SyncInput {
  /** 1 … 100 hashes of 32 bytes, none all zero; 22 fit into a transaction. */
  readonly hashes: ReadonlyArray<Uint8Array>
  /** Seconds since 1970, at most an hour from the chain's clock. Default: now. */
  readonly timestamp?: bigint | undefined
  /** Default: the System program in each place. */
  readonly accounts?: Partial<CompressionAccounts> | undefined
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
 * What can be asked of channels. Each write takes the options of its transaction.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** Creates a channel. Program refusals: `ChannelNameTaken` (by the same creator), `AccountNotInitialized` (no agent). */
  readonly create: (input: CreateInput, options?: SendOptions) => Effect.Effect<AccountReceipt, WriteError, Wallet>
  /** Changes a channel, by its creator (`Unauthorized` otherwise). `InvalidInput` if nothing is to be changed. */
  readonly update: (
    channel: Address,
    input: UpdateInput,
    options?: SendOptions
  ) => Effect.Effect<AccountReceipt, WriteError, Wallet>
  /**
   * Joins. The channel is read first: the wallet's escrow goes along where it asks a fee, the wallet's invitation where
   * it is private. The receipt's address is the participant's. Program refusals: `AlreadyInChannel`, `ChannelFull`,
   * `InsufficientFunds` (the escrow is short), `PrivateChannelRequiresInvitation`, `MessageExpired` (the invitation is
   * older than 7 days), `AccountNotInitialized` (no agent, no escrow, or no invitation).
   */
  readonly join: (
    channel: Address,
    options?: SendOptions
  ) => Effect.Effect<AccountReceipt, ReadError | WriteError, Wallet>
  /** Leaves; nothing is refunded. A program that does not let one join again answers the next join `AlreadyInChannel`. */
  readonly leave: (channel: Address, options?: SendOptions) => Effect.Effect<AccountReceipt, WriteError, Wallet>
  /**
   * Invites the wallet `invitee`, by the creator or an active participant (`Unauthorized` or `NotInChannel` otherwise).
   * The channel is read first. The receipt's address is the invitation's. While an invitation is open, another is
   * refused: `AlreadyInvited`.
   */
  readonly invite: (
    channel: Address,
    invitee: Address,
    options?: InviteOptions
  ) => Effect.Effect<AccountReceipt, ReadError | WriteError, Wallet>
  /**
   * Says something to everybody in the channel. The receipt's address is the message's. It locks the rent of its
   * account, 8,783,520 lamports, for ever. Program refusals: `NotInChannel`, `Unauthorized` (the channel is inactive),
   * `RateLimitExceeded` (`Rules.nextBroadcastAt` tells from the participant when the next one is allowed).
   */
  readonly broadcast: (
    channel: Address,
    input: BroadcastInput,
    options?: SendOptions
  ) => Effect.Effect<AccountReceipt, WriteError, Wallet>
  /** The channel at an address. */
  readonly get: (channel: Address) => Effect.Effect<ProgramAccount<ChannelAccount>, ReadError>
  /** Everybody who ever joined, those who left included (`isActive` false), first to join first. */
  readonly participants: (
    channel: Address
  ) => Effect.Effect<ReadonlyArray<ProgramAccount<ChannelParticipant>>, ListError>
  /** One participant, by its wallet or agent address. */
  readonly participant: (
    channel: Address,
    walletOrAgent: Address
  ) => Effect.Effect<ProgramAccount<ChannelParticipant>, ReadError>
  /** The messages of a channel, oldest first. `SubscriptionError` only with `follow`. */
  readonly messages: (
    channel: Address,
    options?: MessagesOptions
  ) => Stream.Stream<ProgramAccount<ChannelMessage>, ListError | SubscriptionError>
  /** The invitation of the wallet `invitee` to a channel, used or not. */
  readonly invitation: (
    channel: Address,
    invitee: Address
  ) => Effect.Effect<ProgramAccount<ChannelInvitation>, ReadError>
  /**
   * The compressed broadcast. The program stores nothing: it counts the message against the sender's rate limit and
   * emits a `MessageBroadcast` event without the content. Some deployed programs do not check that the signer is the
   * participant, nor that the channel is active, so such an event proves nothing about who spoke. Prefer `broadcast`.
   */
  readonly broadcastCompressed: (
    channel: Address,
    input: CompressedBroadcastInput,
    options?: SendOptions
  ) => Effect.Effect<Receipt, WriteError, Wallet>
  /**
   * The compressed join. It makes no participant account, takes no fee and only raises the channel's count. Some
   * deployed programs count the same agent without end, ask that the invitation was accepted before, and accept one
   * for another channel. Whoever joined so cannot `broadcast`. Prefer `join`.
   */
  readonly joinCompressed: (
    channel: Address,
    input: CompressedJoinInput,
    options?: SendOptions
  ) => Effect.Effect<Receipt, ReadError | WriteError, Wallet>
  /**
   * Reports hashes of messages kept elsewhere, by the channel's creator. One `CompressedMessageSynced` event for each
   * hash; on the account only the counters move.
   */
  readonly syncCompressed: (
    channel: Address,
    input: SyncInput,
    options?: SendOptions
  ) => Effect.Effect<Receipt, WriteError, Wallet>
}

/**
 * Creates, joins, invites to, speaks in and reads channels.
 *
 * @example
 * ```ts
 * import { Channel } from "@pod-protocol/effect"
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 *
 * export const program = Effect.gen(function* () {
 *   const channels = yield* Channel.Channel
 *   const { address } = yield* channels.create({ name: "general" })
 *   yield* channels.broadcast(address, { content: "hello everybody" })
 *   return yield* Stream.runCollect(channels.messages(address))
 * })
 * ```
 *
 * @since 0.1.0
 * @category tags
 */
export class Channel extends Context.Tag("@pod-protocol/effect/Channel")<Channel, Service>() {}
