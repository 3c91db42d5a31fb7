/**
 * The second level of `Cache`: rows that outlive the process, or that several caches share.
 *
 * A store keeps bytes under a key, without a notion of accounts. Every store follows three rules:
 *
 * - A row replaces another only if its slot is not lower. So a process that reads from a lagging node cannot undo the
 *   write of another process.
 * - A row has a checksum over its key and its bytes. A damaged row is removed and counts as a miss.
 * - A store may drop any row at any time, because all rows are copies.
 *
 * @since 0.1.0
 */
import type { KeyValueStore } from "@effect/platform/KeyValueStore"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Check from "../src/internal/check.js"
import * as Outside from "../src/internal/Outside.js"
import { printable } from "../src/internal/printable.js"
import { Sieve } from "../src/internal/Sieve.js"
import type { InvalidInput } from "../src/InvalidInput.js"
import * as Rows from "./cachestore/Row.js"
import type { Row } from "./cachestore/Row.js"
import * as Hex from "./internal/hex.js"
import { keyValueStore } from "./internal/keyValueStore.js"
import * as StoreFailure from "./internal/storeFailure.js"
import * as TestLayer from "./internal/testLayer.js"
import * as Metrics from "./Metrics.js"

export type { Row } from "./cachestore/Row.js"

/**
 * The store failed to read or write rows. Reads of a `Cache` never fail with this error: they go on without the store,
 * and the error is logged and counted.
 *
 * - `Corrupt`: the store's file is damaged or is not a store. It was replaced by a new one.
 * - `Full`: the device or the budget of bytes has no room, even after the oldest rows were removed.
 * - `Busy`: another process held the store for too long.
 * - `MissingPackage`: the runtime lacks `node:sqlite`, and the optional package is not installed.
 * - `Unavailable`: any other failure; `cause` has it.
 *
 * @since 0.1.0
 * @category errors
 */
export class CacheError extends printable(
  Schema.TaggedError<CacheError>("@pod-protocol/effect/CacheError")("CacheError", {
    reason: Schema.Literal("Corrupt", "Full", "Busy", "MissingPackage", "Unavailable"),
    cause: Schema.optional(Outside.Cause)
  })
) {
  /** False only for `MissingPackage`: the other conditions may pass. */
  get isRetryable(): boolean {
    return this.reason !== "MissingPackage"
  }

  override get message(): string {
    switch (this.reason) {
      case "Corrupt":
        return "The cache's file is damaged and was replaced by an empty one. Check the disk if this happens again"
      case "Full":
        return "The cache's store is full and accepts no more rows. Free space on the device, or raise maxBytes"
      case "Busy":
        return "Another process held the cache's store for too long. Give each busy process a folder of its own"
      case "MissingPackage":
        return "This runtime has no node:sqlite. Install @photostructure/sqlite 1.2.1, or use Node.js 22.13 or later"
      case "Unavailable":
        return `The cache's store failed: ${StoreFailure.explain(this.cause)}`
    }
  }
}

/**
 * The operations of a store.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * As `get`, of a store that does not wait, such as SQLite: reads when it is called. The result is an `Exit`, unless the
   * row is damaged and must be removed. A `Cache` reads such a store in one step of the fiber, and shares no answer with
   * other fibers. It must not retain the key, whose array is used again. Default: absent, for a store that waits.
   */
  readonly unsafeGet?: ((key: Uint8Array) => Effect.Effect<Option.Option<Row>, CacheError>) | undefined
  /** Reads the row under the key. A damaged row is removed, and the result is `None`. */
  readonly get: (key: Uint8Array) => Effect.Effect<Option.Option<Row>, CacheError>
  /** Stores each row, unless the row under its key has a higher slot. */
  readonly putMany: (rows: ReadonlyArray<readonly [key: Uint8Array, row: Row]>) => Effect.Effect<void, CacheError>
  /** Removes the row under the key. Without a row it has no effect. */
  readonly remove: (key: Uint8Array) => Effect.Effect<void, CacheError>
}

/**
 * A store of cached rows.
 *
 * @since 0.1.0
 * @category tags
 */
export class CacheStore extends Context.Tag("@pod-protocol/effect/CacheStore")<CacheStore, Service>() {}

/**
 * A row in the form that a backend stores.
 *
 * @since 0.1.0
 * @category models
 */
export interface Framed {
  readonly key: Uint8Array
  readonly slot: bigint
  /** The bytes to store, with the checksum. */
  readonly frame: Uint8Array
}

/**
 * The interface for your own store. Any failure becomes a `CacheError`, with reason `Unavailable` unless it is a
 * `CacheError` already.
 *
 * @since 0.1.0
 * @category models
 */
export interface Backend {
  /**
   * As `get`, of a backend that does not wait: reads when it is called, never throws, and does not retain the key.
   * Default: absent.
   */
  readonly unsafeGet?: ((key: Uint8Array) => Either.Either<Option.Option<Uint8Array>, unknown>) | undefined
  /** Returns the stored bytes, even if they are damaged: `make` verifies them. */
  readonly get: (key: Uint8Array) => Effect.Effect<Option.Option<Uint8Array>, unknown>
  /** Stores each row, unless the row under its key has a higher slot. It must not retain the arrays. */
  readonly putMany: (rows: ReadonlyArray<Framed>) => Effect.Effect<void, unknown>
  readonly remove: (key: Uint8Array) => Effect.Effect<void, unknown>
}

const isCacheError = Schema.is(CacheError)

const failed = (cause: unknown): CacheError =>
  isCacheError(cause) ? cause : new CacheError({ reason: "Unavailable", cause })

