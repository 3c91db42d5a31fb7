/** What makes a broadcast's address its own. */
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
    : new InvalidInput({ field: "id", rule: "has no place beside a nonce: leave one of them out" })
}
