import * as Context from "effect/Context"
import type * as Fiber from "effect/Fiber"
import * as Deadline from "../Deadline.js"
import type { Member } from "../internal/SharedWork.js"
import { RetryPolicy } from "../RetryPolicy.js"

/** A member of shared work, with the deadline and the retry policy of its fiber. */
export const member = <T>(fiber: Fiber.RuntimeFiber<unknown, unknown>, item: T): Member<T> => ({
  item,
  deadline: Deadline.of(fiber),
  policy: Context.get(fiber.currentContext, RetryPolicy)
})