const typed = <A>(effect: Effect.Effect<A, unknown>): Effect.Effect<A, CacheError> =>
  Effect.catchAllCause(effect, (cause) => Effect.failCause(Cause.map(cause, failed)))

/**
 * A store over a backend. It adds a checksum to each row, and verifies it on every read.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (backend: Backend): Service => {
  const { unsafeGet } = backend
  const remove: Service["remove"] = (key) => typed(backend.remove(key))
  const rowOf = (key: Uint8Array, found: Option.Option<Uint8Array>): Effect.Effect<Option.Option<Row>, CacheError> => {
    if (Option.isNone(found)) return Effect.succeedNone
    const row = Rows.decode(key, found.value)
    return row === undefined
      ? Effect.as(Effect.zipRight(remove(key.slice()), Metric.increment(Metrics.cacheRowsDamaged)), Option.none())
      : Effect.succeedSome(row)
  }
  return CacheStore.of({
    unsafeGet:
      unsafeGet === undefined
        ? undefined
        : (key) => {
            const found = unsafeGet(key)
            return Either.isRight(found) ? rowOf(key, found.right) : Effect.fail(failed(found.left))
          },
    get: (key) => Effect.flatMap(typed(backend.get(key)), (found) => rowOf(key, found)),
    putMany: (rows) =>
      typed(
        Effect.suspend(() =>
          backend.putMany(rows.map(([key, row]) => ({ key, slot: row.slot, frame: Rows.encode(key, row) })))
        )
      ),
    remove
  })
}

/**
 * Options of the memory store.
 *
 * @since 0.1.0
 * @category models
 */
export interface MemoryOptions {
  /**
   * Maximum bytes of all rows with their keys. Default 64 MiB (67,108,864). Too low: rows are evicted before they are read
   * again. Too high: the process uses that much memory.
   */
  readonly maxBytes?: number | undefined
}

const DEFAULT_MAX_BYTES = 64 * 1024 * 1024

const memoryBackend = (maxBytes: number): Backend => {
  const rows = new Sieve<Omit<Framed, "key">>({ maxEntries: Number.MAX_SAFE_INTEGER, maxBytes })
  const unsafeGet = (key: Uint8Array): Either.Either<Option.Option<Uint8Array>> =>
    Either.right(Option.map(Option.fromNullable(rows.get(Hex.encode(key))), ({ frame }) => frame))
  return {
    unsafeGet,
    get: (key) => Effect.suspend(() => unsafeGet(key)),
    putMany: (framed) =>
      Effect.sync(() => {
        for (const { frame, key, slot } of framed) {
          const name = Hex.encode(key)
          const known = rows.peek(name)
          if (known === undefined || slot >= known.slot) rows.set(name, { slot, frame }, key.length + frame.length)
        }
      }),
    remove: (key) => Effect.sync(() => void rows.delete(Hex.encode(key)))
  }
}

/**
 * A store in this process's memory, which several caches of the process may share. `InvalidInput` for a `maxBytes` that
 * is not a whole number from 1.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerMemory = (options: MemoryOptions = {}): Layer.Layer<CacheStore, InvalidInput> =>
  Layer.effect(
    CacheStore,
    Effect.map(Check.integer("maxBytes", options.maxBytes ?? DEFAULT_MAX_BYTES, 1), (maxBytes) =>
      make(memoryBackend(maxBytes))
    )
  )

const KEY_PREFIX = "pod/cache/"

const decodeText = (text: string): Uint8Array => Either.getOrElse(Encoding.decodeBase64(text), () => new Uint8Array(0))

const nameOf = (key: Uint8Array): string => KEY_PREFIX + Hex.encode(key)

// Values are base64 text, because `KeyValueStore.prefix` does not add the prefix in `getUint8Array`.
const keyValueBackend = (store: KeyValueStore): Backend => {
  const get: Backend["get"] = (key) => Effect.map(store.get(nameOf(key)), Option.map(decodeText))
  const isNewer = ({ key, slot }: Framed) =>
    Effect.map(get(key), (kept) => {
      const row = Option.getOrUndefined(Option.map(kept, (frame) => Rows.decode(key, frame)))
      return row === undefined || slot >= row.slot
    })
  return {
    get,
    putMany: (rows) =>
      Effect.forEach(
        rows,
        (row) =>
          Effect.flatMap(isNewer(row), (newer) =>
            newer ? store.set(nameOf(row.key), Encoding.encodeBase64(row.frame)) : Effect.void
          ),
        { discard: true }
      ),
    remove: (key) => Effect.catchIf(store.remove(nameOf(key)), StoreFailure.isNotFound, () => Effect.void)
  }
}

/**
 * A store over any `KeyValueStore` of `@effect/platform`. Its keys begin with `pod/cache/`, so the application can
 * store other values there too; it never clears or counts the store. The `KeyValueStore` decides how much it keeps, and
 * how long. A row is compared and written in two steps: if two processes write one row at the same moment, the lower
 * slot may win.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerKeyValueStore: Layer.Layer<CacheStore, never, KeyValueStore> = Layer.effect(
  CacheStore,
  Effect.map(keyValueStore, (store) => make(keyValueBackend(store)))
)

/**
 * A test layer from stubs: a call to a missing method dies with the method's name. Without a stub for `unsafeGet`, the
 * store is one that waits.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerTest = (stubs: Partial<Service>): Layer.Layer<CacheStore> =>
  TestLayer.layer(CacheStore, { unsafeGet: undefined, ...stubs })
