/**
 * The models and the decoders of the program's seven account types.
 *
 * Decoders read the discriminator and the fields and ignore the size: bytes after the fields may remain from an older,
 * longer value. Times are Unix seconds. Decoded hashes are copies, independent of the input. Many of them share one
 * `ArrayBuffer` of 4 KiB: `slice()` a hash before you transfer it to a worker.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { printable } from "../internal/printable.js"
import type { InvalidInput } from "../InvalidInput.js"
import * as SafeText from "../SafeText.js"
import * as Borsh from "./internal/Borsh.js"
import { channelVisibility, messageStatus, messageType } from "./internal/MessageTypeCodec.js"

const agentFields = {
  /** The wallet that registered the agent. */
  wallet: Borsh.address,
  /** A bit set. The agents agree on the meaning of each bit. */
  capabilities: Borsh.u64,
  /** 100 for every agent; no instruction changes it yet. */
  reputation: Borsh.u64,
  lastUpdated: Borsh.i64,
  metadataUri: Borsh.string,
  /** Invitations in the current hour. Stays 0 if the account was passed read-only. */
  invitesSent: Borsh.u16,
  lastInviteAt: Borsh.i64,
  bump: Borsh.u8
}

/**
 * An agent. JSON: 64-bit integers as decimal strings.
 *
 * @example
 * import { AgentAccount, decodeAgent } from "@pod-protocol/effect/protocol/Account"
 * import * as Either from "effect/Either"
 * import * as Schema from "effect/Schema"
 *
 * const toJson = (bytes: Uint8Array) => Either.map(decodeAgent(bytes), Schema.encodeSync(AgentAccount))
 *
 * @since 0.1.0
 * @category models
 */
export class AgentAccount extends Schema.TaggedClass<AgentAccount>("@pod-protocol/effect/AgentAccount")(
  "AgentAccount",
  Borsh.schemas(agentFields)
) {
  toJSON(): typeof AgentAccount.Encoded {
    return Schema.encodeSync(AgentAccount)(this)
  }
}

const directMessageFields = {
  /** The sender's agent address. */
  sender: Borsh.address,
  /** The recipient as the sender gave it. Only a wallet can mark the message read. */
  recipient: Borsh.address,
  /** 32 bytes, by convention the SHA-256 of the payload. A decoded hash shares its `buffer` with other hashes. */
  payloadHash: Borsh.bytes32,
  createdAt: Borsh.i64,
  /** Time after which the status can no longer change. */
  expiresAt: Borsh.i64,
  type: messageType,
  status: messageStatus,
  bump: Borsh.u8
}

/**
 * A message from one agent to another; the program calls it `MessageAccount`. It holds the hash of the payload, not the
 * payload. JSON: 64-bit integers as decimal strings, bytes as base64.
 *
 * @since 0.1.0
 * @category models
 */
export class DirectMessage extends Schema.TaggedClass<DirectMessage>("@pod-protocol/effect/DirectMessage")(
  "DirectMessage",
  Borsh.schemas(directMessageFields)
) {
  toJSON(): typeof DirectMessage.Encoded {
    return Schema.encodeSync(DirectMessage)(this)
  }
}

const channelFields = {
  /** The creator's wallet. */
  creator: Borsh.address,
  /** Charged once, when an agent joins, despite its name. */
  feePerMessage: Borsh.lamports,
  /** Unreliable: the published program counts fees twice. Use `EscrowAccount.amount`. */
  escrowBalance: Borsh.lamports,
  createdAt: Borsh.i64,
  maxParticipants: Borsh.u32,
  currentParticipants: Borsh.u32,
  /** The current name. The address derives from the first name. */
  name: Borsh.string,
  description: Borsh.string,
  visibility: channelVisibility,
  /** Broadcasting requires an active channel; joining does not. */
  isActive: Borsh.bool,
  lastSyncTimestamp: Borsh.i64,
  totalCompressedMessages: Borsh.u64,
  compressedDataSize: Borsh.u64,
  bump: Borsh.u8
}

/**
 * A channel. JSON: 64-bit integers as decimal strings.
 *
 * @since 0.1.0
 * @category models
 */
export class ChannelAccount extends Schema.TaggedClass<ChannelAccount>("@pod-protocol/effect/ChannelAccount")(
  "ChannelAccount",
  Borsh.schemas(channelFields)
) {
  toJSON(): typeof ChannelAccount.Encoded {
    return Schema.encodeSync(ChannelAccount)(this)
  }
}

const participantFields = {
  channel: Borsh.address,
  /** The participant's agent address. */
  agent: Borsh.address,
  joinedAt: Borsh.i64,
  /** Broadcasts in the current window of the rate limit, not in total: see `Rules.nextBroadcast`. */
  messagesSent: Borsh.u64,
  /** 0 before the first broadcast. */
  lastMessageAt: Borsh.i64,
  /** False after the agent left. */
  isActive: Borsh.bool,
  bump: Borsh.u8
}

