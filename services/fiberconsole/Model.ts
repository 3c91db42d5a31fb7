/** The models of the fiber console. */
import type * as Option from "effect/Option"

/**
 * A live fiber.
 *
 * @since 0.1.0
 * @category models
 */
export interface FiberView {
  readonly id: number
  /** The fiber that started it; none if unknown. */
  readonly parent: Option.Option<number>
  readonly state: "running" | "suspended"
  /**
   * The name of the fiber's own outermost span, or of the span in which it started, or `(no span)`. Fibers of one group
   * do the same work.
   */
  readonly group: string
  /** The name of the current span. */
  readonly span: Option.Option<string>
  readonly ageMillis: number
  /** Time since its suspension; 0 while it runs, and without a supervisor. */
  readonly waitsMillis: number
  /** The fibers for which it waits: for their end, or for a Deferred that they made. */
  readonly waitsFor: ReadonlyArray<number>
  /** Number of its turns. Without a supervisor, this and all times of turns are 0. */
  readonly polls: number
  readonly pollsPerSecond: number
  readonly busyMillis: number
  readonly idleMillis: number
  readonly longestPollMillis: number
  /** Whether the fiber that started it has ended. */
  readonly isOrphan: boolean
  /** The lines of code in which it waits, the innermost first. Empty unless the dump has the option `places`. */
  readonly places: ReadonlyArray<string>
}

/**
 * A suspected fault.
 *
 * - `deadlock`: fibers wait for one another in a circle.
 * - `long poll`: a fiber ran for more than 50 ms without a pause, so that sockets and timers had to wait.
 * - `spins`: a fiber wakes more than 1000 times a second.
 * - `waits long`: a fiber waits more than ten times as long as the longest life in its group, of which at least ten
 *   ended.
 * - `piles up`: at least 100 fibers of a group live, twice as many as five to ten seconds before.
 * - `orphan`: the fiber that started it has ended. This is normal for a background fiber of a Scope.
 *
 * @since 0.1.0
 * @category models
 */
export interface Lint {
  readonly kind: "deadlock" | "long poll" | "spins" | "waits long" | "piles up" | "orphan"
  /** At most 20. */
  readonly fibers: ReadonlyArray<number>
  readonly message: string
}

/**
 * All fibers at one moment.
 *
 * @since 0.1.0
 * @category models
 */
export interface Dump {
  readonly fibers: ReadonlyArray<FiberView>
  readonly lints: ReadonlyArray<Lint>
  /** Number of tracked fibers that have ended. */
  readonly ended: number
  /** Number of fibers beyond the tracking limit. */
  readonly untracked: number
}
