/**
 * The three enumerations of the wire: message type, message status and channel visibility.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { InvalidInput } from "../InvalidInput.js"

/**
 * The type of a message: four named types, and 256 custom types that an application defines.
 *
 * @since 0.1.0
 * @category models
 */
export const MessageType = Schema.Union(
  Schema.TaggedStruct("Text", {}),
  Schema.TaggedStruct("Data", {}),
  Schema.TaggedStruct("Command", {}),
  Schema.TaggedStruct("Response", {}),
  Schema.TaggedStruct("Custom", { value: Schema.Int.pipe(Schema.between(0, 255)) })
).annotations({ identifier: "MessageType" })

/**
 * A value of {@link MessageType}.
 *
 * @since 0.1.0
 * @category models
 */
export type MessageType = typeof MessageType.Type

/**
 * The delivery status of a direct message.
 *
 * @since 0.1.0
 * @category models
 */
export const MessageStatus = Schema.Literal("Pending", "Delivered", "Read", "Failed").annotations({
  identifier: "MessageStatus"
})

/**
 * A value of {@link MessageStatus}.
 *
 * @since 0.1.0
 * @category models
 */
export type MessageStatus = typeof MessageStatus.Type

/**
 * Access to a channel: everybody may join a public channel; a private one requires an invitation. Visibility restricts
 * joining only: anybody can read the content of both.
 *
 * @since 0.1.0
 * @category models
 */
export const ChannelVisibility = Schema.Literal("Public", "Private").annotations({ identifier: "ChannelVisibility" })

/**
 * A value of {@link ChannelVisibility}.
 *
 * @since 0.1.0
 * @category models
 */
export type ChannelVisibility = typeof ChannelVisibility.Type

/**
 * Human text.
 *
 * @since 0.1.0
 * @category constructors
 */
export const Text: MessageType = { _tag: "Text" }

/**
 * Structured data.
 *
 * @since 0.1.0
 * @category constructors
 */
export const Data: MessageType = { _tag: "Data" }

/**
 * A request to do something.
 *
 * @since 0.1.0
 * @category constructors
 */
export const Command: MessageType = { _tag: "Command" }

/**
 * The answer to a {@link Command}.
 *
 * @since 0.1.0
 * @category constructors
 */
export const Response: MessageType = { _tag: "Response" }

/**
 * A custom type, 0–255. A direct message supports 0–251 only, because the type is part of its address ({@link seed}).
 * The program as first published has no room for a custom direct message.
 *
 * @since 0.1.0
 * @category constructors
 */
export const Custom = (value: number): MessageType => ({ _tag: "Custom", value })

/**
 * The largest custom type of a direct message.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_DIRECT_CUSTOM = 251

/**
 * The byte of the type in the address of a direct message: Text 0, Data 1, Command 2, Response 3, Custom(x) 4 + x.
 * Fails for a custom type above {@link MAX_DIRECT_CUSTOM}, which does not fit the byte.
 *
 * @since 0.1.0
 * @category encoding
 */
export const seed = (type: MessageType): Either.Either<number, InvalidInput> => {
  switch (type._tag) {
    case "Text":
      return Either.right(0)
    case "Data":
      return Either.right(1)
    case "Command":
      return Either.right(2)
    case "Response":
      return Either.right(3)
    case "Custom":
      return Number.isInteger(type.value) && type.value >= 0 && type.value <= MAX_DIRECT_CUSTOM
        ? Either.right(4 + type.value)
        : Either.left(
            new InvalidInput({
              field: "type",
              rule: `a direct message's custom type is an integer of 0 to ${MAX_DIRECT_CUSTOM}`,
              size: type.value
            })
          )
  }
}

/**
 * Whether a direct message may change from one status to the next: Pending → Delivered → Read, and Pending or Delivered
 * → Failed. The program as first published allows any change; keep this order with every program.
 *
 * @since 0.1.0
 * @category predicates
 */
export const canBecome = (from: MessageStatus, to: MessageStatus): boolean => {
  switch (from) {
    case "Pending":
      return to === "Delivered" || to === "Failed"
    case "Delivered":
      return to === "Read" || to === "Failed"
    case "Read":
    case "Failed":
      return false
  }
}
