/**
 * Reads through two levels and the network, by the same rules for accounts and for application values.
 *
 * **Fences.** An invalidation raises the fence of a name: the lowest version that a read may return. These races are
 * possible, and none of them returns an older value:
 *
 * 1. Read begins → value changes → invalidation → read ends. The version is below the fence: it is neither kept nor
 *    returned, and the source is asked again for at least the fence.
 * 2. An invalidation without a version, during a read: the flight is marked, and its answer is handled as in 1.
 * 3. Two reads end in the wrong order, or a lagging endpoint answers last: the first level keeps the higher version.
 * 4. The second level has an older row, or another process writes one: a row replaces only rows of lower versions. A
 *    fence is a row too. Each row is compared with the fence after it was read.
 * 5. A fence is dropped, because their number is bounded: the minimum version of all names rises to that fence.
 *
 * **Flights.** Concurrent reads of one name share a flight. The first reader runs it in its own fiber. If that reader is
 * interrupted, the next one starts it again. A failure is never kept. A synchronous second level is read before a
 * flight begins.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Deadline from "../Deadline.js"
import * as Clock from "../internal/clock.js"
import * as Hot from "../internal/hot.js"
import * as Measured from "../internal/measured.js"
import { SharedWork } from "../internal/SharedWork.js"
import * as Metrics from "../Metrics.js"
import { RetryPolicy } from "../RetryPolicy.js"
import type { CallOptions } from "./Call.js"
import type { Entry } from "./Entry.js"
import * as Entries from "./Entry.js"
import { isOf, type Kind, type Levels, type Loaded, type Source } from "./Levels.js"

interface Failure {
  readonly isRetryable: boolean
}

/** A read in progress. */
interface Flight<E extends Failure> {
  readonly work: SharedWork<Entry | undefined, Source<E>, E>
  /** The lowest version that one of its readers accepts. */
  least: bigint
  /** One of its readers requires an answer from the network. */
  isNetworkAsked: boolean
  /** An invalidation came after the source was asked. */
  isOutdated: boolean
}

const MIN_PAUSE = 25
const MAX_PAUSE = 1000

const CACHE_FIRST: CallOptions = { policy: "cache-first" }

/** Maximum milliseconds of a background refresh. */
const REFRESH = 30_000

/** The flights of sources with one error type. */
export class Reads<E extends Failure> {
  readonly #levels: Levels
  readonly #flights = new Map<string, Flight<E>>()
  /** The number of calls of `outdate`. */
  #outdated = 0

  constructor(levels: Levels) {
    this.#levels = levels
  }

