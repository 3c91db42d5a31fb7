/**
 * The seven kinds of account that the program keeps: their models and their bytes.
 *
 * Decoders look at the discriminator and at the fields, never at the size: whatever follows the fields may be left over
 * from an older, longer value. Times are Unix seconds. Decoded hashes are copies, which do not change with the bytes that
 * they were read from; many of them lie in one `ArrayBuffer` of 4 KiB, so `slice()` what is to be transferred to a worker.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type { InvalidInput } from "../InvalidInput.js"
import * as Borsh from "./internal/Borsh.js"
import { channelVisibility, messageStatus, messageType } from "./internal/MessageTypeCodec.js"
import { printable } from "../internal/printable.js"
import * as SafeText from "../SafeText.js"

const agentFields = {
  /** The wallet that registered it. */
  wallet: Borsh.address,
  /** A set of bits; what each means is between the agents. */
  capabilities: Borsh.u64,
  /** 100 for every agent: nothing changes it yet. */
  reputation: Borsh.u64,
  lastUpdated: Borsh.i64,
  metadataUri: Borsh.string,
  /** Invitations in the current hour. Stays 0 where the account was passed read-only. */
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
  /** As the sender gave it: a wallet, where the message can be marked read. */
  recipient: Borsh.address,
  /** 32 bytes, by convention the SHA-256 of what was written. Once decoded it shares its `buffer` with other hashes. */
  payloadHash: Borsh.bytes32,
  createdAt: Borsh.i64,
  /** After this the status can no longer be changed. */
  expiresAt: Borsh.i64,
  type: messageType,
  status: messageStatus,
  bump: Borsh.u8
}

/**
 * A message from one agent to another; the program calls it `MessageAccount`. What was written is not here, only its
 * hash. JSON: 64-bit integers as decimal strings, bytes as base64.
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
  /** Despite its name charged once, when somebody joins. */
  feePerMessage: Borsh.lamports,
  /** Not reliable: the published program counts fees twice. `EscrowAccount.amount` is the truth. */
  escrowBalance: Borsh.lamports,
  createdAt: Borsh.i64,
  maxParticipants: Borsh.u32,
  currentParticipants: Borsh.u32,
  /** The current name. The address was made with the first one. */
  name: Borsh.string,
  description: Borsh.string,
  visibility: channelVisibility,
  /** Broadcasts need an active channel; joining does not. */
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
  /** Broadcasts in the current window of the rate limit, not in a lifetime: see `Rules.nextBroadcast`. */
  messagesSent: Borsh.u64,
  /** 0 before the first broadcast. */
  lastMessageAt: Borsh.i64,
  /** False after leaving. */
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
   * 32 bytes: keccak-256 of channel, inviter, invitee, nonce and `createdAt`. Once decoded it shares its `buffer` with
   * other hashes.
   */
  invitationHash: Borsh.bytes32,
  createdAt: Borsh.i64,
  /** After this it cannot be used. */
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
  /** The channel message that this one answers; not checked by the program. */
  replyTo: Borsh.option(Borsh.address),
  createdAt: Borsh.i64,
  /** None: nothing edits messages yet. */
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
  /** What is left of the deposit. */
  amount: Borsh.lamports,
  createdAt: Borsh.i64,
  bump: Borsh.u8
}

/**
 * What a wallet has deposited for a channel. JSON: 64-bit integers as decimal strings.
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
 * The names of the account kinds.
 *
 * @since 0.1.0
 * @category models
 */
export type AccountTag = Account["_tag"]

/**
 * The bytes are not the account that they were taken for.
 *
 * - `Discriminator`: they are too short to be an account, or an account of another kind.
 * - `Layout`: `field` cannot be read at byte `offset`, because the bytes end or break `rule`.
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
  })
) {
  /** Always false: the same bytes stay wrong. */
  readonly isRetryable = false

  override get message(): string {
    return this.reason === "Discriminator"
      ? `not ${this.account}: ${this.rule}`
      : `${this.account}.${this.field} at byte ${this.offset}: ${this.rule}`
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
  const refuse = (failure: Borsh.DecodeFailure): AccountDecodeError =>
    new AccountDecodeError({
      ...failure,
      account,
      reason: failure.field === Borsh.DISCRIMINATOR ? "Discriminator" : "Layout"
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
 * Decodes an account of whichever kind its discriminator names.
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
 * The bytes of an account: discriminator, fields and reserved bytes, without what the program allocates beyond them.
 * Fails only for a model that was made with validation switched off.
 *
 * @since 0.1.0
 * @category encoding
 */
export const encode = (account: Account): Either.Either<Uint8Array, InvalidInput> =>
  layoutByTag[account._tag].encode(account)

/**
 * The 8 bytes with which accounts of a kind begin: the filter with which `getProgramAccounts` finds them.
 *
 * @since 0.1.0
 * @category encoding
 */
export const discriminator = (tag: AccountTag): Uint8Array => layouts[tag].discriminator.slice()
