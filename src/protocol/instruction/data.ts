/**
 * Instruction data: the arguments of an instruction, without its accounts.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { printable } from "../../internal/printable.js"
import type { InvalidInput } from "../../InvalidInput.js"
import * as SafeText from "../../SafeText.js"
import * as Borsh from "../internal/Borsh.js"
import { definitions } from "../internal/instructionTable.js"

/**
 * The data of any of the seventeen instructions. `_tag` is the instruction's name in the program's log. JSON: 64-bit
 * integers as decimal strings, bytes as base64, an absent option as null.
 *
 * @since 0.1.0
 * @category models
 */
export const InstructionData = Schema.Union(
  definitions.RegisterAgent.schema,
  definitions.UpdateAgent.schema,
  definitions.SendMessage.schema,
  definitions.UpdateMessageStatus.schema,
  definitions.CreateChannel.schema,
  definitions.CreateChannelV2.schema,
  definitions.UpdateChannel.schema,
  definitions.JoinChannel.schema,
  definitions.LeaveChannel.schema,
  definitions.BroadcastMessage.schema,
  definitions.InviteToChannel.schema,
  definitions.DepositEscrow.schema,
  definitions.WithdrawEscrow.schema,
  definitions.GetChannelParticipants.schema,
  definitions.BroadcastMessageCompressed.schema,
  definitions.JoinChannelCompressed.schema,
  definitions.BatchSyncCompressedMessages.schema
).annotations({ identifier: "InstructionData" })

/**
 * A value of {@link InstructionData}.
 *
 * @since 0.1.0
 * @category models
 */
export type InstructionData = typeof InstructionData.Type

/**
 * The names of the instructions.
 *
 * @since 0.1.0
 * @category models
 */
export type InstructionTag = InstructionData["_tag"]

/**
 * Whether the text is the name of an instruction.
 *
 * @since 0.1.0
 * @category guards
 */
export const isTag = (text: string): text is InstructionTag => Object.hasOwn(definitions, text)

/**
 * The bytes are not an instruction of the program.
 *
 * - `Discriminator`: the bytes are too short, or their discriminator is unknown.
 * - `Layout`: `field` cannot be read at byte `offset`: the bytes end there or break `rule`.
 *
 * @since 0.1.0
 * @category errors
 */
export class InstructionDecodeError extends printable(
  Schema.TaggedError<InstructionDecodeError>("@pod-protocol/effect/InstructionDecodeError")("InstructionDecodeError", {
    /** The instruction, if the discriminator names one. */
    instruction: Schema.optional(SafeText.Schema()),
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
    const what = `${this.instruction ?? "instruction"}.${this.field} at byte ${this.offset}`
    return `${what}: ${this.rule}; check its program, or update this library`
  }
}

const layoutOf = (tag: InstructionTag): Borsh.Layout<InstructionData> => definitions[tag].layout

const tagByDiscriminator = Borsh.index({
  RegisterAgent: definitions.RegisterAgent.layout,
  UpdateAgent: definitions.UpdateAgent.layout,
  SendMessage: definitions.SendMessage.layout,
  UpdateMessageStatus: definitions.UpdateMessageStatus.layout,
  CreateChannel: definitions.CreateChannel.layout,
  CreateChannelV2: definitions.CreateChannelV2.layout,
  UpdateChannel: definitions.UpdateChannel.layout,
  JoinChannel: definitions.JoinChannel.layout,
  LeaveChannel: definitions.LeaveChannel.layout,
  BroadcastMessage: definitions.BroadcastMessage.layout,
  InviteToChannel: definitions.InviteToChannel.layout,
  DepositEscrow: definitions.DepositEscrow.layout,
  WithdrawEscrow: definitions.WithdrawEscrow.layout,
  GetChannelParticipants: definitions.GetChannelParticipants.layout,
  BroadcastMessageCompressed: definitions.BroadcastMessageCompressed.layout,
  JoinChannelCompressed: definitions.JoinChannelCompressed.layout,
  BatchSyncCompressedMessages: definitions.BatchSyncCompressedMessages.layout
})

/**
 * The name of the instruction that the data begins with, without decoding it; `undefined` if it is unknown.
 *
 * @since 0.1.0
 * @category decoding
 */
export const tagOf = (data: Uint8Array): InstructionTag | undefined => tagByDiscriminator(data)

/**
 * Decodes instruction data of a compiled transaction. It ignores bytes after the last argument, as the program does.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decode = (data: Uint8Array): Either.Either<InstructionData, InstructionDecodeError> => {
  const instruction = tagOf(data)
  return instruction === undefined
    ? Either.left(
        new InstructionDecodeError({
          reason: "Discriminator",
          field: Borsh.DISCRIMINATOR,
          offset: 0,
          rule: "must begin with one of 17 discriminators"
        })
      )
    : layoutOf(instruction).decode(
        data,
        ({ field, offset, rule }) => new InstructionDecodeError({ instruction, reason: "Layout", field, offset, rule })
      )
}

/**
 * Encodes instruction data. Fails for values that the wire cannot hold: an integer out of range, a hash that is not 32
 * bytes, a text that is not valid Unicode. `Rules` checks the program's own rules.
 *
 * @since 0.1.0
 * @category encoding
 */
export const encode = (data: InstructionData): Either.Either<Uint8Array, InvalidInput> =>
  layoutOf(data._tag).encode(data)
