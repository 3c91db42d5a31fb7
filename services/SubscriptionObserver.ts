/**
 * Events of a subscription besides its notifications: it was established, or notifications may have been lost.
 *
 * The streams of `RpcTransport` and `RpcPool` carry notifications only. To receive these events, provide an observer in
 * the stream's context. Transports call it in order with the notifications that they deliver. `Follow` uses it to read
 * missed changes.
 *
 * @since 0.1.0
 */
import type { Slot } from "@solana/kit"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"

/**
 * The node has accepted the subscription and will notify every later change. This event comes at the start and after each
 * reconnection, before the first notification of the new subscription.
 *
 * @since 0.1.0
 * @category models
 */
export interface Established {
  /** Host of the endpoint that holds the subscription. */
  readonly host: string
  /**
   * Asks that endpoint for its slot at the commitment of the subscription; none if it does not answer. A read at this slot
   * or later misses no change before the subscription. Absent with a single endpoint, which also answers the read.
   */
  readonly slot?: Effect.Effect<Option.Option<Slot>> | undefined
}

/**
 * Notifications between this event and the next `Established` may be lost.
 *
 * @since 0.1.0
 * @category models
 */
export interface Interrupted {
  /** Why the subscription was lost, in one sentence. */
  readonly detail: string
}

/**
 * Watches the subscriptions that are made in its context. The default does nothing.
 *
 * @since 0.1.0
 * @category tags
 */
export class SubscriptionObserver extends Context.Reference<SubscriptionObserver>()(
  "@pod-protocol/effect/SubscriptionObserver",
  {
    defaultValue: (): {
      /** A transport runs this when the node has answered its subscribe call, before it emits a notification. */
      readonly established: (subscription: Established) => Effect.Effect<void>
      /** The reconnecting transport runs this before its first attempt. */
      readonly interrupted: (loss: Interrupted) => Effect.Effect<void>
    } => ({ established: () => Effect.void, interrupted: () => Effect.void })
  }
) {}
