/**
 * Tracks fibers: a supervisor that runs at each start, turn and end of a fiber.
 *
 * It holds only live fibers. For ended fibers it keeps sums by group, for at most 256 groups. It runs in the path of
 * each fiber, so it does little: four readings of the clock and one map entry.
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Supervisor from "effect/Supervisor"
import type * as Tracer from "effect/Tracer"
import * as SafeText from "../../src/SafeText.js"

type AnyFiber = Fiber.RuntimeFiber<unknown, unknown>

export interface Tracked {
  readonly fiber: AnyFiber
  /** The fiber's own outermost span, known when the fiber first suspends. Until then, the span in which it started. */
  group: string
  readonly startSpan: Tracer.AnySpan | undefined
  readonly parent: AnyFiber | undefined
  readonly startedAt: number
  /** Time at which the current turn began, or the last one ended. */
  changedAt: number
  isRunning: boolean
  polls: number
  busyMillis: number
  longestMillis: number
  /** Start and turns of the current second, and the rate of the previous one. */
  windowAt: number
  windowPolls: number
  pollsPerSecond: number
}

export interface Group {
  live: number
  ended: number
  longestLifeMillis: number
  /** Time of `liveNoted`; `liveBefore` is the value one period earlier. */
  notedAt: number
  liveNoted: number | undefined
  liveBefore: number | undefined
}

/** Maximum groups. Fibers of further groups count as {@link OTHER}. */
const MAX_GROUPS = 256
const OTHER = "(other)"

/** Maximum tracked fibers. Further ones are only counted. */
const MAX_TRACKED = 100_000

const WINDOW_MILLIS = 1000

/** Time between two notes of a group's size. */
const GROWTH_MILLIS = 5000

const NO_SPAN = "(no span)"

export const groupOf = ({ currentSpan }: Pick<AnyFiber, "currentSpan">): string =>
  currentSpan?._tag === "Span" ? currentSpan.name : NO_SPAN

/** A group's name, made safe to show: span names may contain any text. */
export const shownGroup = (name: string): string => SafeText.make(name, 100)

/** Maximum ancestors of a span that are searched. */
const MAX_DEPTH = 64

/** The outermost span below the one in which the fiber started. */
const ownSpan = ({ fiber, group, startSpan }: Tracked): string => {
  let at: Tracer.AnySpan | undefined = fiber.currentSpan
  let own = group
  for (let depth = 0; depth < MAX_DEPTH && at !== startSpan && at?._tag === "Span"; depth++) {
    own = at.name
    at = Option.getOrUndefined(at.parent)
  }
  return own
}

export class Tracker extends Supervisor.AbstractSupervisor<void> {
  readonly value = Effect.void
  readonly live = new Map<number, Tracked>()
  readonly groups = new Map<string, Group>()
  untracked = 0

  constructor(readonly now: () => number) {
    super()
  }

  override onStart<A, E, R>(
    _: Context.Context<R>,
    __: Effect.Effect<A, E, R>,
    parent: Option.Option<AnyFiber>,
    fiber: Fiber.RuntimeFiber<A, E>
  ): void {
    if (this.live.size >= MAX_TRACKED) {
      this.untracked++
      return
    }
    const now = this.now()
    this.live.set(fiber.id().id, {
      fiber,
      group: this.#enter(groupOf(fiber), now),
      startSpan: fiber.currentSpan,
      parent: Option.getOrUndefined(parent),
      startedAt: now,
      changedAt: now,
      isRunning: false,
      polls: 0,
      busyMillis: 0,
      longestMillis: 0,
      windowAt: now,
      windowPolls: 0,
      pollsPerSecond: 0
    })
  }

  override onResume<A, E>(fiber: Fiber.RuntimeFiber<A, E>): void {
    const tracked = this.live.get(fiber.id().id)
    if (tracked === undefined) return
    const now = this.now()
    tracked.isRunning = true
    tracked.changedAt = now
    tracked.polls++
    tracked.windowPolls++
    const elapsed = now - tracked.windowAt
    if (elapsed < WINDOW_MILLIS) return
    tracked.pollsPerSecond = (tracked.windowPolls / elapsed) * 1000
    tracked.windowAt = now
    tracked.windowPolls = 0
  }

  override onSuspend<A, E>(fiber: Fiber.RuntimeFiber<A, E>): void {
    const tracked = this.live.get(fiber.id().id)
    if (tracked === undefined || !tracked.isRunning) return
    const now = this.now()
    const turn = now - tracked.changedAt
    tracked.isRunning = false
    tracked.changedAt = now
    tracked.busyMillis += turn
    if (tracked.polls === 1) this.#regroup(tracked, now)
    if (turn > tracked.longestMillis) tracked.longestMillis = turn
  }

  override onEnd<A, E>(_: Exit.Exit<A, E>, fiber: Fiber.RuntimeFiber<A, E>): void {
    const id = fiber.id().id
    const tracked = this.live.get(id)
    if (tracked === undefined) return
    this.live.delete(id)
    const now = this.now()
    const counts = this.#group(tracked.group, now)
    counts.live--
    counts.ended++
    counts.longestLifeMillis = Math.max(counts.longestLifeMillis, now - tracked.startedAt)
  }

  #regroup(tracked: Tracked, now: number): void {
    const own = ownSpan(tracked)
    if (own === tracked.group) return
    this.#group(tracked.group, now).live--
    tracked.group = this.#enter(own, now)
  }

  /** Counts a fiber of a group, and returns the group's name. */
  #enter(name: string, now: number): string {
    const group = this.groups.has(name) || this.groups.size < MAX_GROUPS ? name : OTHER
    const counts = this.#group(group, now)
    counts.live++
    if (now - counts.notedAt >= GROWTH_MILLIS) {
      counts.notedAt = now
      counts.liveBefore = counts.liveNoted
      counts.liveNoted = counts.live
    }
    return group
  }

  #group(name: string, now: number): Group {
    const found = this.groups.get(name)
    if (found !== undefined) return found
    const made = { live: 0, ended: 0, longestLifeMillis: 0, notedAt: now, liveNoted: undefined, liveBefore: undefined }
    this.groups.set(name, made)
    return made
  }
}
