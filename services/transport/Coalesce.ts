/** Saves calls: shares equal reads in flight, and merges reads of single accounts. */
import * as Effect from "effect/Effect"
import { under } from "../../src/internal/check.js"
import type { InvalidInput } from "../../src/InvalidInput.js"
import type { RpcTransport } from "../RpcTransport.js"
import * as AccountBatcher from "./AccountBatcher.js"
import * as SingleFlight from "./SingleFlight.js"

/** The options of sharing and merging. */
export interface Options {
  /** Sharing of equal reads. Default: on, see `SingleFlight.Options`. `false` turns it off. */
  readonly share?: SingleFlight.Options | false | undefined
  /** Merging of reads of single accounts. Default: on, see `AccountBatcher.Options`. `false` turns it off. */
  readonly accounts?: AccountBatcher.Options | false | undefined
}

/** Sharing comes before merging, so that an account occurs once in a merged call. */
export const make =
  ({ accounts, share }: Options = {}) =>
  (transport: RpcTransport): Effect.Effect<RpcTransport, InvalidInput> => {
    const merged =
      accounts === false ? Effect.succeed(transport) : under("accounts")(AccountBatcher.make(accounts)(transport))
    return share === false
      ? merged
      : Effect.flatMap(merged, (transport) => under("share")(SingleFlight.make(share)(transport)))
  }
