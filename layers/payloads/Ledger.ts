/**
 * Quotas and expiry of payloads.
 *
 * - Each owner has a quota. An upload reserves its bytes before it writes them, and releases the unused rest.
 * - Changes to the copies of one hash run one at a time, so a put and an expiry cannot overlap.
 * - The wall clock decides when a payload expires. If the clock is set forward or back while the server runs, the time
 *   of the monotonic clock counts instead where the wall clock's would make a payload expire early.
 */
import { sha256 } from "@noble/hashes/sha2.js"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Clock from "../../services/internal/clock.js"
import * as Hex from "../../services/internal/hex.js"
import * as Metrics from "../../services/Metrics.js"
import type { Entry, Storage, StorageError, Upload } from "./Storage.js"

/** Additional bytes that each payload counts for, because even empty payloads use disk space. */
const OVERHEAD = 512

export interface Settings {
  /** Maximum bytes of one owner. */
  readonly quota: number
  /** Milliseconds from the last put. */
  readonly retention: number
}

/** The owner's quota is used up. */
export class QuotaExceeded {
  readonly _tag = "QuotaExceeded"
}

/** The bytes of an owner: stored, and reserved by uploads. */
interface Usage {
  kept: number
  reserved: number
}

/** Bytes that an upload may write. */
export interface Reservation {
  /** Reserves more bytes of the quota. */
  readonly take: (bytes: number) => Effect.Effect<void, QuotaExceeded>
}

export interface Ledger {
  /** The copies that have not expired. */
  readonly find: (key: string) => Effect.Effect<ReadonlyArray<Entry>, StorageError>
  /** Reserves bytes until the scope closes. */
  readonly reserve: (owner: string) => Effect.Effect<Reservation, QuotaExceeded, Scope.Scope>
  /** Stores bytes, at most 64 KiB, as the owner's copy, or renews the existing copy. */
  readonly put: (key: string, owner: string, bytes: Uint8Array) => Effect.Effect<void, QuotaExceeded | StorageError>
  /** Commits the upload as the owner's copy, or renews the existing copy. */
  readonly commit: (key: string, owner: string, size: number, upload: Upload) => Effect.Effect<void, StorageError>
  /** Renews the owner's copy. Returns false if there is none. */
  readonly renew: (key: string, owner: string) => Effect.Effect<boolean, StorageError>
  readonly remove: (key: string, owner: string) => Effect.Effect<void, StorageError>
  /** Removes expired copies. */
  readonly sweep: Effect.Effect<void, StorageError>
}

const LOCKS = 256

/** Whether the stored bytes match their hash. */
const isWhole = (storage: Storage, entry: Entry): Effect.Effect<boolean, StorageError> =>
  Effect.suspend(() => {
    const hash = sha256.create()
    return Effect.map(
      Stream.runForEach(storage.read(entry, 0, entry.size), (bytes) => Effect.sync(() => hash.update(bytes))),
      () => Hex.encode(hash.digest()) === entry.key
    )
  })

/** Stores bytes as one upload. */
const uploaded = (storage: Storage, entry: Entry, bytes: Uint8Array): Effect.Effect<void, StorageError> =>
  Effect.scoped(Effect.flatMap(storage.upload, (upload) => Effect.zipRight(upload.write(bytes), upload.commit(entry))))

