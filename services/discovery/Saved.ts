/**
 * Saves the tables in a `CacheStore`, so that a restart need not list the program.
 *
 * The accounts of a table are divided into buckets by a hash of their address. A save writes only the changed buckets,
 * each under the one of its two keys that the last save did not use. The manifest comes last: it has the slot of the
 * state, and the key and checksum of each bucket.
 *
 * Invariants:
 * - A save overwrites no row that the latest manifest names. So after a kill, the older state is still complete.
 * - A missing, damaged or invalid row makes the whole state unusable, and so does a slot that the cluster has not
 *   reached. Then the manifest is removed, the case is counted and logged, and the program is listed.
 * - An account may be newer than the slot of the state, but never older: the slot is read first. Later events are
 *   applied again, which changes nothing.
 * - A changed bucket stays marked until a state contains it: an interrupted or failed save marks its buckets again.
 * - A store keeps the row with the higher slot. A row's slot is the number of the save, which rises even if the
 *   cluster's slot decreases.
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

/** The interface of a table to save. */
export interface Savable {
  readonly name: string
  /** Returns the buckets that changed since the last call. */
  readonly takeChanged: () => ReadonlySet<number>
  /** Marks buckets as changed again. */
  readonly markChanged: (buckets: Iterable<number>) => void
  /** All accounts, in no order. */
  readonly all: () => Iterable<Dated<Account>>
  /**
   * Decodes the saved accounts. Its `commit` makes them the table's content. `undefined` if one of them cannot be
   * decoded.
   */
  readonly prepare: (
    saved: ReadonlyArray<Buckets.Saved>
  ) => Effect.Effect<{ readonly commit: Effect.Effect<void> } | undefined>
}

/** The key of a bucket, and its checksum. Null for a bucket without accounts. */
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

/** Rows that are processed in one step. */
const PART = 1024

export interface Saved {
  /** Restores the tables if the store has a complete state whose slot the cluster has reached. Returns that slot. */
  readonly restore: <E>(hasReached: (slot: bigint) => Effect.Effect<boolean, E>) => Effect.Effect<bigint | undefined, E>
  /**
   * Saves the changes. Calls must not overlap. It never fails: a failure is counted and logged once, and the next save
   * includes its changes.
   */
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
      return Effect.zipRight(count, Effect.logWarning(`Discovery cannot save its index now. ${error.message}`, error))
    })

  /** Rejects the whole state. */
  const unusable = (why: string): Effect.Effect<undefined> =>
    Effect.logWarning(`Discovery lists the program, because its saved index cannot be used: ${why}`).pipe(
      Effect.zipRight(Metric.increment(Metrics.cacheRowsDamaged)),
      Effect.zipRight(Effect.catchAll(store.remove(manifestKey), failed)),
      Effect.as(undefined)
    )

  /** A failed read counts as a missing row. */
  const get = (key: Uint8Array): Effect.Effect<Option.Option<Row>> =>
    Effect.catchAll(store.get(key), (error) => Effect.as(failed(error), Option.none()))

  /** The accounts of a table. `undefined` if a bucket does not match the manifest. */
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
      if (manifest === undefined) return yield* unusable("its manifest is not valid")
      lastSave = manifest.save
      if (!(yield* hasReached(manifest.slot))) {
        return yield* unusable(`the cluster has not reached its slot ${manifest.slot}`)
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

  /** Collects the accounts of these buckets. */
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
        // The slot is read first. The saved accounts may contain later changes, but lack no earlier one.
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
