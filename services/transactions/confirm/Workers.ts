/**
 * The fibers that work while something is in flight. At most one does each kind of work, and they end together.
 *
 * - If a fiber dies or is interrupted by anybody else, the others are interrupted and `onFailure` has its cause.
 * - {@link Workers.release} and {@link Workers.stop} begin a new group. A fiber of an old group may go on for a step and
 *   end in any way: it neither counts as one of the new group, nor ends it.
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import type * as Runtime from "effect/Runtime"

type Fork = (work: Effect.Effect<void>, options: Runtime.RunForkOptions) => Fiber.RuntimeFiber<void>

export class Workers<Kind extends string> {
  #group = new Map<Kind, Fiber.RuntimeFiber<void>>()

  constructor(
    readonly fork: Fork,
    readonly onFailure: (cause: Cause.Cause<never>) => void
  ) {}

  isRunning(kind: Kind): boolean {
    return this.#group.has(kind)
  }

  /** Does the work in a fiber, which begins in a later step, unless one of that kind is running. */
  run(kind: Kind, work: Effect.Effect<void>): void {
    const group = this.#group
    if (group.has(kind)) return
    const fiber = this.fork(work, { immediate: false })
    group.set(kind, fiber)
    fiber.addObserver((exit) => {
      group.delete(kind)
      if (this.#group !== group || Exit.isSuccess(exit)) return
      this.release()
      this.onFailure(exit.cause)
    })
  }

  /** Ends all. They may go on for a step. */
  release(): void {
    for (const fiber of this.#leave()) fiber.unsafeInterruptAsFork(FiberId.none)
  }

  /** Ends all, and waits until they have ended. */
  readonly stop: Effect.Effect<void> = Effect.suspend(() => Fiber.interruptAll(this.#leave()))

  #leave(): Iterable<Fiber.RuntimeFiber<void>> {
    const group = this.#group
    this.#group = new Map()
    return Array.from(group.values())
  }
}
