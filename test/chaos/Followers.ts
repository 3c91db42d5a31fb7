import type { Address } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Message from "../../services/Message.js"
import type * as Wallet from "../../services/Wallet.js"
import * as Client from "./Client.js"

/** The results of the followers of inboxes. */
export interface Seen {
  /** Messages of the chain that their follower did not receive. */
  readonly missed: ReadonlyArray<Address>
  /** Messages that a follower received more than once. */
  readonly repeated: ReadonlyArray<Address>
  /** The causes of streams that ended. */
  readonly ended: ReadonlyArray<string>
}

/** Time between two resyncs, which find lost notifications. */
const RESYNC_INTERVAL = Client.scaled(20_000)

/** Maximum time to find a lost notification: several resyncs, because some of them fail. */
const PATIENCE = "2 minutes"

/**
 * Follows the inboxes until the scope closes. Returns an effect that waits for these messages, and counts their
 * receptions.
 */
export const follow = (
  wallets: ReadonlyArray<Wallet.Service>
): Effect.Effect<(there: ReadonlyArray<Address>) => Effect.Effect<Seen>, never, Message.Message | Scope.Scope> =>
  Effect.gen(function* () {
    const { inbox } = yield* Message.Message
    const seen = new Map<Address, number>()
    const ended: Array<string> = []
    yield* Effect.forEach(wallets, ({ address: wallet }) =>
      inbox(wallet, { follow: { resyncInterval: RESYNC_INTERVAL } }).pipe(
        Stream.runForEach(({ address }) => Effect.sync(() => seen.set(address, (seen.get(address) ?? 0) + 1))),
        Effect.matchCause({
          onFailure: (cause) => ended.push(String(cause)),
          onSuccess: () => ended.push("it came to an end")
        }),
        Effect.forkScoped
      )
    )
    return (there) => {
      const look = Effect.sync((): Seen => ({
        missed: there.filter((address) => !seen.has(address)),
        repeated: there.filter((address) => (seen.get(address) ?? 0) > 1),
        ended
      }))
      const patience = Schedule.upTo(Schedule.spaced("100 millis"), PATIENCE)
      return Effect.zipRight(
        Effect.repeat(look, { until: ({ missed }) => missed.length === 0, schedule: patience }),
        look
      )
    }
  })
