/** Applies the deadline of a write to the steps before its send: reads, the payload store, a new key. */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Deadline from "../Deadline.js"
import * as Clock from "../internal/clock.js"
import { endBy, notSent } from "../internal/endBy.js"
import type { RpcError } from "../RpcTransport.js"
import type { SendOptions, Service as Transactions } from "../Transactions.js"

/** Time limits of a send. */
type Timed = Pick<SendOptions, "retryExpired" | "timeout">

/**
 * Runs the steps of a write before its send by the deadline of that send, and gives the send the remaining time. `what`
 * ends the sentence "its deadline came before …". `onLeft` is called when the steps end after their caller has left:
 * the deadline came, or the caller was interrupted.
 */
export type Prepare = <P, E, A, E2, R2>(
  options: Timed | undefined,
  what: string,
  preparation: Effect.Effect<P, E>,
  send: (prepared: P, timeout: Duration.DurationInput) => Effect.Effect<A, E2, R2>,
  onLeft?: () => void
) => Effect.Effect<A, E | E2 | RpcError, R2>

export const make =
  ({ timeoutOf }: Pick<Transactions, "timeoutOf">): Prepare =>
  (options, what, preparation, send, onLeft) =>
    Effect.withFiberRuntime((fiber) => {
      const earlier = Deadline.of(fiber)
      const at = Math.min(Clock.monotonic(fiber) + Duration.toMillis(timeoutOf(options)), earlier)
      const context = at < earlier ? Context.add(fiber.currentContext, Deadline.Deadline, at) : undefined
      return Effect.flatMap(endBy({ at, late: notSent }, what, { context, onLeft })(preparation), (prepared) =>
        send(prepared, Math.max(0, Math.ceil(at - Clock.monotonic(fiber))))
      )
    })
