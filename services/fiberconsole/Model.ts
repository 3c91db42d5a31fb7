/** What the console tells of fibers. */
import type * as Option from "effect/Option"

/**
 * A live fiber.
 *
 * @since 0.1.0
 * @category models
 */
export interface FiberView {
  readonly id: number
  /** The fiber that started it, unless it is not known. */
  readonly parent: Option.Option<number>
  readonly state: "running" | "suspended"
  /** The name of its own outermost span, or of the span in which it started, or `(no span)`. Fibers of one group do the same work. */
  readonly group: string
  /** The name of the span in which it is now. */
  readonly span: Option.Option<string>
  readonly ageMillis: number
  /** Since when it is suspended; 0 while it runs. */
  readonly waitsMillis: number
  /** The fibers whose end, or whose Deferred, it waits for. */
  readonly waitsFor: ReadonlyArray<number>
  /** Turns that it ran. 0 without a supervisor, as are all times of turns. */
  readonly polls: number
  readonly pollsPerSecond: number
  readonly busyMillis: number
  readonly idleMillis: number
  readonly longestPollMillis: number
  /** Whether it is not tied to a fiber: the one that started it has ended. */
  readonly isOrphan: boolean
  /** The lines of code in which it waits, the innermost first. Empty unless it was asked for. */
  readonly places: ReadonlyArray<string>
}

/**
 * Something that looks wrong.
 *
 * - `deadlock`: fibers wait for one another in a circle.
 * - `long poll`: one ran for more than 50 ms without a pause, so that sockets and timers had to wait.
 * - `spins`: one wakes more than 1000 times a second.
 * - `waits long`: one waits ten times as long as any of its group lived, of which at least ten ended.
 * - `piles up`: at least 100 of a group live, twice as many as five to ten seconds before.
 * - `orphan`: the fiber that started it has ended. That is right for a background fiber of a Scope.
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
  /** Fibers that have ended, as far as they were followed. */
  readonly ended: number
  /** Fibers that were too many to follow. */
  readonly untracked: number
}
