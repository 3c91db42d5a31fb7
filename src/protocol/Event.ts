/**
 * The events that the program logs.
 *
 * An event shows the effect of an instruction, and not the wallet that requested it: see
 * `Instruction.broadcastMessageCompressed`. The published program never emits the events for channel creation and for
 * escrow. Some instructions have no event.
 *
 * @since 0.1.0
 */
import type { Address } from "@solana/kit"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { printable } from "../internal/printable.js"
import type { InvalidInput } from "../InvalidInput.js"
import * as SafeText from "../SafeText.js"
import * as Base64 from "../solana/Base64.js"
import * as Borsh from "./internal/Borsh.js"
import { channelVisibility, messageType } from "./internal/MessageTypeCodec.js"
import * as Logs from "./Logs.js"
import { PROGRAM_ID } from "./Program.js"

const agentRegisteredFields = {
  /** The agent's wallet. */
  wallet: Borsh.address,
  capabilities: Borsh.u64,
  metadataUri: Borsh.string,
  timestamp: Borsh.i64
}

/**
 * A wallet was registered as an agent.
 *
 * @since 0.1.0
 * @category models
 */
export class AgentRegistered extends Schema.TaggedClass<AgentRegistered>("@pod-protocol/effect/AgentRegistered")(
  "AgentRegistered",
  Borsh.schemas(agentRegisteredFields)
) {
  toJSON(): typeof AgentRegistered.Encoded {
    return Schema.encodeSync(AgentRegistered)(this)
  }
}

const messageSentFields = {
  /** The sender's agent address. */
  sender: Borsh.address,
  recipient: Borsh.address,
  type: messageType,
  timestamp: Borsh.i64
}

/**
 * A direct message was sent.
 *
 * @since 0.1.0
 * @category models
 */
export class MessageSent extends Schema.TaggedClass<MessageSent>("@pod-protocol/effect/MessageSent")(
  "MessageSent",
  Borsh.schemas(messageSentFields)
) {
  toJSON(): typeof MessageSent.Encoded {
    return Schema.encodeSync(MessageSent)(this)
  }
}

const channelCreatedFields = {
  channel: Borsh.address,
  /** The creator's wallet. */
  creator: Borsh.address,
  name: Borsh.string,
  visibility: channelVisibility,
  timestamp: Borsh.i64
}

/**
 * A channel was created.
 *
 * @since 0.1.0
 * @category models
 */
export class ChannelCreated extends Schema.TaggedClass<ChannelCreated>("@pod-protocol/effect/ChannelCreated")(
  "ChannelCreated",
  Borsh.schemas(channelCreatedFields)
) {
  toJSON(): typeof ChannelCreated.Encoded {
    return Schema.encodeSync(ChannelCreated)(this)
  }
}

const channelJoinedFields = {
  channel: Borsh.address,
  /** The participant's agent address. */
  agent: Borsh.address,
  timestamp: Borsh.i64
}

/**
 * An agent joined a channel.
 *
 * @since 0.1.0
 * @category models
 */
export class ChannelJoined extends Schema.TaggedClass<ChannelJoined>("@pod-protocol/effect/ChannelJoined")(
  "ChannelJoined",
  Borsh.schemas(channelJoinedFields)
) {
  toJSON(): typeof ChannelJoined.Encoded {
    return Schema.encodeSync(ChannelJoined)(this)
  }
}

const messageBroadcastFields = {
  channel: Borsh.address,
  /** Agent address of the participant that was counted. */
  sender: Borsh.address,
  type: messageType,
  timestamp: Borsh.i64
}

/**
 * A message was broadcast in a channel.
 *
 * @since 0.1.0
 * @category models
 */
export class MessageBroadcast extends Schema.TaggedClass<MessageBroadcast>("@pod-protocol/effect/MessageBroadcast")(
  "MessageBroadcast",
  Borsh.schemas(messageBroadcastFields)
) {
  toJSON(): typeof MessageBroadcast.Encoded {
    return Schema.encodeSync(MessageBroadcast)(this)
  }
}

const escrowEventFields = {
  channel: Borsh.address,
  /** The depositor's wallet. */
  depositor: Borsh.address,
  amount: Borsh.lamports,
  timestamp: Borsh.i64
}

/**
 * Lamports were deposited for a channel.
 *
 * @since 0.1.0
 * @category models
 */
