/** Spans and durations of public calls, measured only if the application provides a tracer or the `Metrics` service. */
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import { Metrics } from "../Metrics.js"

/** Effect's default tracer, which drops all spans. */
const defaultTracer = Context.get(DefaultServices.liveServices, Tracer.Tracer)

/** Whether the fiber has a tracer that keeps spans. */
export const isTraced = <A, E>({ currentTracer }: Fiber.RuntimeFiber<A, E>): boolean => currentTracer !== defaultTracer

/** Times an effect in the `Metrics` service, if the fiber's context has one. */
export const tracked = <A, E, R>(
  fiber: Fiber.RuntimeFiber<A, E>,
  name: string,
  self: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => {
  const metrics = Context.getOption(fiber.currentContext, Metrics)
  return Option.isNone(metrics) ? self : metrics.value.track(name)(self)
}

/** A span around a public call, {@link tracked}. It captures no stack trace, because that costs more than the span. */
export const traced =
  (name: string, attributes?: Record<string, unknown>) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.withFiberRuntime((fiber) =>
      tracked(
        fiber,
        name,
        isTraced(fiber) ? Effect.withSpan(self, name, { captureStackTrace: false, attributes }) : self
      )
    )

/** As {@link traced}, for a caller that has the fiber. Saves a fiber step. */
export const spanned = <A, E, R>(
  fiber: Fiber.RuntimeFiber<A, E>,
  name: string,
  attributes: Record<string, unknown>,
  body: () => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => {
  const metrics = Context.getOption(fiber.currentContext, Metrics)
  if (!isTraced(fiber)) return Option.isNone(metrics) ? body() : metrics.value.track(name)(Effect.suspend(body))
  const span = Effect.withSpan(Effect.suspend(body), name, { captureStackTrace: false, attributes })
  return Option.isNone(metrics) ? span : metrics.value.track(name)(span)
}

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
