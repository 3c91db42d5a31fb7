import * as Schema from "effect/Schema"
import { printable } from "../../src/internal/printable.js"
import * as SafeText from "../../src/SafeText.js"

export class SealedChannelError extends printable(
  Schema.TaggedError<SealedChannelError>("@pod-protocol/effect/SealedChannelError")("SealedChannelError", {
    reason: Schema.Literal("NoEpoch", "Outdated", "NotHolder", "NotCreator", "Malformed", "Rejected"),
    channel: SafeText.Schema(),
    /** The epoch of the key, if the error concerns one. */
    epoch: Schema.optional(Schema.Number)
  })
) {
  /** True for `NoEpoch` and `Outdated`: the channel's creator may make an epoch. */
  get isRetryable(): boolean {
    return this.reason === "NoEpoch" || this.reason === "Outdated"
  }

  override get message(): string {
    const key = `the key of epoch ${this.epoch} of channel ${this.channel}`
    switch (this.reason) {
      case "NoEpoch":
        return `Nobody has a key of channel ${this.channel} yet: its creator makes one by SealedChannel.rotate`
      case "Outdated":
        return `An agent that left has ${key}: wait until the channel's creator makes another by SealedChannel.rotate`
      case "NotHolder":
        return `This wallet did not get ${key}: it was not in the channel when the epoch began`
      case "NotCreator":
        return `Only the creator of channel ${this.channel} makes its keys: use the creator's wallet`
      case "Malformed":
        return `A broadcast or a package of keys of channel ${this.channel} is damaged: ask its sender to send it again`
      case "Rejected":
        return `The broadcast does not open by ${key}: it was changed, or copied from another message`
    }
  }
}
