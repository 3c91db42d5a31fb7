/**
 * Detects a dead socket that was not closed.
 *
 * A subscription to a quiet account looks like a dead socket. So a slot subscription runs beside the others, because a live
 * node enters a slot every 0.4 seconds. When slots stop, all subscriptions of the endpoint fail with
 * `SubscriptionError{reason: "Closed"}`, and `Reconnect` makes them again.
 */
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as RcRef from "effect/RcRef"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { millis } from "../../src/internal/check.js"
import type { InvalidInput } from "../../src/InvalidInput.js"
import * as Clock from "../internal/clock.js"
import * as Closing from "../internal/closing.js"
import type { RpcTransport } from "../RpcTransport.js"
import { SubscriptionError } from "../RpcTransport.js"
import { SubscriptionObserver } from "../SubscriptionObserver.js"

/** The limit of silence. */
export interface Options {
  /**
   * Time without a slot, after a first one, until the socket counts as dead. Default: 10 seconds, 25 slots. Too low: a
   * stalled cluster looks like a dead socket. Too high: a dead socket is noticed late.
   */
  readonly idleTimeout?: Duration.DurationInput | undefined
}

const UNOBSERVED = { established: () => Effect.void, interrupted: () => Effect.void }

/** Watches a transport while it has subscriptions. */
export const make =
  (options: Options = {}) =>
  (transport: RpcTransport): Effect.Effect<RpcTransport, InvalidInput, Scope.Scope> =>
    Effect.gen(function* () {
      const idleTimeout = yield* millis("idleTimeout", options.idleTimeout ?? "10 seconds")

      const watch = Effect.gen(function* () {
        const dead = yield* Deferred.make<never, SubscriptionError>()
        let seenAt: number | undefined

        const listen = transport.subscribe("slot", []).pipe(
          Stream.provideService(SubscriptionObserver, UNOBSERVED),
          Stream.runForEach(() =>
            Effect.map(Clock.monotonicMillis, (now) => {
              seenAt = now
            })
          ),
          Effect.ignore,
          Effect.zipRight(Effect.sleep(idleTimeout)),
          Effect.forever
        )

        const guard = (wait: number): Effect.Effect<void> =>
          Effect.zipRight(Effect.sleep(wait), Clock.monotonicMillis).pipe(
            Effect.flatMap((now) => {
              const silent = seenAt === undefined ? 0 : now - seenAt
              return silent < idleTimeout
                ? guard(idleTimeout - silent)
                : Effect.asVoid(
                    Deferred.fail(
                      dead,
                      new SubscriptionError({
                        reason: "Closed",
                        method: "slotSubscribe",
                        host: transport.host,
                        detail: `no slot for ${silent} ms, the socket counts as dead`
                      })
                    )
                  )
            })
          )

        // Interruptible even if the subscriber is in an uninterruptible region, because the end waits for the fibers.
        yield* Effect.forkScoped(Effect.interruptible(listen))
        yield* Effect.forkScoped(Effect.interruptible(guard(idleTimeout)))
        return dead
      })

      const heart = yield* RcRef.make({ acquire: watch })
      const { isClosed } = yield* Closing.make()

      return {
        ...transport,
        subscribe: (kind, params) =>
          Stream.unwrapScoped(
            Effect.suspend(() =>
              isClosed()
                ? Effect.fail(Closing.subscription(kind, transport.host))
                : Effect.map(RcRef.get(heart), (dead) =>
                    Stream.interruptWhenDeferred(transport.subscribe(kind, params), dead)
                  )
            )
          )
      }
    })
