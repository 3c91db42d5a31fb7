/** Fewer calls for the same answers: equal reads under way are shared, single account reads are merged. */
import * as Effect from "effect/Effect"
import { under } from "../../src/internal/check.js"
import type { InvalidInput } from "../../src/InvalidInput.js"
import type { RpcTransport } from "../RpcTransport.js"
import * as AccountBatcher from "./AccountBatcher.js"
import * as SingleFlight from "./SingleFlight.js"

/** What is shared and merged. */
export interface Options {
  /** `false` makes each read by itself. Default: on, as `SingleFlight.Options` says. */
  readonly share?: SingleFlight.Options | false | undefined
  /** `false` reads each account by itself. Default: on, as `AccountBatcher.Options` says. */
  readonly accounts?: AccountBatcher.Options | false | undefined
}

/** Shares first and merges then, so that an account is asked for once in a merged call. */
export const make =
  ({ accounts, share }: Options = {}) =>
  (transport: RpcTransport): Effect.Effect<RpcTransport, InvalidInput> => {
    const merged =
      accounts === false ? Effect.succeed(transport) : under("accounts")(AccountBatcher.make(accounts)(transport))
    return share === false
      ? merged
      : Effect.flatMap(merged, (transport) => under("share")(SingleFlight.make(share)(transport)))
  }
