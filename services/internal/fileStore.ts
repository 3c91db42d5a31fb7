/**
 * A key-value store of bytes in the files of one folder. It survives a crash of the process and of the machine.
 *
 * Invariants:
 * - A file under its final name is complete. `set` writes a temporary file, syncs it, renames it, and syncs the folder.
 *   After a crash or on a full disk, the previous file is still there.
 * - `set` succeeds once file and folder are synced. If only the sync of the folder fails, the new bytes are in place.
 * - An operation that has begun is not interrupted, so no write can overlap a later operation on the same key.
 * - Files, and a folder that this makes, are readable by their owner only.
 * - At most `MAX_OPEN` operations run at a time, so that callers cannot use up the file descriptors of the application.
 */
import type { PlatformError } from "@effect/platform/Error"
import type * as Platform from "@effect/platform/FileSystem"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Option from "effect/Option"
import * as Random from "./random.js"
import * as StoreFailure from "./storeFailure.js"

/** The tag of `@effect/platform`'s `FileSystem`, without loading its module. Tags with equal keys are equal. */
export const fileSystem = Context.GenericTag<Platform.FileSystem>("@effect/platform/FileSystem")

export interface Options {
  /** Maximum bytes of a file. A larger file, or a folder in its place, reads as an empty array. */
  readonly maxBytes: number
  /**
   * Minimum age at which the start removes a temporary file. 0 for a folder that no other process uses: there a crash
   * left each temporary file.
   */
  readonly leftoverAge: Duration.Duration
}

export interface FileStore {
  readonly get: (key: string) => Effect.Effect<Option.Option<Uint8Array>, PlatformError>
  readonly set: (key: string, bytes: Uint8Array) => Effect.Effect<void, PlatformError>
  readonly has: (key: string) => Effect.Effect<boolean, PlatformError>
  /** Removes a file. A missing file is no error. */
  readonly remove: (key: string) => Effect.Effect<void, PlatformError>
  /** Makes the file readable by its owner only. */
  readonly restrict: (key: string) => Effect.Effect<void, PlatformError>
  /** The keys of all files in the folder, also of files that another program wrote. */
  readonly keys: Effect.Effect<ReadonlyArray<string>, PlatformError>
}

const MAX_OPEN = 8

const OWNER_FILE = 0o600
const OWNER_FOLDER = 0o700

const NO_BYTES = new Uint8Array(0)

/** The bytes as a plain `Uint8Array` instead of the platform's subclass. */
const asBytes = ({ buffer, byteLength, byteOffset }: Uint8Array) => new Uint8Array(buffer, byteOffset, byteLength)

const TEMPORARY = /\.[0-9a-f]{16}\.tmp$/

/** Errors of platforms that cannot open a folder, and of file systems that cannot sync one. */
const CANNOT_SYNC_FOLDERS: ReadonlySet<string | undefined> = new Set(["EISDIR", "EPERM", "EACCES", "EINVAL", "ENOTSUP"])

const orNone = <A>(effect: Effect.Effect<A, PlatformError>): Effect.Effect<Option.Option<A>, PlatformError> =>
  effect.pipe(
    Effect.asSome,
    Effect.catchAll((error) => (StoreFailure.isNotFound(error) ? Effect.succeedNone : Effect.fail(error)))
  )

/** The key of a file name; none for a name that this store does not write. */
const keyOf = (name: string): ReadonlyArray<string> =>
  Either.match(Encoding.decodeUriComponent(name), { onLeft: () => [], onRight: (key) => [key] })

/** Syncs the names in a folder to the disk, if the platform can. */
export const syncFolder = (fs: Platform.FileSystem, path: string): Effect.Effect<void, PlatformError> =>
  Effect.scoped(Effect.flatMap(fs.open(path, { flag: "r" }), (folder) => folder.sync)).pipe(
    Effect.catchAll((error) => (CANNOT_SYNC_FOLDERS.has(StoreFailure.code(error)) ? Effect.void : Effect.fail(error)))
  )

export const make = Effect.fnUntraced(function* (
  directory: string,
  options: Options
): Effect.fn.Return<FileStore, PlatformError, Platform.FileSystem> {
  const fs = yield* fileSystem
  const permits = yield* Effect.makeSemaphore(MAX_OPEN)
  const bounded = <A>(effect: Effect.Effect<A, PlatformError>) => permits.withPermits(1)(Effect.uninterruptible(effect))
  const pathOf = (key: string) => `${directory}/${encodeURIComponent(key)}`

  const write = (path: string, bytes: Uint8Array) =>
    Effect.scoped(
      Effect.gen(function* () {
        const file = yield* fs.open(path, { flag: "wx", mode: OWNER_FILE })
        // The platform fails on a write of no bytes.
        if (bytes.length > 0) yield* file.writeAll(bytes)
        yield* file.sync
      })
    )

  const set = (key: string, bytes: Uint8Array) =>
    Effect.suspend(() => {
      const path = pathOf(key)
      const beside = `${path}.${Random.unsafeHex(8)}.tmp`
      return write(beside, bytes).pipe(
        Effect.zipRight(fs.rename(beside, path)),
        Effect.onError(() => Effect.ignore(fs.remove(beside, { force: true }))),
        Effect.zipRight(syncFolder(fs, directory))
      )
    })

  const get = Effect.fnUntraced(function* (path: string) {
    const { size, type } = yield* fs.stat(path)
    return type === "File" && size <= BigInt(options.maxBytes) ? asBytes(yield* fs.readFile(path)) : NO_BYTES
  })

  /** Makes the folder and its missing parents, and syncs each parent. */
  const makeFolder = Effect.gen(function* () {
    if (yield* fs.exists(directory)) return
    yield* fs.makeDirectory(directory, { recursive: true, mode: OWNER_FOLDER })
    let above = directory
    for (let left = directory.split(/[\\/]+/).length; left > 0; left--) {
      above += "/.."
      yield* Effect.ignore(syncFolder(fs, above))
    }
  })

  /** Removes the temporary files of processes that were killed. */
  const removeLeftovers = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const age = Duration.toMillis(options.leftoverAge)
    for (const name of yield* fs.readDirectory(directory)) {
      if (!TEMPORARY.test(name)) continue
      const path = `${directory}/${name}`
      const info = yield* orNone(fs.stat(path))
      const isOld = Option.exists(
        Option.flatMap(info, ({ mtime }) => mtime),
        (mtime) => now - mtime.getTime() >= age
      )
      if (age === 0 || isOld) yield* fs.remove(path, { force: true })
    }
  })

  yield* makeFolder
  yield* removeLeftovers

  return {
    get: (key) => bounded(orNone(get(pathOf(key)))),
    set: (key, bytes) => bounded(set(key, bytes)),
    has: (key) => bounded(fs.exists(pathOf(key))),
    remove: (key) => bounded(Effect.asVoid(orNone(fs.remove(pathOf(key))))),
    restrict: (key) => bounded(fs.chmod(pathOf(key), OWNER_FILE)),
    keys: bounded(
      Effect.map(fs.readDirectory(directory), (names) => names.filter((name) => !TEMPORARY.test(name)).flatMap(keyOf))
    )
  }
})
