/** The two levels of a cache, with their fences: which entries are kept, and which may be returned. `Reads` has the rules. */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import { Sieve } from "../../src/internal/Sieve.js"
import type { Row } from "../CacheStore.js"
import type * as Clock from "../internal/clock.js"
import * as Measured from "../internal/measured.js"
import * as Metrics from "../Metrics.js"
import type { CallOptions } from "./Call.js"
import { Coverage } from "./Coverage.js"
import type { Decoder, Entry, Space } from "./Entry.js"
import * as Entries from "./Entry.js"
import { Fences } from "./Fences.js"
import type { Policy, Settings } from "./Options.js"
import type { Store } from "./Store.js"

/** Names whose fences also apply to an entry. `isTracked`: a feed raises one of these fences, or that of the entry itself. */
export interface Groups {
  readonly names: ReadonlyArray<string>
  readonly isTracked: boolean
}

/** A kind of cached items. */
export interface Kind<Answer> extends Decoder<Answer> {
  readonly name: string
  readonly space: Space
  readonly policy: Policy
  readonly ttlOf: (bytes: Uint8Array | undefined) => number
  /** Names whose fences also apply to this name. Some are found only by decoding the bytes. */
  readonly groupsOf: (name: string, bytes: Uint8Array | undefined) => Groups
  /** Whether the entry can be kept. False if its bytes cannot be decoded. */
  readonly isSound: (name: string, entry: Entry) => boolean
}

/** The answer of a source. */
export interface Loaded {
  readonly version: bigint
  readonly bytes: Uint8Array | undefined
  /** False for an answer that may be returned but not kept. */
  readonly isKept: boolean
}

/** The source of values. */
export interface Source<E> {
  /** Loads at least this version; `behind` if no node has it yet. */
  readonly load: (least: bigint) => Effect.Effect<Loaded | "behind" | "failed", E>
  /**
   * The failure of a read when no answer has reached that version in time. Without it, the read then ends as after
   * `failed`.
   */
  readonly lagging: ((least: bigint) => Effect.Effect<never, E>) | undefined
}

/** Maximum names in each of the two generations of fences. */
const FENCES = 32_768

const NO_BYTES = new Uint8Array(0)

/** Names of two rows beside the groups: the last stamp of a value, and the last invalidation of everything. */
const STAMP = "stamp"
const ALL = "all"

/** A row without a value. */
const fenceRow = (slot: bigint, readAt = 0): Row => ({ slot, readAt, state: "fence", value: NO_BYTES })

const reads = {
  memory: Metrics.cacheReadsOf("memory"),
  store: Metrics.cacheReadsOf("store"),
  stale: Metrics.cacheReadsOf("stale"),
  network: Metrics.cacheReadsOf("network")
}

/** Reads since the cache was made, by the level that answered. */
export type Counts = { -readonly [Outcome in keyof typeof reads]: number }

/** Whether the entry has this kind and decodes. A value may have been stored before its Schema changed. */
export const isOf = <Answer>(kind: Kind<Answer>, name: string, entry: Entry): boolean =>
  entry.kind === kind.name && (kind.space === "account" || kind.isSound(name, entry))

/** Both levels and their fences. */
export class Levels {
  readonly memory: Sieve<Entry>
  readonly fences = { account: new Fences(FENCES), value: new Fences(FENCES) }
  readonly counts: Counts = { memory: 0, store: 0, stale: 0, network: 0 }
  readonly coverage: Coverage
  /** Unix milliseconds. Rows of accounts that were read until then do not count. */
  #forgottenAt = -Infinity

  constructor(
    readonly settings: Settings,
    readonly scope: Scope.Scope,
    readonly store: Store | undefined
  ) {
    this.memory = new Sieve(settings)
    this.coverage = new Coverage(settings)
  }

  count<A, E>(fiber: Fiber.RuntimeFiber<A, E>, outcome: keyof Counts): void {
    this.counts[outcome]++
    Measured.update(fiber, reads[outcome], 1)
  }

