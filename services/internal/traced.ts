/**
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"

/** One span around a public call. Stack traces are not captured: they cost more than the span itself. */
export const traced =
  (name: string, attributes?: Record<string, unknown>) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.withSpan(self, name, { captureStackTrace: false, attributes })