  /** Marks the flight of a name, so that it asks its source again. Without a name, it marks all flights. */
  outdate(name?: string): void {
    this.#outdated++
    if (name === undefined) {
      for (const flight of this.#flights.values()) flight.isOutdated = true
      return
    }
    const flight = this.#flights.get(name)
    if (flight !== undefined) flight.isOutdated = true
  }

  /**
   * Reads the entry by the policy of the call, which is not `bypass`. The caller runs in the fiber. `undefined` if the
   * source has failed. The parts that neither wait nor fail take no step of the fiber.
   */
  read<Answer>(
    fiber: Fiber.RuntimeFiber<unknown, unknown>,
    kind: Kind<Answer>,
    name: string,
    call: CallOptions,
    source: Source<E>
  ): Effect.Effect<Entry | undefined, E> {
    const now = Clock.moment(fiber)
    const fresh = this.#levels.hit(now, kind, name, call)
    if (fresh !== undefined) {
      this.#levels.count(fiber, "memory")
      return Effect.succeed(fresh)
    }
    const policy = call.policy ?? kind.policy
    const old = policy === "stale-while-revalidate" ? this.#usable(fiber, kind, name, call) : undefined
    if (old !== undefined) {
      this.#levels.count(fiber, "stale")
      return Effect.as(this.#refresh(fiber, kind, name, source), old)
    }
    const least = call.minSlot ?? 0n
    const asked =
      policy === "network-first"
        ? this.#fly(fiber, kind, name, source, least, true)
        : this.#look(fiber, now, kind, name, source, least)
    if (policy !== "network-first" && call.stale !== "allow") return asked
    const fallback = (): Entry | undefined =>
      call.stale === "allow" ? this.#any(kind, name) : this.#usable(fiber, kind, name, call)
    return Effect.matchEffect(asked, {
      onFailure: (error) => {
        const kept = error.isRetryable ? fallback() : undefined
        if (kept === undefined) return Effect.fail(error)
        this.#levels.count(fiber, "stale")
        return Effect.succeed(kept)
      },
      onSuccess: (entry) => Effect.succeed(entry ?? fallback())
    })
  }

  /** Reads the row of a synchronous second level. If the row does not suffice, starts a flight. */
  #look<Answer>(
    fiber: Fiber.RuntimeFiber<unknown, unknown>,
    now: Clock.Moment,
    kind: Kind<Answer>,
    name: string,
    source: Source<E>,
    least: bigint
  ): Effect.Effect<Entry | undefined, E> {
    if (this.#levels.store?.synchronous !== true || this.#flights.has(name)) {
      return this.#fly(fiber, kind, name, source, least, false)
    }
    const outdated = this.#outdated
    return Hot.flatMapExit(
      this.fromStore(fiber, now, kind, name, () => this.#outdated !== outdated),
      (entry) => {
        if (entry === undefined || !this.#isEnough(now, name, entry, least)) {
          return this.#fly(fiber, kind, name, source, least, false)
        }
        this.#levels.count(fiber, "store")
        return Effect.succeed(entry)
      }
    )
  }

  /** Whether a row may be returned. */
  #isEnough(now: Clock.Moment, name: string, entry: Entry, least: bigint): boolean {
    return (
      entry.version >= least &&
      // The first level may have a higher version, which has outlived its time to live.
      entry.version >= (this.#levels.memory.peek(name)?.version ?? 0n) &&
      Entries.age(now, entry) < this.#levels.coverage.ttlOf(entry)
    )
  }

  /** Reads the row of the second level into the first, for a caller in this fiber. */
  fromStore<Answer>(
    fiber: Fiber.RuntimeFiber<unknown, unknown>,
    now: Clock.Moment,
    kind: Kind<Answer>,
    name: string,
    isOutdated: () => boolean = () => false
  ): Effect.Effect<Entry | undefined> {
    const { store } = this.#levels
    if (store === undefined) return Effect.succeed(undefined)
    return Hot.flatMapExit(store.get(fiber, kind.space, name), (row) => {
      if (row === undefined) return Effect.succeed(undefined)
      if (row.state === "fence") {
        this.#levels.fence(kind.space, name, row.slot)
        return Effect.succeed(undefined)
      }
      const bytes = row.state === "value" ? row.value : undefined
      const { isTracked, names: groups } = kind.groupsOf(name, bytes)
      const admit = (): Effect.Effect<Entry | undefined> => {
        const entry: Entry = {
          kind: kind.name,
          version: row.slot,
          readAt: { monotonic: now.monotonic - (now.wall - row.readAt), wall: row.readAt },
          ttl: kind.ttlOf(bytes),
          bytes,
          groups,
          isTracked,
          isFenced: false,
          decoded: undefined
        }
        if (isOutdated() || !this.#levels.isRowCurrent(kind.space, name, groups, row)) return Effect.succeed(undefined)
        if (!kind.isSound(name, entry)) return Effect.as(store.remove(kind.space, name), undefined)
        this.#levels.keep(name, entry)
        return Effect.succeed(entry)
      }
      return groups.length === 0 ? admit() : Effect.flatMap(this.#learnFences(kind, groups), admit)
    })
  }

  /** Adopts the fences of groups that other processes have raised. */
  #learnFences<Answer>(kind: Kind<Answer>, groups: ReadonlyArray<string>): Effect.Effect<void> {
    const { fences, store } = this.#levels
    if (store === undefined || groups.length === 0) return Effect.void
    return Effect.forEach(
      groups,
      (group) =>
        Effect.withFiberRuntime<void>((fiber) =>
          Effect.map(store.get(fiber, "group", group), (row) => {
            if (row !== undefined) fences[kind.space].raise(group, row.slot)
          })
        ),
      { discard: true }
    )
  }

  /** An entry of any age and version. */
  #any<Answer>(kind: Kind<Answer>, name: string): Entry | undefined {
    const entry = this.#levels.memory.peek(name)
    return entry !== undefined && isOf(kind, name, entry) ? entry : undefined
  }

  /** An entry without a later invalidation, at most `maxStale` past its time to live. */
  #usable<Answer>(
    fiber: Fiber.RuntimeFiber<unknown, unknown>,
    kind: Kind<Answer>,
    name: string,
    { minSlot = 0n }: CallOptions
  ): Entry | undefined {
    const entry = this.#any(kind, name)
    if (entry === undefined || entry.version < minSlot || !this.#levels.isCurrent(kind.space, entry)) return undefined
    return Entries.age(Clock.moment(fiber), entry) < this.#levels.coverage.ttlOf(entry) + this.#levels.settings.maxStale
      ? entry
      : undefined
  }

  /** An entry that arrived in the first level during the flight, if its version is high enough. */
  #current<Answer>(kind: Kind<Answer>, name: string, { isNetworkAsked, least }: Flight<E>): Entry | undefined {
    const entry = this.#any(kind, name)
    return entry !== undefined &&
      !isNetworkAsked &&
      entry.version >= least &&
      entry.version >= this.#levels.fenceOf(kind.space, name, entry.groups) &&
      this.#levels.isCurrent(kind.space, entry)
      ? entry
      : undefined
  }

  /** Refreshes the entry in the background, unless a refresh is in progress. */
  #refresh<Answer>(
    fiber: Fiber.RuntimeFiber<unknown, unknown>,
    kind: Kind<Answer>,
    name: string,
    source: Source<E>
  ): Effect.Effect<void> {
    if (this.#flights.has(name)) return Effect.void
    const refresh = Effect.withFiberRuntime<Entry | undefined, E>((fiber) => {
      // Another refresh may have ended before this fiber started.
      const fresh = this.#levels.hit(Clock.moment(fiber), kind, name, CACHE_FIRST)
      return fresh === undefined ? this.#fly(fiber, kind, name, source, 0n, true) : Effect.succeed(fresh)
    })
    // Interruptible even if its reader is not, because the scope waits for it.
    return Deadline.at(Clock.monotonic(fiber) + REFRESH)(refresh).pipe(
      Effect.ignore,
      Effect.interruptible,
      Effect.forkIn(this.#levels.scope),
      Effect.asVoid
    )
  }

  /** Joins the flight of this name, or starts it. */
  #fly<Answer>(
    fiber: Fiber.RuntimeFiber<unknown, unknown>,
    kind: Kind<Answer>,
    name: string,
    source: Source<E>,
    least: bigint,
    isNetworkAsked: boolean
  ): Effect.Effect<Entry | undefined, E> {
    const member = {
      item: source,
      deadline: Deadline.of(fiber),
      policy: Context.get(fiber.currentContext, RetryPolicy)
    }
    const known = this.#flights.get(name)
    if (known?.work.admits(member) === true) {
      if (least > known.least) known.least = least
      if (isNetworkAsked) known.isNetworkAsked = true
      return known.work.join(member)
    }
    const flight: Flight<E> = {
      work: new SharedWork<Entry | undefined, Source<E>, E>(member, {
        run: (members) =>
          Effect.map(
            Effect.withFiberRuntime<Entry | undefined, E>((fiber) =>
              this.#find(fiber, kind, name, flight, members()[0]?.item ?? source)
            ),
            (entry) => () => Effect.succeed(entry)
          ),
        ended: () => {
          if (this.#flights.get(name) === flight) this.#flights.delete(name)
        }
      }),
      least,
      isNetworkAsked,
      isOutdated: false
    }
    // A reader that cannot join the flight makes its own, which nobody joins.
    if (known === undefined) this.#flights.set(name, flight)
    return flight.work.lead()
  }

  #find<Answer>(
    fiber: Fiber.RuntimeFiber<unknown, unknown>,
    kind: Kind<Answer>,
    name: string,
    flight: Flight<E>,
    source: Source<E>
  ): Effect.Effect<Entry | undefined, E> {
    flight.isOutdated = false
    return Effect.flatMap(
      this.fromStore(fiber, Clock.moment(fiber), kind, name, () => flight.isOutdated),
      (entry) => {
        const now = Clock.moment(fiber)
        if (entry === undefined || flight.isNetworkAsked || !this.#isEnough(now, name, entry, flight.least)) {
          return this.#fromSource(kind, name, flight, source)
        }
        this.#levels.count(fiber, "store")
        return Effect.succeed(entry)
      }
    )
  }

  /** Asks the source until the version of its answer is high enough, for a limited time. */
  readonly #fromSource = Effect.fnUntraced(function* <Answer>(
    this: Reads<E>,
    kind: Kind<Answer>,
    name: string,
    flight: Flight<E>,
    source: Source<E>
  ): Effect.fn.Return<Entry | undefined, E> {
    const levels = this.#levels
    const startedAt = yield* Clock.monotonicMillis
    const giveUpAt = Math.min(startedAt + levels.settings.catchUp, yield* Deadline.Deadline)
    let pause = MIN_PAUSE
    while (true) {
      const known = levels.memory.peek(name)
      const fence = levels.fenceOf(kind.space, name, known?.groups ?? [])
      const needed = fence > flight.least ? fence : flight.least
      const least = known !== undefined && kind.space === "account" && known.version > needed ? known.version : needed
      flight.isOutdated = false
      // The age counts from here: the answer may be of any time since, before a change that no feed has reported.
      const readAt = yield* Clock.currentMoment
      const loaded = yield* source.load(least)
      if (loaded === "failed") return undefined
      if (loaded !== "behind") {
        const { isTracked, names: groups } = kind.groupsOf(name, loaded.bytes)
        const entry: Entry = {
          kind: kind.name,
          version: loaded.version,
          readAt,
          ttl: kind.ttlOf(loaded.bytes),
          bytes: loaded.bytes,
          groups,
          isTracked,
          isFenced: false,
          decoded: undefined
        }
        const isLateEnough =
          !flight.isOutdated &&
          entry.version >= flight.least &&
          entry.version >= levels.fenceOf(kind.space, name, entry.groups)
        if (isLateEnough) {
          yield* this.#accept(kind, name, entry, loaded)
          return entry
        }
        yield* Effect.withFiberRuntime<void>((fiber) => {
          Measured.update(fiber, Metrics.cacheFenced, 1)
          return Effect.void
        })
        const kept = this.#current(kind, name, flight)
        if (kept !== undefined) return kept
      }
      const now = yield* Clock.monotonicMillis
      if (source.lagging === undefined) {
        // A slow load, too, is made again once.
        if (readAt.monotonic >= giveUpAt) return undefined
      } else if (now + (loaded === "behind" ? pause : 0) >= giveUpAt) return yield* source.lagging(least)
      if (loaded === "behind") {
        yield* Effect.sleep(pause)
        pause = Math.min(2 * pause, MAX_PAUSE)
      }
    }
  })

  #accept<Answer>(kind: Kind<Answer>, name: string, entry: Entry, { isKept }: Loaded): Effect.Effect<void> {
    return Effect.withFiberRuntime((fiber) => {
      this.#levels.count(fiber, "network")
      return isKept ? this.#levels.admit(kind, name, entry) : Effect.void
    })
  }
}
