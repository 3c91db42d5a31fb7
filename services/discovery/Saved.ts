/**
 * The tables in a `CacheStore`, so that a restart need not list the program.
 *
 * The accounts of a table lie in buckets by a hash of their address. Only buckets that changed are written, each under one of
 * two keys in turn. Last comes the manifest: the slot of the state, and of each bucket the key and the checksum.
 *
 * Invariants:
 * - Nothing that the latest manifest names is overwritten before the next manifest is there. So a process that is killed
 *   leaves the older state whole.
 * - What is missing, damaged or of another form makes the state unusable as a whole. It is counted, the manifest is removed,
 *   and the program is listed. So is a state of a higher slot than the cluster has reached.
 * - An account may be newer than the slot of the state, never older: the slot is read first. Events behind it are applied
 *   again, which changes nothing.
 * - A change is marked until it is in a state: an interrupted or failed save marks what it took again.
 * - A store keeps the row of the higher slot. Here the number of the save stands in: it rises even if the slot goes back.
 */
import type { Address, Blockhash } from "@solana/kit"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { crc32 } from "../../src/internal/crc32.js"
import type { Account } from "../../src/protocol/Account.js"
import { CacheError, type Row, type Service as CacheStore } from "../CacheStore.js"
import * as Turns from "../internal/eventLoop.js"
import * as StoreKey from "../internal/storeKey.js"
import * as Metrics from "../Metrics.js"
import * as Buckets from "./bucket.js"
import type { Dated } from "./SearchIndex.js"

/** What is saved of a table. */
export interface Savable {
  readonly name: string
  /** The buckets that changed since the last call. */
  readonly takeChanged: () => ReadonlySet<number>
  /** Takes buckets as changed again. */
  readonly markChanged: (buckets: Iterable<number>) => void
  /** The accounts in no order. */
  readonly all: () => Iterable<Dated<Account>>
  /** Decodes what was saved and makes it the table's content when `commit` runs; none if a part cannot be decoded. */
  readonly prepare: (
    saved: ReadonlyArray<Buckets.Saved>
  ) => Effect.Effect<{ readonly commit: Effect.Effect<void> } | undefined>
}

/** Where a bucket lies, and its checksum. Null for a bucket without accounts. */
const Place = Schema.NullOr(Schema.Tuple(Schema.Literal(0, 1), Schema.Number))

const Manifest = Schema.parseJson(
  Schema.Struct({
    version: Schema.Literal(1),
    /** The number of the save. */
    save: Schema.BigInt,
    slot: Schema.BigInt,
    tables: Schema.Record({ key: Schema.String, value: Schema.Array(Place).pipe(Schema.itemsCount(Buckets.BUCKETS)) })
  })
)

type Places = ReadonlyArray<typeof Place.Type>

const NO_PLACES: Places = Array.from({ length: Buckets.BUCKETS }, () => null)

const decodeManifest = Schema.decodeUnknownOption(Manifest)
const encodeManifest = Schema.encodeSync(Manifest)

const utf8 = new TextEncoder()
const text = new TextDecoder()

/** Rows that are looked at in one step. */
const PART = 1024

export interface Saved {
  /** Restores the tables if a whole state is there whose slot the cluster has reached. Gives that slot. */
  readonly restore: <E>(hasReached: (slot: bigint) => Effect.Effect<boolean, E>) => Effect.Effect<bigint | undefined, E>
  /** Saves what changed; not twice at a time. Never fails: a failure is counted, logged once, and the next save includes what this one lacks. */
  readonly save: (slot: () => bigint) => Effect.Effect<void>
}

