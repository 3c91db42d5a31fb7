/**
 * The fibers that run while transactions are in flight. At most one runs for each kind of work, and all end together.
 *
 * - If a fiber dies or is interrupted from outside, the others are interrupted and `onFailure` gets its cause.
 * - {@link Workers.release} and {@link Workers.stop} begin a new group. A fiber of an old group may continue for a step
 *   and end in any way: it neither counts for the new group, nor ends it.
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

  /** Runs the work in a fiber, which starts in a later step, unless one of that kind is running. */
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

  /** Ends all fibers. They may continue for a step. */
  release(): void {
    for (const fiber of this.#leave()) fiber.unsafeInterruptAsFork(FiberId.none)
  }

  /** Ends all fibers, and waits until they have ended. */
  readonly stop: Effect.Effect<void> = Effect.suspend(() => Fiber.interruptAll(this.#leave()))

  #leave(): Iterable<Fiber.RuntimeFiber<void>> {
    const group = this.#group
    this.#group = new Map()
    return Array.from(group.values())
  }
}