export const make = (storage: Storage, { quota, retention }: Settings): Effect.Effect<Ledger, StorageError> => {
  const isOver = (at: number, now: number) => now - at >= retention
  return Effect.gen(function* () {
    const start = yield* Clock.currentMoment
    /** The present time by each clock. */
    const times = Effect.map(
      Clock.currentMoment,
      ({ monotonic, wall }) => [wall, start.wall + Math.max(0, monotonic - start.monotonic)] as const
    )
    /** The time for expiries, the earlier one. */
    const now = Effect.map(times, (both) => Math.min(...both))
    /** The date of a put, the later one: a date that is too late only delays the expiry. */
    const date = Effect.map(times, (both) => Math.max(...both))
    const locks = yield* Effect.all(Array.from({ length: LOCKS }, () => Effect.makeSemaphore(1)))
    const alone = <A, E>(key: string, effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
      Effect.suspend(() => locks[Number.parseInt(key.slice(0, 2), 16)]?.withPermits(1)(effect) ?? effect)

    const usages = new Map<string, Usage>()
    const usageOf = (owner: string): Usage => {
      const known = usages.get(owner)
      if (known !== undefined) return known
      const made = { kept: 0, reserved: 0 }
      usages.set(owner, made)
      return made
    }
    let total = 0
    const count = (owner: string, bytes: number) =>
      Effect.suspend(() => {
        const usage = usageOf(owner)
        usage.kept = Math.max(0, usage.kept + bytes)
        total = Math.max(0, total + bytes)
        return Metric.set(Metrics.payloadBytesStored, total)
      })

    const copyOf = (key: string, owner: string) =>
      Effect.map(storage.find(key), (entries) => entries.find((entry) => entry.owner === owner))
    const discard = (entry: Entry) => Effect.zipRight(storage.remove(entry), count(entry.owner, -entry.size - OVERHEAD))

    yield* Stream.runForEach(storage.list, ({ owner, size }) => count(owner, size + OVERHEAD))

    return {
      find: (key) =>
        Effect.zipWith(storage.find(key), now, (entries, now) => entries.filter(({ at }) => !isOver(at, now))),
      reserve: (owner) =>
        Effect.gen(function* () {
          const usage = usageOf(owner)
          let taken = 0
          const take = (bytes: number) =>
            Effect.suspend(() => {
              if (usage.kept + usage.reserved + bytes > quota) return Effect.fail(new QuotaExceeded())
              usage.reserved += bytes
              taken += bytes
              return Effect.void
            })
          yield* Effect.addFinalizer(() => Effect.sync(() => void (usage.reserved -= taken)))
          yield* take(OVERHEAD)
          return { take }
        }),
      put: (key, owner, bytes) =>
        alone(
          key,
          Effect.uninterruptible(
            Effect.gen(function* () {
              const before = yield* copyOf(key, owner)
              const at = yield* date
              if (before !== undefined && (yield* Effect.orElseSucceed(isWhole(storage, before), () => false))) {
                return yield* storage.touch({ ...before, at })
              }
              const usage = usageOf(owner)
              const size = bytes.length
              if (usage.kept + usage.reserved + size + OVERHEAD > quota) {
                return yield* Effect.fail(new QuotaExceeded())
              }
              usage.reserved += size + OVERHEAD
              const entry = { key, owner, size, at }
              yield* (storage.put?.(entry, bytes) ?? uploaded(storage, entry, bytes)).pipe(
                Effect.ensuring(Effect.sync(() => void (usage.reserved -= size + OVERHEAD)))
              )
              yield* count(owner, size - (before === undefined ? -OVERHEAD : before.size))
            })
          )
        ),
      commit: (key, owner, size, upload) =>
        alone(
          key,
          Effect.uninterruptible(
            Effect.gen(function* () {
              const before = yield* copyOf(key, owner)
              yield* upload.commit({ key, owner, size, at: yield* date })
              yield* count(owner, size - (before === undefined ? -OVERHEAD : before.size))
            })
          )
        ),
      renew: (key, owner) =>
        alone(
          key,
          Effect.gen(function* () {
            const entry = yield* copyOf(key, owner)
            if (entry === undefined) return false
            yield* storage.touch({ ...entry, at: yield* date })
            return true
          })
        ),
      remove: (key, owner) =>
        alone(
          key,
          Effect.flatMap(copyOf(key, owner), (entry) => (entry === undefined ? Effect.void : discard(entry)))
        ),
      sweep: Effect.flatMap(now, (now) =>
        storage.list.pipe(
          Stream.filter(({ at }) => isOver(at, now)),
          Stream.runForEach(({ key, owner }) =>
            alone(
              key,
              // The copy may have been renewed since it was listed.
              Effect.flatMap(copyOf(key, owner), (entry) =>
                entry !== undefined && isOver(entry.at, now) ? discard(entry) : Effect.void
              )
            )
          )
        )
      )
    }
  })
}