export class EscrowDeposit extends Schema.TaggedClass<EscrowDeposit>("@pod-protocol/effect/EscrowDeposit")(
  "EscrowDeposit",
  Borsh.schemas(escrowEventFields)
) {
  toJSON(): typeof EscrowDeposit.Encoded {
    return Schema.encodeSync(EscrowDeposit)(this)
  }
}

/**
 * Lamports of a deposit were withdrawn.
 *
 * @since 0.1.0
 * @category models
 */
export class EscrowWithdrawal extends Schema.TaggedClass<EscrowWithdrawal>("@pod-protocol/effect/EscrowWithdrawal")(
  "EscrowWithdrawal",
  Borsh.schemas(escrowEventFields)
) {
  toJSON(): typeof EscrowWithdrawal.Encoded {
    return Schema.encodeSync(EscrowWithdrawal)(this)
  }
}

const compressedMessageSyncedFields = {
  channel: Borsh.address,
  /** 32 bytes, as in the instruction. */
  messageHash: Borsh.bytes32,
  /** 32 bytes: BLAKE3 of `messageHash`. */
  compressedHash: Borsh.bytes32,
  /** From 0. */
  batchIndex: Borsh.u32,
  /** Unix seconds, as in the instruction. */
  syncTimestamp: Borsh.i64
}

/**
 * One hash of a batch was recorded.
 *
 * @since 0.1.0
 * @category models
 */
export class CompressedMessageSynced extends Schema.TaggedClass<CompressedMessageSynced>(
  "@pod-protocol/effect/CompressedMessageSynced"
)("CompressedMessageSynced", Borsh.schemas(compressedMessageSyncedFields)) {
  toJSON(): typeof CompressedMessageSynced.Encoded {
    return Schema.encodeSync(CompressedMessageSynced)(this)
  }
}

/**
 * Any event of the program. JSON: 64-bit integers as decimal strings, bytes as base64. Times are Unix seconds.
 *
 * @since 0.1.0
 * @category models
 */
export const Event = Schema.Union(
  AgentRegistered,
  MessageSent,
  ChannelCreated,
  ChannelJoined,
  MessageBroadcast,
  EscrowDeposit,
  EscrowWithdrawal,
  CompressedMessageSynced
)

/**
 * A value of {@link Event}.
 *
 * @since 0.1.0
 * @category models
 */
export type Event = typeof Event.Type

/**
 * The names of the events.
 *
 * @since 0.1.0
 * @category models
 */
export type EventTag = Event["_tag"]

/**
 * The data is not an event of the program.
 *
 * - `Base64`: the text in the log is not base64.
 * - `Discriminator`: the bytes are too short, or their discriminator is unknown: a newer program may have emitted the
 *   event.
 * - `Layout`: `field` cannot be read at byte `offset`: the bytes end there or break `rule`.
 *
 * @since 0.1.0
 * @category errors
 */
export class EventDecodeError extends printable(
  Schema.TaggedError<EventDecodeError>("@pod-protocol/effect/EventDecodeError")("EventDecodeError", {
    /** The event, if the discriminator names one. */
    event: Schema.optional(SafeText.Schema()),
    reason: Schema.Literal("Base64", "Discriminator", "Layout"),
    field: SafeText.Schema(),
    offset: Schema.Number,
    rule: SafeText.Schema()
  }),
  { stack: false }
) {
  /** Always false: the same bytes stay wrong. */
  readonly isRetryable = false

  override get message(): string {
    const what = `${this.event ?? "event"}.${this.field} at byte ${this.offset}`
    return `${what}: ${this.rule}; check its program, or update this library`
  }
}