export const make = (
  store: CacheStore,
  { genesis, name, program }: { readonly genesis: Blockhash; readonly program: Address; readonly name: string },
  tables: ReadonlyArray<Savable>
): Saved => {
  const keyOf = StoreKey.make(genesis, program)
  const manifestKey = keyOf("discovery", utf8.encode(`${name}/manifest`))
  const bucketKey = (table: string, bucket: number, side: 0 | 1) =>
    keyOf("discovery", utf8.encode(`${name}/${table}/${bucket}/${side}`))

  let places: Readonly<Record<string, Places>> = {}
  let lastSave = 0n
  let lastSlot: bigint | undefined
  let isFailing = false

  const failed = (error: CacheError): Effect.Effect<void> =>
    Effect.suspend(() => {
      const count = Metric.increment(Metrics.cacheErrorsOf(error.reason))
      if (isFailing) return count
      isFailing = true
      return Effect.zipRight(count, Effect.logWarning(`Discovery's index is not saved now. ${error.message}`, error))
    })

  /** Nothing of the state is used. */
  const unusable = (why: string): Effect.Effect<undefined> =>
    Effect.logWarning(`Discovery lists the program, since its saved index cannot be used: ${why}`).pipe(
      Effect.zipRight(Metric.increment(Metrics.cacheRowsDamaged)),
      Effect.zipRight(Effect.catchAll(store.remove(manifestKey), failed)),
      Effect.as(undefined)
    )

  /** A store that fails has nothing. */
  const get = (key: Uint8Array): Effect.Effect<Option.Option<Row>> =>
    Effect.catchAll(store.get(key), (error) => Effect.as(failed(error), Option.none()))

  /** The accounts of a table; none where a bucket is not what the manifest says. */
  const read = (table: string, places: Places): Effect.Effect<ReadonlyArray<Buckets.Saved> | undefined> =>
    Effect.gen(function* () {
      const all: Array<Buckets.Saved> = []
      for (const [bucket, place] of places.entries()) {
        if (place === null) continue
        yield* Turns.next
        const row = Option.getOrUndefined(yield* get(bucketKey(table, bucket, place[0])))
        const saved = row === undefined || crc32(row.value) !== place[1] ? undefined : Buckets.decode(row.value)
        if (saved === undefined) return undefined
        for (const account of saved) all.push(account)
      }
      return all
    })

  const restore = <E>(hasReached: (slot: bigint) => Effect.Effect<boolean, E>): Effect.Effect<bigint | undefined, E> =>
    Effect.gen(function* () {
      const row = Option.getOrUndefined(yield* get(manifestKey))
      if (row === undefined) return undefined
      const manifest = Option.getOrUndefined(decodeManifest(text.decode(row.value)))
      if (manifest === undefined) return yield* unusable("it has another form")
      lastSave = manifest.save
      if (!(yield* hasReached(manifest.slot))) {
        return yield* unusable(`it is of slot ${manifest.slot}, which the cluster has not reached`)
      }
      const commits: Array<Effect.Effect<void>> = []
      for (const table of tables) {
        const own = manifest.tables[table.name]
        if (own === undefined) return yield* unusable(`it has no ${table.name}`)
        const saved = yield* read(table.name, own)
        const prepared = saved === undefined ? undefined : yield* table.prepare(saved)
        if (prepared === undefined) return yield* unusable(`a part of its ${table.name} is missing or damaged`)
        commits.push(prepared.commit)
      }
      yield* Effect.all(commits, { discard: true })
      places = manifest.tables
      lastSlot = manifest.slot
      return manifest.slot
    })

  /** The accounts of these buckets. */
  const collect = function* (
    table: Savable,
    buckets: ReadonlySet<number>
  ): Generator<void, ReadonlyMap<number, ReadonlyArray<Dated<Account>>>> {
    const found = new Map<number, Array<Dated<Account>>>()
    let seen = 0
    for (const row of table.all()) {
      const bucket = Buckets.bucketOf(row.address)
      if (buckets.has(bucket)) {
        const rows = found.get(bucket)
        if (rows === undefined) found.set(bucket, [row])
        else rows.push(row)
      }
      if (++seen % PART === 0) yield
    }
    return found
  }

  const write = (slot: bigint, changed: ReadonlyArray<ReadonlySet<number>>): Effect.Effect<void, CacheError> =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const number = lastSave + 1n > BigInt(now) ? lastSave + 1n : BigInt(now)
      const rowOf = (value: Uint8Array) => ({ slot: number, readAt: now, state: "value" as const, value })
      const next: Record<string, Places> = {}
      for (const [index, table] of tables.entries()) {
        const buckets = changed[index] ?? new Set()
        const rows = yield* Turns.steps(() => collect(table, buckets))
        const own = [...(places[table.name] ?? NO_PLACES)]
        for (const bucket of buckets) {
          yield* Turns.next
          const accounts = rows.get(bucket) ?? []
          const value = yield* Either.mapLeft(
            Buckets.encode(accounts),
            (cause) => new CacheError({ reason: "Unavailable", cause })
          )
          const side = own[bucket]?.[0] === 0 ? 1 : 0
          if (accounts.length > 0) yield* store.putMany([[bucketKey(table.name, bucket, side), rowOf(value)]])
          own[bucket] = accounts.length > 0 ? [side, crc32(value)] : null
        }
        next[table.name] = own
      }
      const manifest = encodeManifest({ version: 1, save: number, slot, tables: next })
      yield* store.putMany([[manifestKey, rowOf(utf8.encode(manifest))]])
      places = next
      lastSave = number
      lastSlot = slot
      isFailing = false
    })

  const save = (slotNow: () => bigint): Effect.Effect<void> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.suspend(() => {
        // The slot first: what changes from here on may be in the accounts that are written, and may not.
        const slot = slotNow()
        const changed = tables.map((table) => table.takeChanged())
        if (slot === lastSlot && changed.every(({ size }) => size === 0)) return Effect.void
        return restore(write(slot, changed)).pipe(
          Effect.onExit((exit) =>
            Effect.sync(() => {
              if (Exit.isFailure(exit)) tables.forEach((table, index) => table.markChanged(changed[index] ?? []))
            })
          ),
          Effect.catchAll(failed)
        )
      })
    )

  return { restore, save }
}
