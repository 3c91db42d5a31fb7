/** Spans that are made only if the application provides a tracer. */
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Tracer from "effect/Tracer"

/** Effect's default tracer, which drops all spans. */
const defaultTracer = Context.get(DefaultServices.liveServices, Tracer.Tracer)

/** Whether the fiber has a tracer that keeps spans. */
export const isTraced = <A, E>({ currentTracer }: Fiber.RuntimeFiber<A, E>): boolean => currentTracer !== defaultTracer

/** A span around a public call. It captures no stack trace, because that costs more than the span. */
export const traced =
  (name: string, attributes?: Record<string, unknown>) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.withFiberRuntime((fiber) =>
      isTraced(fiber) ? Effect.withSpan(self, name, { captureStackTrace: false, attributes }) : self
    )

/** As {@link traced}, for a caller that has the fiber. Saves a fiber step. */
export const spanned = <A, E, R>(
  fiber: Fiber.RuntimeFiber<A, E>,
  name: string,
  attributes: Record<string, unknown>,
  body: () => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  isTraced(fiber) ? Effect.withSpan(Effect.suspend(body), name, { captureStackTrace: false, attributes }) : body()

/** Adds an attribute to the current span, if there is one. */
export const annotate = (key: string, value: unknown): Effect.Effect<void> =>
  Effect.withFiberRuntime((fiber) => annotated(fiber, key, value, Effect.void))

/** Runs {@link annotate} and then the effect. Saves two fiber steps. */
export const annotated = <A, E, R>(
  fiber: Fiber.RuntimeFiber<A, E>,
  key: string,
  value: unknown,
  self: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => (isTraced(fiber) ? Effect.zipRight(Effect.annotateCurrentSpan(key, value), self) : self)
