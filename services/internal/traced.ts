/**
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"
import * as Tracer from "effect/Tracer"

/** The tracer of an application that provides none: what it is told is forgotten. */
const forgetful = Context.get(DefaultServices.liveServices, Tracer.Tracer)

/**
 * One span around a public call. Stack traces are not captured: they cost more than the span itself. Where no tracer is
 * provided nobody could see a span, and none is made.
 */
export const traced =
  (name: string, attributes?: Record<string, unknown>) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.tracerWith((tracer) =>
      tracer === forgetful ? self : Effect.withSpan(self, name, { captureStackTrace: false, attributes })
    )

/** Says more about the call in the span that {@link traced} has made, if it made one. */
export const annotate = (key: string, value: unknown): Effect.Effect<void> =>
  Effect.tracerWith((tracer) => (tracer === forgetful ? Effect.void : Effect.annotateCurrentSpan(key, value)))