/**
 * An agent's membership of a channel. JSON: 64-bit integers as decimal strings.
 *
 * @since 0.1.0
 * @category models
 */
export class ChannelParticipant extends Schema.TaggedClass<ChannelParticipant>(
  "@pod-protocol/effect/ChannelParticipant"
)("ChannelParticipant", Borsh.schemas(participantFields)) {
  toJSON(): typeof ChannelParticipant.Encoded {
    return Schema.encodeSync(ChannelParticipant)(this)
  }
}

const invitationFields = {
  channel: Borsh.address,
  /** The inviter's wallet. */
  inviter: Borsh.address,
  /** The invitee's wallet. */
  invitee: Borsh.address,
  /**
   * 32 bytes: keccak-256 of channel, inviter, invitee, nonce and `createdAt`. A decoded hash shares its `buffer` with
   * other hashes.
   */
  invitationHash: Borsh.bytes32,
  createdAt: Borsh.i64,
  /** Time after which the invitation cannot be used. */
  expiresAt: Borsh.i64,
  nonce: Borsh.u64,
  isAccepted: Borsh.bool,
  isUsed: Borsh.bool,
  bump: Borsh.u8
}

/**
 * An invitation to a channel. JSON: 64-bit integers as decimal strings, bytes as base64.
 *
 * @since 0.1.0
 * @category models
 */
export class ChannelInvitation extends Schema.TaggedClass<ChannelInvitation>("@pod-protocol/effect/ChannelInvitation")(
  "ChannelInvitation",
  Borsh.schemas(invitationFields)
) {
  toJSON(): typeof ChannelInvitation.Encoded {
    return Schema.encodeSync(ChannelInvitation)(this)
  }
}

const channelMessageFields = {
  channel: Borsh.address,
  /** The sender's agent address. */
  sender: Borsh.address,
  /** The channel message that this one answers. The program does not check it. */
  replyTo: Borsh.option(Borsh.address),
  createdAt: Borsh.i64,
  /** `None`: no instruction edits messages yet. */
  editedAt: Borsh.option(Borsh.i64),
  content: Borsh.string,
  type: messageType,
  bump: Borsh.u8
}

/**
 * A message broadcast in a channel. JSON: 64-bit integers as decimal strings, an absent option as null.
 *
 * @since 0.1.0
 * @category models
 */
export class ChannelMessage extends Schema.TaggedClass<ChannelMessage>("@pod-protocol/effect/ChannelMessage")(
  "ChannelMessage",
  Borsh.schemas(channelMessageFields)
) {
  toJSON(): typeof ChannelMessage.Encoded {
    return Schema.encodeSync(ChannelMessage)(this)
  }
}

const escrowFields = {
  channel: Borsh.address,
  /** The depositor's wallet. */
  depositor: Borsh.address,
  /** The remaining deposit. */
  amount: Borsh.lamports,
  createdAt: Borsh.i64,
  bump: Borsh.u8
}

/**
 * The deposit of a wallet for a channel. JSON: 64-bit integers as decimal strings.
 *
 * @since 0.1.0
 * @category models
 */
export class EscrowAccount extends Schema.TaggedClass<EscrowAccount>("@pod-protocol/effect/EscrowAccount")(
  "EscrowAccount",
  Borsh.schemas(escrowFields)
) {
  toJSON(): typeof EscrowAccount.Encoded {
    return Schema.encodeSync(EscrowAccount)(this)
  }
}

/**
 * Any account of the program.
 *
 * @since 0.1.0
 * @category models
 */
export const Account = Schema.Union(
  AgentAccount,
  DirectMessage,
  ChannelAccount,
  ChannelParticipant,
  ChannelInvitation,
  ChannelMessage,
  EscrowAccount
)

/**
 * A value of {@link Account}.
 *
 * @since 0.1.0
 * @category models
 */
export type Account = typeof Account.Type

/**
 * The names of the account types.
 *
 * @since 0.1.0
 * @category models
 */
export type AccountTag = Account["_tag"]

/**
 * The bytes are not an account of the expected type.
 *
 * - `Discriminator`: the bytes are too short for an account, or are an account of another type.
 * - `Layout`: `field` cannot be read at byte `offset`: the bytes end there or break `rule`.
 *
 * @since 0.1.0
 * @category errors
 */
export class AccountDecodeError extends printable(
  Schema.TaggedError<AccountDecodeError>("@pod-protocol/effect/AccountDecodeError")("AccountDecodeError", {
    account: SafeText.Schema(),
    reason: Schema.Literal("Discriminator", "Layout"),
    field: SafeText.Schema(),
    offset: Schema.Number,
    rule: SafeText.Schema()
  }),
  { stack: false }
) {
  /** Always false: the same bytes stay wrong. */
  readonly isRetryable = false

  override get message(): string {
    return this.reason === "Discriminator"
      ? `not ${this.account}: ${this.rule}; check the address`
      : `${this.account}.${this.field} at byte ${this.offset}: ${this.rule}; read it again, or update this library`
  }
}

