/**
 * Reads private fields of Effect's fibers: their generators, the fibers for which they wait, and their children. Effect
 * has no public API for these that works without running the fiber. If another version of Effect renames the fields,
 * nothing is found, and `test/layers/FiberConsoleNode.test.ts` fails.
 */
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Predicate from "effect/Predicate"

type AnyFiber = Fiber.RuntimeFiber<unknown, unknown>

/** Maximum fibers of a reading. */
const MAX_FIBERS = 1_000_000

/** Maximum continuations that are searched, from the innermost. */
const MAX_STACK = 64

const isFiber = (value: unknown): value is AnyFiber =>
  Predicate.hasProperty(value, "currentSpan") && Predicate.hasProperty(value, "id") && typeof value.id === "function"

const isGenerator = (value: unknown): value is object => Object.prototype.toString.call(value) === "[object Generator]"

/** The generators of `Effect.gen` and `Effect.fn` in which a fiber is, the innermost first. */
export const generators = (fiber: AnyFiber): ReadonlyArray<object> => {
  const stack: unknown = Reflect.get(fiber, "_stack")
  if (!Array.isArray(stack)) return []
  const found: Array<object> = []
  for (const frame of stack.slice(-MAX_STACK).toReversed()) {
    const iterator: unknown = Predicate.hasProperty(frame, "effect_instruction_i0")
      ? frame.effect_instruction_i0
      : undefined
    if (isGenerator(iterator)) found.push(iterator)
  }
  return found
}

/** The ids of the fibers for which a fiber waits. In a queue or a semaphore it waits for itself, which is left out. */
export const waitsFor = (fiber: AnyFiber): ReadonlyArray<number> => {
  const blocking: unknown = Reflect.get(fiber, "_asyncBlockingOn")
  return FiberId.isFiberId(blocking) ? [...FiberId.ids(blocking)].filter((id) => id !== fiber.id().id) : []
}

/** Whether a fiber runs now. */
export const isRunning = (fiber: AnyFiber): boolean => Reflect.get(fiber, "_running") === true

/** These fibers and all below them. */
export const withDescendants = (roots: Iterable<AnyFiber>): ReadonlyArray<AnyFiber> => {
  const all = new Set<AnyFiber>(roots)
  for (const fiber of all) {
    const children: unknown = Reflect.get(fiber, "_children")
    if (!(children instanceof Set)) continue
    for (const child of children) if (isFiber(child) && all.size < MAX_FIBERS) all.add(child)
  }
  return [...all]
}
