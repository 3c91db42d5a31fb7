/**
 * The models of protocol events, one class for each kind.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as SafeText from "../../SafeText.js"
import * as Addresses from "../../solana/Address.js"
import * as Signatures from "../../solana/Signature.js"
import * as Borsh from "../internal/Borsh.js"
import { channelVisibility, messageStatus, messageType } from "../internal/MessageTypeCodec.js"

/** Fields of every event. */
const common = {
  /** The transaction's first signature. */
  signature: Signatures.Schema,
  slot: Borsh.u64.schema,
  /**
   * The instruction's place in the transaction: `2` for the third instruction, `2.0` for the first call that it made, as
   * the node lists them. Unique in a transaction. Empty for an `Unknown` that stands for a whole transaction.
   */
  path: Schema.String.pipe(Schema.pattern(/^(\d{1,10}(\.\d{1,10})?)?$/)),
  /** The node's estimate of the block's time, Unix seconds; none if the node has no estimate. */
  blockTime: Schema.OptionFromNullOr(Borsh.i64.schema),
  /** The instruction's accounts in the order of the wire. */
  accounts: Schema.Array(Addresses.Schema)
}

/**
 * The program's own time in Unix seconds. Only the log holds it: none if the log is cut, absent or without the event.
 */
const timestamp = Schema.OptionFromNullOr(Borsh.i64.schema)

const address = Addresses.Schema
const maybeAddress = Schema.OptionFromNullOr(Addresses.Schema)

/**
 * A wallet was registered as an agent.
 *
 * @since 0.1.0
 * @category models
 */
export class AgentRegistered extends Schema.TaggedClass<AgentRegistered>(
  "@pod-protocol/effect/ProtocolEvent/AgentRegistered"
)("AgentRegistered", {
  ...common,
  timestamp,
  agent: address,
  wallet: address,
  capabilities: Borsh.u64.schema,
  metadataUri: Borsh.string.schema
}) {
  toJSON(): typeof AgentRegistered.Encoded {
    return Schema.encodeSync(AgentRegistered)(this)
  }
}

/**
 * An agent's capabilities or metadata URI were replaced. `None` means unchanged.
 *
 * @since 0.1.0
 * @category models
 */
export class AgentUpdated extends Schema.TaggedClass<AgentUpdated>("@pod-protocol/effect/ProtocolEvent/AgentUpdated")(
  "AgentUpdated",
  {
    ...common,
    agent: address,
    wallet: address,
    capabilities: Borsh.option(Borsh.u64).schema,
    metadataUri: Borsh.option(Borsh.string).schema
  }
) {
  toJSON(): typeof AgentUpdated.Encoded {
    return Schema.encodeSync(AgentUpdated)(this)
  }
}

/**
 * A direct message was sent.
 *
 * @since 0.1.0
 * @category models
 */
export class MessageSent extends Schema.TaggedClass<MessageSent>("@pod-protocol/effect/ProtocolEvent/MessageSent")(
  "MessageSent",
  {
    ...common,
    timestamp,
    message: address,
    /** The sender's agent address. */
    sender: address,
    /** The sender's wallet. */
    wallet: address,
    /** The recipient's wallet. */
    recipient: address,
    payloadHash: Borsh.bytes32.schema,
    type: messageType.schema
  }
) {
  toJSON(): typeof MessageSent.Encoded {
    return Schema.encodeSync(MessageSent)(this)
  }
}

/**
 * The status of a direct message changed.
 *
 * @since 0.1.0
 * @category models
 */
export class MessageStatusChanged extends Schema.TaggedClass<MessageStatusChanged>(
  "@pod-protocol/effect/ProtocolEvent/MessageStatusChanged"
)("MessageStatusChanged", {
  ...common,
  message: address,
  /** The agent that changed it. */
  agent: address,
  /** The wallet that signed. */
  wallet: address,
  status: messageStatus.schema
}) {
  toJSON(): typeof MessageStatusChanged.Encoded {
    return Schema.encodeSync(MessageStatusChanged)(this)
  }
}

/**
 * A channel was created. If `participant` is present, its creator is a participant.
 *
 * @since 0.1.0
 * @category models
 */