const layouts = {
  AgentAccount: Borsh.layout({
    tag: "AgentAccount",
    prototype: AgentAccount.prototype,
    discriminator: "f177458ce9097032",
    fields: agentFields,
    reserved: 7
  }),
  DirectMessage: Borsh.layout({
    tag: "DirectMessage",
    prototype: DirectMessage.prototype,
    discriminator: "6190183ae12859df",
    fields: directMessageFields,
    reserved: 5
  }),
  ChannelAccount: Borsh.layout({
    tag: "ChannelAccount",
    prototype: ChannelAccount.prototype,
    discriminator: "8ce81a4e591a11f4",
    fields: channelFields,
    reserved: 5
  }),
  ChannelParticipant: Borsh.layout({
    tag: "ChannelParticipant",
    prototype: ChannelParticipant.prototype,
    discriminator: "9359b8cf0abe4e91",
    fields: participantFields,
    reserved: 6
  }),
  ChannelInvitation: Borsh.layout({
    tag: "ChannelInvitation",
    prototype: ChannelInvitation.prototype,
    discriminator: "672448c6ad8000ff",
    fields: invitationFields,
    reserved: 5
  }),
  ChannelMessage: Borsh.layout({
    tag: "ChannelMessage",
    prototype: ChannelMessage.prototype,
    discriminator: "ac954d1b58e35057",
    fields: channelMessageFields,
    reserved: 6
  }),
  EscrowAccount: Borsh.layout({
    tag: "EscrowAccount",
    prototype: EscrowAccount.prototype,
    discriminator: "2445301280e17d87",
    fields: escrowFields,
    reserved: 7
  })
}

const layoutByTag: { readonly [Tag in AccountTag]: Borsh.Layout<Account> } = layouts

const tagByDiscriminator = Borsh.index(layoutByTag)

const decoder = <A>(account: AccountTag, layout: Borsh.Layout<A>) => {
  const refuse = ({ field, offset, rule }: Borsh.DecodeFailure): AccountDecodeError =>
    new AccountDecodeError({
      account,
      reason: field === Borsh.DISCRIMINATOR ? "Discriminator" : "Layout",
      field,
      offset,
      rule
    })
  return (bytes: Uint8Array): Either.Either<A, AccountDecodeError> => layout.decode(bytes, refuse)
}

/**
 * Decodes an {@link AgentAccount} from the account's data.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decodeAgent = decoder("AgentAccount", layouts.AgentAccount)

/**
 * Decodes a {@link DirectMessage} from the account's data.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decodeDirectMessage = decoder("DirectMessage", layouts.DirectMessage)

/**
 * Decodes a {@link ChannelAccount} from the account's data.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decodeChannel = decoder("ChannelAccount", layouts.ChannelAccount)

/**
 * Decodes a {@link ChannelParticipant} from the account's data.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decodeParticipant = decoder("ChannelParticipant", layouts.ChannelParticipant)

/**
 * Decodes a {@link ChannelInvitation} from the account's data.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decodeInvitation = decoder("ChannelInvitation", layouts.ChannelInvitation)

/**
 * Decodes a {@link ChannelMessage} from the account's data.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decodeChannelMessage = decoder("ChannelMessage", layouts.ChannelMessage)

/**
 * Decodes an {@link EscrowAccount} from the account's data.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decodeEscrow = decoder("EscrowAccount", layouts.EscrowAccount)

/**
 * Decodes an account of the type that its discriminator names.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decodeAny = (bytes: Uint8Array): Either.Either<Account, AccountDecodeError> => {
  const tag = tagByDiscriminator(bytes)
  return tag === undefined
    ? Either.left(
        new AccountDecodeError({
          account: "any account of the program",
          reason: "Discriminator",
          field: Borsh.DISCRIMINATOR,
          offset: 0,
          rule: "must begin with one of 7 discriminators"
        })
      )
    : decoder(tag, layoutByTag[tag])(bytes)
}

/**
 * Encodes an account: discriminator, fields and reserved bytes, without the extra space that the program allocates.
 * Fails only for a model that was constructed with validation disabled.
 *
 * @since 0.1.0
 * @category encoding
 */
export const encode = (account: Account): Either.Either<Uint8Array, InvalidInput> =>
  layoutByTag[account._tag].encode(account)

/**
 * The first 8 bytes of every account of a type: the filter for `getProgramAccounts`.
 *
 * @since 0.1.0
 * @category encoding
 */
export const discriminator = (tag: AccountTag): Uint8Array => layouts[tag].discriminator.slice()
