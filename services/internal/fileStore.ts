/**
 * Bytes in the files of one folder, for what must outlive the process and the machine.
 *
 * - A file under its name is whole: it is written beside, synced, renamed, and then the folder is synced. A process that
 *   is killed or a disk that is full leaves what was there before.
 * - `set` succeeds when file and folder are on the disk. Where only the folder's sync fails, the new bytes are there.
 * - Once begun, an operation runs to its end: an interruption cannot leave the system writing behind the back of the
 *   next operation.
 * - Files can be read by their owner alone, and so can the folder where this makes it.
 * - A few files are open at a time, whatever the number of callers: the descriptors belong to the application.
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
import * as Hex from "./hex.js"
import * as Random from "./random.js"
import * as StoreFailure from "./storeFailure.js"

/** The `FileSystem` of `@effect/platform`, without loading its module: tags of one key are one. */
export const fileSystem = Context.GenericTag<Platform.FileSystem>("@effect/platform/FileSystem")

export interface Options {
  /** Bytes that a file may hold. What is larger, or is no file, reads as no bytes. */
  readonly maxBytes: number
  /** How old what a killed process left half written must be to be removed at the start. 0 where the folder is one's own. */
  readonly leftoverAge: Duration.Duration
}

export interface FileStore {
  readonly get: (key: string) => Effect.Effect<Option.Option<Uint8Array>, PlatformError>
  readonly set: (key: string, bytes: Uint8Array) => Effect.Effect<void, PlatformError>
  readonly has: (key: string) => Effect.Effect<boolean, PlatformError>
  /** Nothing happens where nothing is kept. */
  readonly remove: (key: string) => Effect.Effect<void, PlatformError>
  /** Makes the file its owner's alone. */
  readonly restrict: (key: string) => Effect.Effect<void, PlatformError>
  /** Of all files in the folder, whoever wrote them. */
  readonly keys: Effect.Effect<ReadonlyArray<string>, PlatformError>
}

const OPEN_AT_A_TIME = 8

const OWNER_FILE = 0o600
const OWNER_FOLDER = 0o700

const NO_BYTES = new Uint8Array(0)

/** Without the methods of the platform's own arrays. */
const asBytes = ({ buffer, byteLength, byteOffset }: Uint8Array) => new Uint8Array(buffer, byteOffset, byteLength)

const TEMPORARY = /\.[0-9a-f]{16}\.tmp$/

/** Not every platform opens a folder, and not every file system syncs one. */
const CANNOT_SYNC_FOLDERS: ReadonlySet<string | undefined> = new Set(["EISDIR", "EPERM", "EACCES", "EINVAL", "ENOTSUP"])

const orNone = <A>(effect: Effect.Effect<A, PlatformError>): Effect.Effect<Option.Option<A>, PlatformError> =>
  effect.pipe(
    Effect.asSome,
    Effect.catchAll((error) => (StoreFailure.isNotFound(error) ? Effect.succeedNone : Effect.fail(error)))
  )

/** A name that is no key's was written by somebody else. */
const keyOf = (name: string): ReadonlyArray<string> =>
  Either.match(Encoding.decodeUriComponent(name), { onLeft: () => [], onRight: (key) => [key] })

export const make = Effect.fnUntraced(function* (
  directory: string,
  options: Options
): Effect.fn.Return<FileStore, PlatformError, Platform.FileSystem> {
  const fs = yield* fileSystem
  const permits = yield* Effect.makeSemaphore(OPEN_AT_A_TIME)
  const bounded = <A>(effect: Effect.Effect<A, PlatformError>) => permits.withPermits(1)(Effect.uninterruptible(effect))
  const pathOf = (key: string) => `${directory}/${encodeURIComponent(key)}`

  const syncFolder = (path: string) =>
    Effect.scoped(Effect.flatMap(fs.open(path, { flag: "r" }), (folder) => folder.sync)).pipe(
      Effect.catchAll((error) => (CANNOT_SYNC_FOLDERS.has(StoreFailure.code(error)) ? Effect.void : Effect.fail(error)))
    )

  const write = (path: string, bytes: Uint8Array) =>
    Effect.scoped(
      Effect.gen(function* () {
        const file = yield* fs.open(path, { flag: "wx", mode: OWNER_FILE })
        // To write no bytes is an error of the platform's.
        if (bytes.length > 0) yield* file.writeAll(bytes)
        yield* file.sync
      })
    )

  const set = (key: string, bytes: Uint8Array) =>
    Effect.suspend(() => {
      const path = pathOf(key)
      const beside = `${path}.${Hex.encode(Random.unsafeBytes(8))}.tmp`
      return write(beside, bytes).pipe(
        Effect.zipRight(fs.rename(beside, path)),
        Effect.onError(() => Effect.ignore(fs.remove(beside, { force: true }))),
        Effect.zipRight(syncFolder(directory))
      )
    })

  const get = Effect.fnUntraced(function* (path: string) {
    const { size, type } = yield* fs.stat(path)
    return type === "File" && size <= BigInt(options.maxBytes) ? asBytes(yield* fs.readFile(path)) : NO_BYTES
  })

  /** Makes the folder and those above it, and has their names on the disk too. */
  const makeFolder = Effect.gen(function* () {
    if (yield* fs.exists(directory)) return
    yield* fs.makeDirectory(directory, { recursive: true, mode: OWNER_FOLDER })
    let above = directory
    for (let left = directory.split(/[\\/]+/).length; left > 0; left--) {
      above += "/.."
      yield* Effect.ignore(syncFolder(above))
    }
  })

  /** Removes what processes that were killed left half written. */
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
