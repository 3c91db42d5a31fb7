/**
 * Sets the span of the running fiber and restores the context afterwards, in half the time of `setFiberRef`.
 *
 * A fiber keeps the values of its FiberRefs in a map that is copied at each change. `setFiberRef` also compares the old
 * context with the new one, for which Effect defines a hash on both. Here the map is changed without a comparison, and
 * the end of a span puts back the earlier map as a whole if no other FiberRef has changed since.
 *
 * This uses two members of Effect's fibers that their interface omits: `getFiberRefs` changes the map itself. With a
 * version of Effect that lacks them there are no spans, and `test/services/Telemetry.test.ts` fails.
 */
import * as Context from "effect/Context"
import type * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as FiberRefs from "effect/FiberRefs"
import * as Tracer from "effect/Tracer"

interface Settable {
  readonly _fiberRefs: FiberRefs.FiberRefs
  readonly setFiberRefs: (refs: FiberRefs.FiberRefs) => void
}

export const isSettable = <A, E>(fiber: Fiber.RuntimeFiber<A, E>): fiber is Fiber.RuntimeFiber<A, E> & Settable =>
  "_fiberRefs" in fiber && "setFiberRefs" in fiber && typeof fiber.setFiberRefs === "function"

/** The FiberRefs of a fiber, with another context. */
const withContext = <A, E>(
  fiber: Fiber.RuntimeFiber<A, E>,
  refs: FiberRefs.FiberRefs,
  context: Context.Context<never>
): FiberRefs.FiberRefs => {
  const id = fiber.id()
  const locals = new Map(refs.locals)
  const stack = locals.get(FiberRef.currentContext)
  // The values of the fibers above it decide whose value a join keeps
  const above = stack === undefined ? [] : stack[0][0] === id ? stack.slice(1) : stack
  locals.set(FiberRef.currentContext, [[id, context], ...above])
  return FiberRefs.unsafeMake(locals)
}

/** The FiberRefs before and below a span. */
export interface Place {
  readonly outside: FiberRefs.FiberRefs
  readonly context: Context.Context<never>
  readonly inside: FiberRefs.FiberRefs
}

/** Puts the fiber below a span. */
export const enter = <A, E>(fiber: Fiber.RuntimeFiber<A, E>, span: Tracer.AnySpan): Place | undefined => {
  if (!isSettable(fiber)) return undefined
  const { currentContext: context, _fiberRefs: outside } = fiber
  const inside = withContext(fiber, outside, Context.add(context, Tracer.ParentSpan, span))
  fiber.setFiberRefs(inside)
  return { outside, context, inside }
}

/** Takes the fiber out of the span. Other FiberRefs keep their values. */
export const leave = <A, E>(fiber: Fiber.RuntimeFiber<A, E>, place: Place | undefined): void => {
  if (place === undefined || !isSettable(fiber)) return
  const { _fiberRefs: refs } = fiber
  fiber.setFiberRefs(refs === place.inside ? place.outside : withContext(fiber, refs, place.context))
}
