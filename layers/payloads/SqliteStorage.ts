/**
 * Stores payloads in an SQLite file, in pieces of 64 KiB.
 *
 * - An upload writes its pieces as they arrive. The row that names them is committed with the last piece and synced. So
 *   after a kill or on a full disk, a payload is whole or absent. Pieces without a row are removed at the next start.
 * - Concurrent payloads of one piece are committed together, with one sync.
 * - The file is locked while it is open: one server at a time.
 * - All calls are synchronous, as in SQLite, and short: a transaction contains one or two pieces.
 */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Hex from "../../services/internal/hex.js"
import { atomically } from "../internal/atomically.js"
import type * as Sqlite from "../internal/Sqlite.js"
import * as SqliteFile from "../internal/SqliteFile.js"
import * as GroupCommit from "./groupCommit.js"
import { type Entry, PIECE, type Storage, StorageError, type Upload } from "./Storage.js"

/** Rows of one page of a listing. */
const PAGE = 256

const SETTINGS = `
  PRAGMA page_size = 4096; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
  PRAGMA journal_size_limit = 16777216; PRAGMA trusted_schema = OFF;`

/** Releases the lock of the file. A closed database otherwise keeps its lock until its statements are collected. */
const RELEASE = "PRAGMA journal_mode = DELETE; PRAGMA locking_mode = NORMAL; SELECT 1 FROM payloads LIMIT 1;"

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS payloads (
    key BLOB NOT NULL, owner TEXT NOT NULL, size INTEGER NOT NULL, at INTEGER NOT NULL, upload INTEGER NOT NULL,
    PRIMARY KEY (key, owner)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS pieces (
    id INTEGER PRIMARY KEY, upload INTEGER NOT NULL, nth INTEGER NOT NULL, bytes BLOB NOT NULL, UNIQUE (upload, nth)
  );
  DELETE FROM pieces WHERE upload NOT IN (SELECT upload FROM payloads);`

const Bytes = Schema.Uint8ArrayFromSelf

const Row = Schema.Struct({ key: Bytes, owner: Schema.String, size: Schema.Number, at: Schema.Number })
const rowsOf = Schema.decodeUnknownSync(Schema.Array(Row))
const uploadOf = Schema.decodeUnknownSync(Schema.UndefinedOr(Schema.Struct({ upload: Schema.Number })))
const lastOf = Schema.decodeUnknownSync(Schema.Struct({ last: Schema.Number }))
const pieceOf = Schema.decodeUnknownSync(Schema.Struct({ bytes: Bytes }))

/** The position before the first row of a listing. */
const FIRST: Pick<typeof Row.Type, "key" | "owner"> = { key: new Uint8Array(0), owner: "" }

const entryOf = ({ at, key, owner, size }: typeof Row.Type): Entry => ({ key: Hex.encode(key), owner, size, at })

const bytesOf = (key: string): Uint8Array => Uint8Array.from(Buffer.from(key, "hex"))

const attempt = <A>(run: () => A): Effect.Effect<A, StorageError> =>
  Effect.try({ try: run, catch: (cause) => new StorageError(cause) })

const open = (sqlite: Sqlite.Sqlite, file: string): Effect.Effect<Sqlite.Database, StorageError, Scope.Scope> =>
  Effect.acquireRelease(
    attempt(() => SqliteFile.open(sqlite, file, SETTINGS + SCHEMA)),
    (database) =>
      Effect.ignore(
        Effect.try(() => {
          database.exec(RELEASE)
          database.close()
        })
      )
  )

export const make = (sqlite: Sqlite.Sqlite, file: string): Effect.Effect<Storage, StorageError, Scope.Scope> =>
  Effect.gen(function* () {
    const database = yield* open(sqlite, file)
    const sql = yield* attempt(() => ({
      find: database.prepare("SELECT key, owner, size, at FROM payloads WHERE key = ?"),
      list: database.prepare(
        `SELECT key, owner, size, at FROM payloads WHERE (key, owner) > (?, ?) ORDER BY key, owner LIMIT ${PAGE}`
      ),
      upload: database.prepare("SELECT upload FROM payloads WHERE key = ? AND owner = ?"),
      last: database.prepare("SELECT ifnull(max(upload), 0) AS last FROM payloads"),
      put: database.prepare("INSERT OR REPLACE INTO payloads (key, owner, size, at, upload) VALUES (?, ?, ?, ?, ?)"),
      touch: database.prepare("UPDATE payloads SET at = ? WHERE key = ? AND owner = ?"),
      remove: database.prepare("DELETE FROM payloads WHERE key = ? AND owner = ?"),
      piece: database.prepare("SELECT bytes FROM pieces WHERE upload = ? AND nth = ?"),
      write: database.prepare("INSERT INTO pieces (upload, nth, bytes) VALUES (?, ?, ?)"),
      drop: database.prepare("DELETE FROM pieces WHERE upload = ?")
    }))
    let uploads = yield* attempt(() => lastOf(sql.last.get()).last)

    /** Runs a transaction. `isSynced` is false for changes that may be lost after a power failure. */
    const transaction = (run: () => void, isSynced = true): void => {
      database.exec(`PRAGMA synchronous = ${isSynced ? "FULL" : "NORMAL"}`)
      atomically(database, run)
    }

    const find = (key: Uint8Array, owner: string): number | undefined => uploadOf(sql.upload.get(key, owner))?.upload

    /** Removes a row and its pieces. */
    const forget = (key: Uint8Array, owner: string): void => {
      const upload = find(key, owner)
      if (upload === undefined) return
      sql.drop.run(upload)
      sql.remove.run(key, owner)
    }

    const keep = ({ at, key, owner, size }: Entry, upload: number): void => {
      const name = bytesOf(key)
      forget(name, owner)
      sql.put.run(name, owner, size, at, upload)
    }

    const put = yield* GroupCommit.make((items: ReadonlyArray<readonly [Entry, Uint8Array]>) =>
      attempt(() =>
        transaction(() => {
          for (const [entry, bytes] of items) {
            const id = ++uploads
            keep(entry, id)
            if (bytes.length > 0) sql.write.run(id, 0, bytes)
          }
        })
      )
    )

    const upload: Storage["upload"] = Effect.gen(function* () {
      const id = ++uploads
      const piece = new Uint8Array(PIECE)
      let used = 0
      let nth = 0
      let isCommitted = false
      yield* Effect.addFinalizer(() =>
        isCommitted || nth === 0
          ? Effect.void
          : Effect.ignore(attempt(() => transaction(() => sql.drop.run(id), false)))
      )
      const flush = (): void => {
        sql.write.run(id, nth, piece.subarray(0, used))
        nth++
        used = 0
      }
      const take = (bytes: Uint8Array): void => {
        for (let at = 0; at < bytes.length;) {
          if (used === PIECE) transaction(flush, false)
          const some = bytes.subarray(at, at + PIECE - used)
          piece.set(some, used)
          used += some.length
          at += some.length
        }
      }
      return {
        write: (bytes) => attempt(() => take(bytes)),
        commit: (entry) =>
          attempt(() => {
            transaction(() => {
              keep(entry, id)
              if (used > 0) flush()
            })
            isCommitted = true
          })
      } satisfies Upload
    })

    /** Reads the pieces of a range, cut to the range. */
    const pieces = (upload: number, offset: number, length: number) =>
      Stream.unfoldEffect(offset, (at) =>
        attempt(() => {
          const left = offset + length - at
          if (left <= 0) return Option.none()
          const { bytes } = pieceOf(sql.piece.get(upload, Math.floor(at / PIECE)))
          const from = at % PIECE
          const some = bytes.subarray(from, Math.min(bytes.length, from + left))
          if (some.length === 0) throw new Error("a piece is truncated")
          return Option.some([some, at + some.length] as const)
        })
      )

    return {
      put: (entry, bytes) => put([entry, bytes]),
      upload,
      find: (key) => attempt(() => rowsOf(sql.find.all(bytesOf(key))).map(entryOf)),
      read: ({ key, owner }, offset, length) =>
        Stream.unwrap(
          attempt(() => {
            const upload = find(bytesOf(key), owner)
            if (upload === undefined) throw new Error("the payload was removed")
            return pieces(upload, offset, length)
          })
        ),
      touch: ({ at, key, owner }) => attempt(() => void sql.touch.run(at, bytesOf(key), owner)),
      remove: ({ key, owner }) => attempt(() => transaction(() => forget(bytesOf(key), owner))),
      list: Stream.paginateChunkEffect(FIRST, ({ key, owner }) =>
        attempt(() => {
          const rows = rowsOf(sql.list.all(key, owner))
          return [Chunk.unsafeFromArray(rows.map(entryOf)), Option.fromNullable(rows.at(-1))] as const
        })
      )
    }
  })