const layouts: { readonly [Tag in EventTag]: Borsh.Layout<Event> } = {
  AgentRegistered: Borsh.layout({
    tag: "AgentRegistered",
    prototype: AgentRegistered.prototype,
    discriminator: "bf4ed936e864bd55",
    fields: agentRegisteredFields
  }),
  MessageSent: Borsh.layout({
    tag: "MessageSent",
    prototype: MessageSent.prototype,
    discriminator: "7446e04c801c6e37",
    fields: messageSentFields
  }),
  ChannelCreated: Borsh.layout({
    tag: "ChannelCreated",
    prototype: ChannelCreated.prototype,
    discriminator: "2004a1a59490388b",
    fields: channelCreatedFields
  }),
  ChannelJoined: Borsh.layout({
    tag: "ChannelJoined",
    prototype: ChannelJoined.prototype,
    discriminator: "7df3f99709153975",
    fields: channelJoinedFields
  }),
  MessageBroadcast: Borsh.layout({
    tag: "MessageBroadcast",
    prototype: MessageBroadcast.prototype,
    discriminator: "001ef956601d8b68",
    fields: messageBroadcastFields
  }),
  EscrowDeposit: Borsh.layout({
    tag: "EscrowDeposit",
    prototype: EscrowDeposit.prototype,
    discriminator: "2b5a31b086943220",
    fields: escrowEventFields
  }),
  EscrowWithdrawal: Borsh.layout({
    tag: "EscrowWithdrawal",
    prototype: EscrowWithdrawal.prototype,
    discriminator: "4c433031b4d5fa47",
    fields: escrowEventFields
  }),
  CompressedMessageSynced: Borsh.layout({
    tag: "CompressedMessageSynced",
    prototype: CompressedMessageSynced.prototype,
    discriminator: "ee5e7a585d07b0c7",
    fields: compressedMessageSyncedFields
  })
}

const tagByDiscriminator = Borsh.index(layouts)

/**
 * Decodes the bytes of an event.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decode = (bytes: Uint8Array): Either.Either<Event, EventDecodeError> => {
  const event = tagByDiscriminator(bytes)
  return event === undefined
    ? Either.left(
        new EventDecodeError({
          reason: "Discriminator",
          field: Borsh.DISCRIMINATOR,
          offset: 0,
          rule: "must begin with one of 8 discriminators"
        })
      )
    : layouts[event].decode(
        bytes,
        ({ field, offset, rule }) => new EventDecodeError({ event, reason: "Layout", field, offset, rule })
      )
}

/**
 * Encodes an event. Fails only for a model that was constructed with validation disabled.
 *
 * @since 0.1.0
 * @category encoding
 */
export const encode = (event: Event): Either.Either<Uint8Array, InvalidInput> => layouts[event._tag].encode(event)

const fromBase64 = (text: string): Either.Either<Event, EventDecodeError> =>
  Either.flatMap(
    Either.mapLeft(
      Base64.decode(text),
      ({ rule }) => new EventDecodeError({ reason: "Base64", field: "data", offset: 0, rule })
    ),
    decode
  )

/**
 * The outcome and the log of a transaction, as in a transaction's `meta` and in log notifications.
 *
 * @since 0.1.0
 * @category models
 */
export interface LoggedTransaction {
  /** Agave's transaction error; `null` if the transaction succeeded. */
  readonly err: unknown
  readonly logs: ReadonlyArray<string>
}

/**
 * Decodes the events of a transaction as {@link fromLogs} does. A failed transaction has none, because the runtime
 * rolled back its effects.
 *
 * @example
 * import * as Event from "@pod-protocol/effect/protocol/Event"
 * import * as Arr from "effect/Array"
 *
 * export const events = (transaction: Event.LoggedTransaction) => Arr.getRights(Event.fromTransaction(transaction))
 *
 * @since 0.1.0
 * @category decoding
 */
export const fromTransaction = (
  { err, logs }: LoggedTransaction,
  programId: Address = PROGRAM_ID
): ReadonlyArray<Either.Either<Event, EventDecodeError>> =>
  err === null || err === undefined ? fromLogs(logs, programId) : []

/**
 * Decodes the events of a transaction's log in order. It reads only data that invocations of the program emitted. Data
 * that is not a known event stays in its place as a failure.
 *
 * A failed transaction logs events too, although its effects were rolled back, and its log alone may not show the
 * failure. Use {@link fromTransaction} if the outcome is known.
 *
 * @example
 * import * as Event from "@pod-protocol/effect/protocol/Event"
 * import * as Arr from "effect/Array"
 *
 * const events = (logs: ReadonlyArray<string>) => Arr.getRights(Event.fromLogs(logs))
 *
 * @since 0.1.0
 * @category decoding
 */
export const fromLogs = (
  lines: ReadonlyArray<string>,
  programId: Address = PROGRAM_ID
): ReadonlyArray<Either.Either<Event, EventDecodeError>> =>
  Logs.parse(lines)
    .frames.filter(({ program }) => program === programId)
    .flatMap(ofFrame)

/**
 * Decodes the events that one invocation of the program emitted, as {@link fromLogs} does for all.
 *
 * @since 0.1.0
 * @category decoding
 */
export const ofFrame = ({ data }: Logs.Frame): ReadonlyArray<Either.Either<Event, EventDecodeError>> =>
  data.map(fromBase64)
