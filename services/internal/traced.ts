import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Tracer from "effect/Tracer"

/** The tracer of an application that provides none: what it is told is forgotten. */
const forgetful = Context.get(DefaultServices.liveServices, Tracer.Tracer)

/** Whether somebody may see the fiber's spans. */
export const isTraced = <A, E>({ currentTracer }: Fiber.RuntimeFiber<A, E>): boolean => currentTracer !== forgetful

/**
 * One span around a public call. Stack traces are not captured: they cost more than the span itself. Where no tracer is
 * provided nobody could see a span, and none is made.
 */
export const traced =
  (name: string, attributes?: Record<string, unknown>) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.withFiberRuntime((fiber) =>
      isTraced(fiber) ? Effect.withSpan(self, name, { captureStackTrace: false, attributes }) : self
    )

/** As {@link traced}, for what the fiber comes to next: a step less. */
export const spanned = <A, E, R>(
  fiber: Fiber.RuntimeFiber<A, E>,
  name: string,
  attributes: Record<string, unknown>,
  body: () => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  isTraced(fiber) ? Effect.withSpan(Effect.suspend(body), name, { captureStackTrace: false, attributes }) : body()

/** Says more about the call in the span that {@link traced} has made, if it made one. */
export const annotate = (key: string, value: unknown): Effect.Effect<void> =>
  Effect.withFiberRuntime((fiber) => annotated(fiber, key, value, Effect.void))

/** As {@link annotate}, and then the effect: two steps less. */
export const annotated = <A, E, R>(
  fiber: Fiber.RuntimeFiber<A, E>,
  key: string,
  value: unknown,
  self: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => (isTraced(fiber) ? Effect.zipRight(Effect.annotateCurrentSpan(key, value), self) : self)
