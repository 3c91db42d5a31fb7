/** The nonce of a broadcast, which makes its address unique: given, derived from its id, or random. */
import * as Effect from "effect/Effect"
import { InvalidInput } from "../../src/InvalidInput.js"
import * as MessageId from "../../src/protocol/MessageId.js"
import * as Random from "../internal/random.js"

export const of = ({
  id,
  nonce
}: {
  readonly id?: MessageId.MessageId | undefined
  readonly nonce?: bigint | undefined
}): Effect.Effect<bigint, InvalidInput> => {
  if (id === undefined) return nonce === undefined ? Random.u64 : Effect.succeed(nonce)
  return nonce === undefined
    ? MessageId.toNonce(id)
    : new InvalidInput({ field: "id", rule: "excludes nonce: omit one of the two" })
}