  /** Keeps the entry in the first level, unless that has a higher version. */
  keep(name: string, entry: Entry): void {
    const known = this.memory.peek(name)
    if (known !== undefined && known.version > entry.version) return
    this.memory.set(name, entry, Entries.sizeOf(entry))
  }

  /** Keeps the entry in both levels. An entry whose bytes cannot be decoded is dropped. */
  admit<Answer>(kind: Kind<Answer>, name: string, entry: Entry): Effect.Effect<void> {
    if (!kind.isSound(name, entry)) return Effect.void
    this.keep(name, entry)
    return this.write(kind.space, name, {
      slot: entry.version,
      readAt: entry.readAt.wall,
      state: entry.bytes === undefined ? "absent" : "value",
      value: entry.bytes ?? NO_BYTES
    })
  }

  /** Queues a row for the second level. With a value or its fence goes its stamp, for {@link recall}. */
  write(space: Space | "group", name: string, row: Row): Effect.Effect<void> {
    const { store } = this
    if (store === undefined) return Effect.void
    const put = store.put(space, name, row)
    return space === "account" ? put : Effect.zipRight(put, store.put("group", STAMP, fenceRow(row.slot)))
  }

  /** Queues a row that lets only rows of this version or a later one replace the present one. */
  writeFence(space: Space | "group", name: string, version: bigint): Effect.Effect<void> {
    return this.write(space, name, fenceRow(version))
  }

  /** Invalidates the values below this stamp, and the rows of accounts that were read until now. */
  forget(stamp: bigint, now: number): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.#forget(stamp, now)
      return this.write("group", ALL, fenceRow(stamp, now))
    })
  }

  /**
   * Reads what an earlier process has left: its last invalidation of everything, and its last stamp. The clock may have
   * been set back since, but later stamps must be higher.
   */
  get recall(): Effect.Effect<bigint> {
    return Effect.withFiberRuntime((fiber) => {
      const { store } = this
      if (store === undefined) return Effect.succeed(0n)
      return Effect.flatMap(store.get(fiber, "group", ALL), (all) => {
        if (all !== undefined) this.#forget(all.slot, all.readAt)
        return Effect.map(store.get(fiber, "group", STAMP), (stamp) => stamp?.slot ?? 0n)
      })
    })
  }

  #forget(stamp: bigint, now: number): void {
    this.fences.value.raiseAll(stamp)
    this.#forgottenAt = Math.max(this.#forgottenAt, now)
  }

  /** Whether a row of the second level is at or above its fences. */
  isRowCurrent(space: Space, name: string, groups: ReadonlyArray<string>, { readAt, slot }: Row): boolean {
    return slot >= this.fenceOf(space, name, groups) && (space === "value" || readAt > this.#forgottenAt)
  }

  /** The lowest version of a name that a read may return. */
  fenceOf(space: Space, name: string, groups: ReadonlyArray<string>): bigint {
    const fences = this.fences[space]
    const own = fences.of(name)
    if (groups.length === 0) return own
    const groupsFence = fences.ofAll(groups)
    return groupsFence > own ? groupsFence : own
  }

  /** Raises the fence of a name in the first level. */
  fence(space: Space, name: string, version: bigint): void {
    this.fences[space].raise(name, version)
    const entry = this.memory.peek(name)
    if (entry !== undefined && entry.version < version) entry.isFenced = true
  }

  /** Whether the version of the entry is at or above its fences. */
  isCurrent(space: Space, { groups, isFenced, version }: Entry): boolean {
    return !isFenced && (groups.length === 0 || version >= this.fences[space].ofAll(groups))
  }

  /** The entry of the first level, if the call accepts it without a look at the store or the network. */
  hit<Answer>(now: Clock.Moment, kind: Kind<Answer>, name: string, call: CallOptions): Entry | undefined {
    const policy = call.policy ?? kind.policy
    if (policy === "bypass" || policy === "network-first") return undefined
    const entry = this.memory.get(name)
    if (entry === undefined || !isOf(kind, name, entry) || !this.isCurrent(kind.space, entry)) return undefined
    if (call.minSlot !== undefined && entry.version < call.minSlot) return undefined
    return Entries.age(now, entry) < this.coverage.ttlOf(entry) ? entry : undefined
  }
}
