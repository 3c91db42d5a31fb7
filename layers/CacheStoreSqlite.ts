/**
 * A cache's store in an SQLite file, with the API of `node:sqlite`.
 *
 * Node.js includes this module from version 22.13. Earlier versions need the optional package `@photostructure/sqlite`
 * 1.2.1, which has the same API. It is loaded when the layer is built.
 *
 * - The files of the folder together never exceed `maxBytes`. At the limit, the least recently used rows are removed. A
 *   row above 1 KB may also remove rows beside them in the file.
 * - Several processes may share a folder. Each reads the rows that the others wrote.
 * - After a kill, each row is whole or absent. A damaged file, or one that is not a database, is replaced by an empty
 *   one. The operation that found it fails with `CacheError`, which `Cache` logs.
 *
 * LMDB is not an alternative: with it, a damaged file or a full disk ends the process, while a store needs a
 * `CacheError`.
 *
 * @since 0.1.0
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as CacheStore from "../services/CacheStore.js"
import * as Check from "../src/internal/check.js"
import { InvalidInput } from "../src/InvalidInput.js"
import * as Sqlite from "./internal/Sqlite.js"

/**
 * The options of the store.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The folder of the files. It is created if it does not exist, accessible only to the user of the process. */
  readonly directory: string
  /**
   * Maximum bytes of all files in the folder, at least 1 MiB. Default 100 MiB (104,857,600). Too low: rows are removed
   * before they are read again. Too high: more disk is used. If an earlier run has left a larger file, the store
   * empties it.
   */
  readonly maxBytes?: number | undefined
}

const MEBIBYTE = 1024 * 1024

const DEFAULT_MAX_BYTES = 100 * MEBIBYTE

/** How long the start waits for another process that creates or empties the file: about five seconds. */
const OPENING = {
  while: ({ reason }: CacheStore.CacheError) => reason === "Busy",
  schedule: Schedule.intersect(Schedule.jittered(Schedule.spaced("100 millis")), Schedule.recurs(50))
}

/**
 * Opens the store. The scope closes it. `CacheError` with reason `MissingPackage` if the runtime has no SQLite, `Busy` if
 * another process holds the file for seconds, and with another reason if the folder cannot be used.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options
): Effect.Effect<CacheStore.Service, CacheStore.CacheError | InvalidInput, Scope.Scope> =>
  Effect.gen(function* () {
    const { directory } = options
    if (typeof directory !== "string" || directory === "") {
      return yield* new InvalidInput({ field: "directory", rule: "must be the path of a folder" })
    }
    const maxBytes = yield* Check.integer("maxBytes", options.maxBytes ?? DEFAULT_MAX_BYTES, MEBIBYTE)
    const sqlite = yield* Sqlite.load
    const file = yield* Effect.try({
      try: () => {
        Fs.mkdirSync(directory, { recursive: true, mode: 0o700 })
        return Path.resolve(directory, "cache.sqlite")
      },
      catch: (cause) => new CacheStore.CacheError({ reason: "Unavailable", cause })
    })
    const table = yield* Effect.acquireRelease(
      Effect.sync(() => new Sqlite.Table(sqlite, file, maxBytes)),
      (table) => Effect.sync(() => table.close())
    )
    yield* Effect.retry(
      Sqlite.attempt(() => table.open()),
      OPENING
    )
    const unsafeGet = (key: Uint8Array) => Sqlite.unsafeAttempt(() => Option.fromNullable(table.get(key)))
    return CacheStore.make({
      unsafeGet,
      get: (key) => Effect.suspend(() => unsafeGet(key)),
      putMany: (rows) => Effect.flatMap(Clock.currentTimeMillis, (now) => Sqlite.attempt(() => table.put(rows, now))),
      remove: (key) => Sqlite.attempt(() => table.remove(key))
    })
  })

/**
 * {@link make} as a layer.
 *
 * @example
 * ```ts
 * import { Cache, CacheStoreSqlite } from "@pod-protocol/effect"
 * import * as Layer from "effect/Layer"
 *
 * export const CacheLive = Cache.layer().pipe(
 *   Layer.provide(CacheStoreSqlite.layer({ directory: "cache", maxBytes: 32 * 1024 * 1024 }))
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options): Layer.Layer<CacheStore.CacheStore, CacheStore.CacheError | InvalidInput> =>
  Layer.scoped(CacheStore.CacheStore, make(options))