export class ChannelCreated extends Schema.TaggedClass<ChannelCreated>(
  "@pod-protocol/effect/ProtocolEvent/ChannelCreated"
)("ChannelCreated", {
  ...common,
  timestamp,
  channel: address,
  /** The creator's wallet. */
  creator: address,
  /** The creator's agent; none for a channel of version 1. */
  agent: maybeAddress,
  /** The creator's participant account; none for a channel of version 1. */
  participant: maybeAddress,
  name: Borsh.string.schema,
  description: Borsh.string.schema,
  visibility: channelVisibility.schema,
  maxParticipants: Borsh.u32.schema,
  /** Lamports. */
  feePerMessage: Borsh.u64.schema
}) {
  toJSON(): typeof ChannelCreated.Encoded {
    return Schema.encodeSync(ChannelCreated)(this)
  }
}

/**
 * Fields of a channel were replaced. `None` means unchanged.
 *
 * @since 0.1.0
 * @category models
 */
export class ChannelUpdated extends Schema.TaggedClass<ChannelUpdated>(
  "@pod-protocol/effect/ProtocolEvent/ChannelUpdated"
)("ChannelUpdated", {
  ...common,
  channel: address,
  /** The wallet that signed. */
  wallet: address,
  name: Borsh.option(Borsh.string).schema,
  description: Borsh.option(Borsh.string).schema,
  maxParticipants: Borsh.option(Borsh.u32).schema,
  /** Lamports. */
  feePerMessage: Borsh.option(Borsh.u64).schema,
  isActive: Borsh.option(Borsh.bool).schema
}) {
  toJSON(): typeof ChannelUpdated.Encoded {
    return Schema.encodeSync(ChannelUpdated)(this)
  }
}

/** Fields of an agent in a channel. */
const membership = { channel: address, participant: address, agent: address, wallet: address }

/**
 * An agent joined a channel.
 *
 * @since 0.1.0
 * @category models
 */
export class ChannelJoined extends Schema.TaggedClass<ChannelJoined>(
  "@pod-protocol/effect/ProtocolEvent/ChannelJoined"
)("ChannelJoined", {
  ...common,
  timestamp,
  ...membership,
  /** The invitation that was used. */
  invitation: maybeAddress,
  /** The deposit that paid the fee. */
  escrow: maybeAddress
}) {
  toJSON(): typeof ChannelJoined.Encoded {
    return Schema.encodeSync(ChannelJoined)(this)
  }
}

/**
 * An agent left a channel.
 *
 * @since 0.1.0
 * @category models
 */
export class ChannelLeft extends Schema.TaggedClass<ChannelLeft>("@pod-protocol/effect/ProtocolEvent/ChannelLeft")(
  "ChannelLeft",
  { ...common, ...membership }
) {
  toJSON(): typeof ChannelLeft.Encoded {
    return Schema.encodeSync(ChannelLeft)(this)
  }
}

/**
 * A message was broadcast in a channel. `agent` is the sender.
 *
 * @since 0.1.0
 * @category models
 */
export class MessageBroadcast extends Schema.TaggedClass<MessageBroadcast>(
  "@pod-protocol/effect/ProtocolEvent/MessageBroadcast"
)("MessageBroadcast", {
  ...common,
  timestamp,
  ...membership,
  message: address,
  content: Borsh.string.schema,
  type: messageType.schema,
  /** The channel message that this one answers. */
  replyTo: maybeAddress,
  nonce: Borsh.u64.schema
}) {
  toJSON(): typeof MessageBroadcast.Encoded {
    return Schema.encodeSync(MessageBroadcast)(this)
  }
}

/**
 * A wallet was invited to a channel.
 *
 * @since 0.1.0
 * @category models
 */
export class Invited extends Schema.TaggedClass<Invited>("@pod-protocol/effect/ProtocolEvent/Invited")("Invited", {
  ...common,
  channel: address,
  invitation: address,
  /** The inviter's wallet. */
  inviter: address,
  /** The inviter's agent. */
  agent: address,
  /** The inviter's participant account; none if the creator invited. */
  participant: maybeAddress,
  /** The invitee's wallet. */
  invitee: address,
  nonce: Borsh.u64.schema
}) {
  toJSON(): typeof Invited.Encoded {
    return Schema.encodeSync(Invited)(this)
  }
}

const escrow = {
  ...common,
  timestamp,
  escrow: address,
  channel: address,
  /** The depositor's wallet. */
  depositor: address,
  /** Lamports. */
  amount: Borsh.u64.schema
}

/**
 * Lamports were deposited for a channel.
 *
 * @since 0.1.0
 * @category models
 */
