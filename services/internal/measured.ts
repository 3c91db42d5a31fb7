/** Metrics on the hot path. */
import * as Cause from "effect/Cause"
import type * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import type * as Metric from "effect/Metric"

/** Updates a metric under the labels of a fiber, without a step of that fiber. */
export const update = <A, E, Type, In, Out>(
  fiber: Fiber.RuntimeFiber<A, E>,
  metric: Metric.Metric<Type, In, Out>,
  input: In
): void => metric.unsafeUpdate(input, fiber.getFiberRef(FiberRef.currentMetricLabels))

/** How an operation ended. */
export type Outcome = "succeeded" | "failed" | "interrupted"

/** The outcome of an operation that did not succeed. */
export const failureOf = (cause: Cause.Cause<unknown>): Outcome =>
  Cause.isInterrupted(cause) ? "interrupted" : "failed"

/** Ends the timer of an operation. It is called once. */
export type End = (outcome: Outcome) => void

/** Starts the timer of an operation, or returns `undefined` if `track` has to do it. */
export type Begin = <A, E>(fiber: Fiber.RuntimeFiber<A, E>, name: string) => End | undefined

const begin: unique symbol = Symbol("@pod-protocol/effect/internal/measured/begin")

/**
 * `Metrics.track`. It may have a second entry point, which starts a timer without a step of the fiber. A message has
 * several timed operations, so the SDK uses it for its own.
 */
export interface Track {
  (name: string): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  readonly [begin]?: Begin
}

/** Adds the entry point. */
export const withBegin = <T extends Track>(track: T, entry: Begin): T => Object.assign(track, { [begin]: entry })

/** Starts a timer by the entry point, if there is one. */
export const begun = <A, E>(track: Track, fiber: Fiber.RuntimeFiber<A, E>, name: string): End | undefined =>
  track[begin]?.(fiber, name)
