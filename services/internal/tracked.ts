/** Times the SDK's operations in the `Metrics` service, if the fiber's context has one. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import { constVoid } from "effect/Function"
import * as Option from "effect/Option"
import { Metrics } from "../Metrics.js"
import { onInterruption } from "./hot.js"
import * as Measured from "./measured.js"

/** Times an effect. */
export const tracked = <A, E, R>(
  fiber: Fiber.RuntimeFiber<A, E>,
  name: string,
  body: () => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => {
  const metrics = Context.getOption(fiber.currentContext, Metrics)
  if (Option.isNone(metrics)) return body()
  const { track } = metrics.value
  const end = Measured.begun(track, fiber, name)
  if (end === undefined) return track(name)(Effect.suspend(body))
  const settle = onInterruption(fiber, () => end("interrupted"))
  return Effect.matchCauseEffect(Effect.suspend(body), {
    onFailure: (cause) => {
      settle()
      end(Measured.failureOf(cause))
      return Effect.failCause(cause)
    },
    onSuccess: (value) => {
      settle()
      end("succeeded")
      return Effect.succeed(value)
    }
  })
}

/** Starts the timer of work without a fiber of its own, or returns `undefined` if only {@link tracked} can time it. */
export const begin = <A, E>(fiber: Fiber.RuntimeFiber<A, E>, name: string): Measured.End | undefined => {
  const metrics = Context.getOption(fiber.currentContext, Metrics)
  return Option.isNone(metrics) ? constVoid : Measured.begun(metrics.value.track, fiber, name)
}
