/**
 * Stores payloads in the files of a folder: `<owner>/<first byte>/<hash>`.
 *
 * - A payload is written in `incoming/`, synced and renamed to its place. Then the folder is synced. So after a kill or
 *   on a full disk, a payload is whole or absent.
 * - The modification time of a file is the time of the last put.
 * - Files and folders are accessible only to their owner.
 */
import type { PlatformError } from "@effect/platform/Error"
import type * as Platform from "@effect/platform/FileSystem"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Clock from "../../services/internal/clock.js"
import * as FileStore from "../../services/internal/fileStore.js"
import * as Random from "../../services/internal/random.js"
import * as StoreFailure from "../../services/internal/storeFailure.js"
import { type Entry, PIECE, type Storage, StorageError } from "./Storage.js"

const INCOMING = "incoming"
const OWNER = /^(?:public|[0-9a-f]{16})$/
const KEY = /^[0-9a-f]{64}$/

const OWNER_FILE = 0o600
const OWNER_FOLDER = 0o700

/** Minimum age of an incomplete file that is removed. A younger one may belong to a running process. */
const LEFTOVER_AGE = 3_600_000

const MILLIS = 1000

/** Whether a path does not exist, or leads through a file of another program. */
const isMissing = (error: PlatformError): boolean =>
  StoreFailure.isNotFound(error) || StoreFailure.code(error) === "ENOTDIR"

const orElse =
  <A>(onMissing: A) =>
  (effect: Effect.Effect<A, PlatformError>): Effect.Effect<A, PlatformError> =>
    Effect.catchIf(effect, isMissing, () => Effect.succeed(onMissing))

const stored = <A, R>(effect: Effect.Effect<A, PlatformError, R>): Effect.Effect<A, StorageError, R> =>
  Effect.mapError(effect, (cause) => new StorageError(cause))

export const make = (directory: string): Effect.Effect<Storage, PlatformError, Platform.FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileStore.fileSystem
    const shardOf = ({ key, owner }: Entry) => `${directory}/${owner}/${key.slice(0, 2)}`
    const pathOf = (entry: Entry) => `${shardOf(entry)}/${entry.key}`
    const folder = (path: string) => fs.makeDirectory(path, { recursive: true, mode: OWNER_FOLDER })
    const names = (path: string) => fs.readDirectory(path).pipe(orElse<Array<string>>([]))
    const date = (path: string, at: number) => fs.utimes(path, at / MILLIS, at / MILLIS)

    const entryAt = (owner: string, key: string) =>
      fs.stat(pathOf({ key, owner, size: 0, at: 0 })).pipe(
        Effect.map(({ mtime, size, type }) =>
          type === "File" && Option.isSome(mtime)
            ? Option.some<Entry>({ key, owner, size: Number(size), at: mtime.value.getTime() })
            : Option.none()
        ),
        orElse(Option.none<Entry>())
      )

    yield* folder(`${directory}/${INCOMING}`)
    const now = yield* Clock.wallMillis
    for (const name of yield* names(`${directory}/${INCOMING}`)) {
      const path = `${directory}/${INCOMING}/${name}`
      const isOld = yield* fs.stat(path).pipe(
        Effect.map(({ mtime }) => Option.exists(mtime, (at) => now - at.getTime() >= LEFTOVER_AGE)),
        orElse(false)
      )
      if (isOld) yield* fs.remove(path, { force: true })
    }
    const owners = new Set((yield* names(directory)).filter((name) => OWNER.test(name)))

    /** Folders that exist and are synced. */
    const shards = new Set<string>()

    const place = Effect.fnUntraced(function* (incoming: string, entry: Entry) {
      const shard = shardOf(entry)
      const isNew = !shards.has(shard) && !(yield* fs.exists(shard))
      if (isNew) yield* folder(shard)
      yield* date(incoming, entry.at)
      yield* fs.rename(incoming, pathOf(entry))
      yield* FileStore.syncFolder(fs, shard)
      if (isNew) {
        yield* FileStore.syncFolder(fs, `${shard}/..`)
        yield* FileStore.syncFolder(fs, directory)
      }
      shards.add(shard)
      owners.add(entry.owner)
    })

    return {
      upload: Effect.gen(function* () {
        const path = `${directory}/${INCOMING}/${Random.unsafeHex(16)}`
        let isPlaced = false
        yield* Effect.addFinalizer(() => (isPlaced ? Effect.void : Effect.ignore(fs.remove(path, { force: true }))))
        const file = yield* fs.open(path, { flag: "wx", mode: OWNER_FILE })
        return {
          // The platform fails a write of no bytes.
          write: (bytes: Uint8Array) => (bytes.length === 0 ? Effect.void : stored(file.writeAll(bytes))),
          commit: (entry: Entry) =>
            Effect.uninterruptible(stored(Effect.zipRight(file.sync, place(path, entry)))).pipe(
              Effect.tap(() => {
                isPlaced = true
              })
            )
        }
      }).pipe(stored),
      find: (key) =>
        stored(
          Effect.map(
            Effect.forEach(owners, (owner) => entryAt(owner, key)),
            (found) => found.flatMap(Option.toArray)
          )
        ),
      read: (entry, offset, length) =>
        fs.stream(pathOf(entry), { offset, bytesToRead: length, chunkSize: PIECE }).pipe(
          Stream.mapError((cause) => new StorageError(cause)),
          whole(length)
        ),
      touch: (entry) => stored(date(pathOf(entry), entry.at)),
      remove: (entry) => stored(fs.remove(pathOf(entry), { force: true })),
      list: Stream.suspend(() => Stream.fromIterable([...owners])).pipe(
        Stream.flatMap((owner) =>
          Stream.fromIterableEffect(stored(names(`${directory}/${owner}`))).pipe(
            Stream.mapEffect((shard) => stored(names(`${directory}/${owner}/${shard}`))),
            Stream.mapEffect((keys) =>
              stored(
                Effect.forEach(
                  keys.filter((key) => KEY.test(key)),
                  (key) => entryAt(owner, key)
                )
              )
            ),
            Stream.flattenIterables,
            Stream.filterMap((entry) => entry)
          )
        )
      )
    }
  })

/** Fails if the stream ends before its length, as for a truncated file. */
const whole =
  (length: number) =>
  (stream: Stream.Stream<Uint8Array, StorageError>): Stream.Stream<Uint8Array, StorageError> =>
    Stream.suspend(() => {
      let left = length
      return Stream.mapChunks(stream, (chunk) => {
        left -= Chunk.reduce(chunk, 0, (size, bytes) => size + bytes.length)
        return chunk
      }).pipe(
        Stream.concat(
          Stream.suspend(() =>
            left === 0 ? Stream.empty : Stream.fail(new StorageError(new Error("the file is truncated")))
          )
        )
      )
    })
