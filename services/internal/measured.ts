/** Metrics on the hot path. */
import type * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import type * as Metric from "effect/Metric"

/** Updates a metric under the labels of a fiber, without a step of that fiber. */
export const update = <A, E, Type, In, Out>(
  fiber: Fiber.RuntimeFiber<A, E>,
  metric: Metric.Metric<Type, In, Out>,
  input: In
): void => metric.unsafeUpdate(input, fiber.getFiberRef(FiberRef.currentMetricLabels))