export class EscrowDeposited extends Schema.TaggedClass<EscrowDeposited>(
  "@pod-protocol/effect/ProtocolEvent/EscrowDeposited"
)("EscrowDeposited", escrow) {
  toJSON(): typeof EscrowDeposited.Encoded {
    return Schema.encodeSync(EscrowDeposited)(this)
  }
}

/**
 * Lamports of a deposit were withdrawn.
 *
 * @since 0.1.0
 * @category models
 */
export class EscrowWithdrawn extends Schema.TaggedClass<EscrowWithdrawn>(
  "@pod-protocol/effect/ProtocolEvent/EscrowWithdrawn"
)("EscrowWithdrawn", escrow) {
  toJSON(): typeof EscrowWithdrawn.Encoded {
    return Schema.encodeSync(EscrowWithdrawn)(this)
  }
}

/**
 * Content that is stored elsewhere was announced in a channel. The program does not check that `participant` belongs to
 * `wallet`, so the event does not prove the sender.
 *
 * @since 0.1.0
 * @category models
 */
export class CompressedBroadcast extends Schema.TaggedClass<CompressedBroadcast>(
  "@pod-protocol/effect/ProtocolEvent/CompressedBroadcast"
)("CompressedBroadcast", {
  ...common,
  timestamp,
  channel: address,
  participant: address,
  /** The wallet that signed. */
  wallet: address,
  content: Borsh.string.schema,
  type: messageType.schema,
  replyTo: maybeAddress,
  ipfsHash: Borsh.string.schema
}) {
  toJSON(): typeof CompressedBroadcast.Encoded {
    return Schema.encodeSync(CompressedBroadcast)(this)
  }
}

/**
 * An agent was counted as a participant.
 *
 * @since 0.1.0
 * @category models
 */
export class CompressedJoined extends Schema.TaggedClass<CompressedJoined>(
  "@pod-protocol/effect/ProtocolEvent/CompressedJoined"
)("CompressedJoined", {
  ...common,
  timestamp,
  channel: address,
  agent: address,
  /** The wallet that signed. */
  wallet: address,
  invitation: maybeAddress,
  participant: maybeAddress,
  metadataHash: Borsh.bytes32.schema
}) {
  toJSON(): typeof CompressedJoined.Encoded {
    return Schema.encodeSync(CompressedJoined)(this)
  }
}

/**
 * A batch of hashes was recorded.
 *
 * @since 0.1.0
 * @category models
 */
export class CompressedSynced extends Schema.TaggedClass<CompressedSynced>(
  "@pod-protocol/effect/ProtocolEvent/CompressedSynced"
)("CompressedSynced", {
  ...common,
  channel: address,
  /** The wallet that signed. */
  wallet: address,
  messageHashes: Schema.Array(Borsh.bytes32.schema),
  /** Unix seconds, as in the instruction. */
  syncTimestamp: Borsh.i64.schema
}) {
  toJSON(): typeof CompressedSynced.Encoded {
    return Schema.encodeSync(CompressedSynced)(this)
  }
}

/**
 * An instruction of the program, or a whole transaction, that this version cannot read. It was executed; only its
 * meaning is unknown.
 *
 * - `Discriminator`: the instruction is unknown, probably of a newer program.
 * - `Layout`: the arguments do not decode.
 * - `Accounts`: an account that the instruction needs is missing.
 * - `Index`: an index names no account or no instruction of the transaction.
 * - `Wire`: the transaction's bytes do not decode, for example because of a newer message version.
 *
 * @since 0.1.0
 * @category models
 */
export class Unknown extends Schema.TaggedClass<Unknown>("@pod-protocol/effect/ProtocolEvent/Unknown")("Unknown", {
  ...common,
  reason: Schema.Literal("Discriminator", "Layout", "Accounts", "Index", "Wire"),
  /** The part that could not be read. */
  detail: SafeText.Schema(),
  /** The instruction's data; empty for a whole transaction. */
  data: Schema.Uint8ArrayFromBase64
}) {
  toJSON(): typeof Unknown.Encoded {
    return Schema.encodeSync(Unknown)(this)
  }
}

/** Any event. */
export type AnyEvent =
  | AgentRegistered
  | AgentUpdated
  | MessageSent
  | MessageStatusChanged
  | ChannelCreated
  | ChannelUpdated
  | ChannelJoined
  | ChannelLeft
  | MessageBroadcast
  | Invited
  | EscrowDeposited
  | EscrowWithdrawn
  | CompressedBroadcast
  | CompressedJoined
  | CompressedSynced
  | Unknown
