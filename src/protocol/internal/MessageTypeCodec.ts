/** The wire codec of {@link MessageType}: the index, and one more byte for a custom type. */
import * as MessageType from "../MessageType.js"
import * as Borsh from "./Borsh.js"

const plain = [MessageType.Text, MessageType.Data, MessageType.Command, MessageType.Response] as const
const CUSTOM = plain.length

export const messageType: Borsh.Codec<typeof MessageType.MessageType> = {
  schema: MessageType.MessageType,
  minimum: 1,
  read: (reader) => {
    const index = reader.u8()
    if (index === CUSTOM) return MessageType.Custom(reader.u8())
    const type = plain[index]
    if (type === undefined) reader.fail(`must be one of 5 variants, is ${index}`)
    return type ?? MessageType.Text
  },
  write: (writer, type) => {
    if (type._tag === "Custom") {
      writer.u8(CUSTOM)
      Borsh.u8.write(writer, type.value)
    } else {
      writer.variant(plain.findIndex((candidate) => candidate._tag === type._tag))
    }
  }
}

export const messageStatus = Borsh.enumeration(MessageType.MessageStatus)

export const channelVisibility = Borsh.enumeration(MessageType.ChannelVisibility)
