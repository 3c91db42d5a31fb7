/**
 * One table of rows in an SQLite file of a bounded size.
 *
 * **The budget.** Three files count: the database, its write-ahead log and the log's index. `max_page_count` bounds the
 * database; it belongs to a connection, so each connection sets it. The log is emptied before a transaction that could
 * exceed its share, and transactions are small enough for that share. If another process prevents the emptying, nothing
 * is written (`Busy`).
 *
 * **Full.** If an insert finds no free page, the least recently used rows are evicted and the insert is tried again. A
 * large row needs whole pages, but such rows may leave a part of each of many pages. So their neighbors are evicted
 * too, until enough pages are free. If the device is full, the log is emptied first, because it holds pages twice.
 *
 * **Damage.** A file that SQLite reports as damaged is deleted. The next operation creates a new one.
 *
 * All operations are synchronous, as in SQLite, and short: the largest transaction has a few hundred small rows.
 */
import * as Fs from "node:fs"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import { CacheError, type Framed } from "../../services/CacheStore.js"
import { atomically } from "./atomically.js"

interface Statement {
  readonly get: (...parameters: ReadonlyArray<unknown>) => unknown
  readonly all: (...parameters: ReadonlyArray<unknown>) => unknown
  readonly run: (...parameters: ReadonlyArray<unknown>) => unknown
  readonly setReadBigInts: (enabled: boolean) => void
}

export interface Database {
  readonly exec: (sql: string) => void
  readonly prepare: (sql: string) => Statement
  readonly close: () => void
}

/** The used part of `node:sqlite`. */
export interface Sqlite {
  readonly DatabaseSync: new (path: string) => Database
}

const isSqlite = (module: unknown): module is Sqlite =>
  Predicate.hasProperty(module, "DatabaseSync") && typeof module.DatabaseSync === "function"

/** Typed as `string`, so that bundlers do not follow the import: they cannot bundle the native part. */
const PACKAGE: string = "@photostructure/sqlite"

/** SQLite of the runtime, or of the optional package. */
export const load: Effect.Effect<Sqlite, CacheError> = Effect.suspend(() => {
  const builtIn: unknown = process.getBuiltinModule("node:sqlite")
  if (isSqlite(builtIn)) return Effect.succeed(builtIn)
  return Effect.tryPromise({
    try: (): Promise<unknown> => import(PACKAGE),
    catch: (cause) => new CacheError({ reason: "MissingPackage", cause })
  }).pipe(Effect.filterOrFail(isSqlite, () => new CacheError({ reason: "MissingPackage" })))
})

/** SQLite's primary result codes. */
const CODES = { busy: 5, locked: 6, ioError: 10, corrupt: 11, full: 13, cantOpen: 14, notDatabase: 26 } as const

const codeOf = (cause: unknown): number | undefined =>
  Predicate.hasProperty(cause, "errcode") && typeof cause.errcode === "number" ? cause.errcode & 0xff : undefined

const errorOf = (cause: unknown): CacheError => {
  if (cause instanceof CacheError) return cause
  switch (codeOf(cause)) {
    case CODES.corrupt:
    case CODES.notDatabase:
      return new CacheError({ reason: "Corrupt", cause })
    case CODES.full:
      return new CacheError({ reason: "Full", cause })
    case CODES.busy:
    case CODES.locked:
      return new CacheError({ reason: "Busy", cause })
    default:
      return new CacheError({ reason: "Unavailable", cause })
  }
}

/** Runs a synchronous operation at once, and types the exceptions of SQLite. */
export const unsafeAttempt = <A>(run: () => A): Either.Either<A, CacheError> => Either.try({ try: run, catch: errorOf })

/** {@link unsafeAttempt} as an effect. */
export const attempt = <A>(run: () => A): Effect.Effect<A, CacheError> => Effect.suspend(() => unsafeAttempt(run))

const PAGE = 4096

/** Bytes of a page in the log, with its header of 24 bytes. */
const LOGGED_PAGE = PAGE + 24

/** Maximum pages that a row changes: its leaf, a leaf of the index, and the splits above them. */
const PAGES_PER_ROW = 6

/** The log's index takes 32 KiB for each 4,096 pages of the log. */
const INDEX_STEP = 32 * 1024
const INDEX_PAGES = 4096

const MAX_ROWS = 256

/** Rows that are evicted at a time for each row to insert. */
const LEAVING = 4

/** Frames above this size are stored on pages of their own. */
const LARGE = PAGE / 4

/** Bytes of a frame on such a page. */
const LARGE_PAGE = PAGE - 4

/**
 * Frames up to this size have no value. A fence must not leave before the rows that it invalidates, which were used
 * earlier. So such rows are evicted by their time of use alone.
 */
const SMALL = 32

/** Maximum attempts to make room for one transaction. */
const ATTEMPTS = 16

/** Maximum rows whose time of use waits to be written with the next rows. */
const MAX_TOUCHED = 1024

/** Resolution of the times of use in milliseconds, so that repeated reads of a row write nothing. */
const USED_STEP = 60_000

/** Milliseconds that a statement waits for another process. The wait blocks the event loop. */
const BUSY = 50

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS rows (
    key BLOB PRIMARY KEY, slot INTEGER NOT NULL, used INTEGER NOT NULL, frame BLOB NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS rows_used ON rows (used);`

/** Maps a u64 to SQLite's signed integers, keeping the order. */
const signed = (slot: bigint): bigint => BigInt.asIntN(64, slot ^ (1n << 63n))

/**
 * A key as a short text. `String` of a `Uint8Array` writes each byte in decimal, which costs more than reading the row.
 */
const nameOf = ({ buffer, byteLength, byteOffset }: Uint8Array): string =>
  Buffer.from(buffer, byteOffset, byteLength).toString("latin1")

/** The number in a row of one column. */
const numberOf = (row: unknown): number => (Predicate.isRecord(row) ? Number(Object.values(row)[0]) : 0)

/** The number of rows that a statement has changed. */
const changesOf = (result: unknown): number => (Predicate.hasProperty(result, "changes") ? Number(result.changes) : 0)

const sizeOf = (file: string): number => Fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0

interface Opened {
  readonly database: Database
  readonly get: Statement
  readonly put: Statement
  readonly supersede: Statement
  readonly touch: Statement
  readonly evict: Statement
  readonly evictNeighbors: Statement
  readonly remove: Statement
  readonly pages: Statement
  readonly freePages: Statement
}

/** The room that a transaction needs. */
interface Need {
  readonly rows: number
  /** Pages of their own, for large rows. */
  readonly pages: number
  /** Bytes of the log. */
  readonly log: number
}

export class Table {
  readonly #sqlite: Sqlite
  readonly #file: string
  readonly #maxPages: number
  readonly #maxLog: number
  readonly #rowsAtOnce: number
  readonly #touched = new Set<string>()
  #opened: Opened | undefined
  #isClosed = false
  #isDeviceFull = false

  constructor(sqlite: Sqlite, file: string, maxBytes: number) {
    this.#sqlite = sqlite
    this.#file = file
    this.#maxLog = Math.floor(maxBytes / 4)
    const index = INDEX_STEP * (1 + Math.ceil(this.#maxLog / LOGGED_PAGE / INDEX_PAGES))
    this.#maxPages = Math.floor((maxBytes - this.#maxLog - index) / PAGE)
    this.#rowsAtOnce = Math.max(1, Math.min(MAX_ROWS, Math.floor(this.#maxLog / 2 / this.#logOf(1))))
  }

  open(): void {
    this.#use(() => undefined)
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#use(({ get }) => {
      const row = get.get(key)
      if (!Predicate.hasProperty(row, "frame") || !(row.frame instanceof Uint8Array)) return undefined
      if (this.#touched.size < MAX_TOUCHED) this.#touched.add(nameOf(key))
      return row.frame
    })
  }

  put(rows: ReadonlyArray<Framed>, now: number): void {
    const used = Math.floor(now / USED_STEP)
    for (let at = 0; at < rows.length; at += this.#rowsAtOnce) {
      const batch = rows.slice(at, at + this.#rowsAtOnce)
      this.#use((opened) => this.#write(opened, batch, used))
    }
    const touched = [...this.#touched]
    this.#touched.clear()
    for (let at = 0; at < touched.length; at += this.#rowsAtOnce) {
      const batch = touched.slice(at, at + this.#rowsAtOnce)
      this.#use((opened) =>
        this.#makeRoomFor(opened, { rows: batch.length, pages: 0, log: this.#logOf(batch.length) }, () => {
          for (const name of batch) opened.touch.run(used, Buffer.from(name, "latin1"), used)
        })
      )
    }
  }

  remove(key: Uint8Array): void {
    this.#use((opened) => this.#transaction(opened, this.#logOf(1), () => opened.remove.run(key)))
  }

  close(): void {
    this.#isClosed = true
    try {
      // Otherwise the log would stay until the garbage collector has found every statement.
      this.#opened?.database.exec("PRAGMA wal_checkpoint(TRUNCATE)")
    } catch {
      // Another process uses the log, which is read again with the file.
    }
    this.#drop()
  }

  /** Maximum bytes of the log for a number of small rows. */
  #logOf(rows: number): number {
    return rows * PAGES_PER_ROW * LOGGED_PAGE
  }

  /** Whether the row fits. A row that would fill the log is not stored, and only removes the earlier one. */
  #fits(frame: Uint8Array): boolean {
    return frame.length <= this.#maxLog / 8
  }

  #write(opened: Opened, rows: ReadonlyArray<Framed>, used: number): void {
    let bytes = 0
    let pages = 0
    for (const { frame } of rows) {
      if (!this.#fits(frame)) continue
      bytes += frame.length
      if (frame.length > LARGE) pages += 1 + Math.ceil(frame.length / LARGE_PAGE)
    }
    const log = this.#logOf(rows.length) + 2 * bytes
    this.#makeRoomFor(opened, { rows: rows.length, pages, log }, () => {
      for (const { frame, key, slot } of rows) {
        if (this.#fits(frame)) opened.put.run(key, signed(slot), used, frame)
        else opened.supersede.run(key, signed(slot))
      }
    })
  }

  /** Runs a transaction. While it finds no room, rows are evicted and it runs again. */
  #makeRoomFor(opened: Opened, { log, pages, rows }: Need, run: () => void): void {
    for (let attempt = 1; ; attempt++) {
      try {
        this.#transaction(opened, log, run)
        return this.#shrink(opened)
      } catch (cause) {
        if (codeOf(cause) !== CODES.full || attempt === ATTEMPTS) throw cause
        if (this.#pages(opened) < this.#maxPages) this.#isDeviceFull = true
        this.#shrink(opened)
        const leaving = Math.min(LEAVING * rows * attempt, this.#rowsAtOnce)
        this.#transaction(opened, this.#logOf(leaving), () => opened.evict.run(leaving))
        this.#freePages(opened, pages)
      }
    }
  }

  /** Evicts neighbors of the least recently used rows, until this many pages are free. */
  #freePages(opened: Opened, pages: number): void {
    while (this.#maxPages - this.#pages(opened) + numberOf(opened.freePages.get()) < pages) {
      if (this.#evictNeighbors(opened) === 0) return
    }
  }

  #evictNeighbors(opened: Opened): number {
    let evicted = 0
    this.#transaction(opened, this.#logOf(this.#rowsAtOnce), () => {
      evicted = changesOf(opened.evictNeighbors.run(this.#rowsAtOnce))
    })
    return evicted
  }

  /** Empties the log after the device was full, as soon as the device has room for its pages. */
  #shrink({ database }: Opened): void {
    if (!this.#isDeviceFull) return
    try {
      database.exec("PRAGMA wal_checkpoint(TRUNCATE)")
      this.#isDeviceFull = false
    } catch (cause) {
      if (codeOf(cause) !== CODES.full) throw cause
    }
  }

  #pages({ pages }: Opened): number {
    return numberOf(pages.get())
  }

  /** Runs a transaction if the log has room for it. */
  #transaction({ database }: Opened, log: number, run: () => void): void {
    const file = `${this.#file}-wal`
    if (sizeOf(file) + log > this.#maxLog) {
      database.exec("PRAGMA wal_checkpoint(TRUNCATE)")
      if (sizeOf(file) + log > this.#maxLog) throw new CacheError({ reason: "Busy" })
    }
    atomically(database, run)
  }

  #use<A>(run: (opened: Opened) => A): A {
    if (this.#isClosed) throw new CacheError({ reason: "Unavailable", cause: new Error("the store is closed") })
    try {
      this.#opened ??= this.#connect()
      return run(this.#opened)
    } catch (cause) {
      const code = codeOf(cause)
      if (code === CODES.corrupt || code === CODES.notDatabase) {
        this.#drop()
        this.#delete()
      } else if (code === CODES.ioError || code === CODES.cantOpen) this.#drop()
      throw cause
    }
  }

  #connect(): Opened {
    if (sizeOf(this.#file) > this.#maxPages * PAGE) this.#delete()
    const database = new this.#sqlite.DatabaseSync(this.#file)
    try {
      Fs.chmodSync(this.#file, 0o600)
      database.exec(
        `PRAGMA busy_timeout = ${BUSY}; PRAGMA page_size = ${PAGE}; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
         PRAGMA wal_autocheckpoint = 0; PRAGMA max_page_count = ${this.#maxPages}; PRAGMA trusted_schema = OFF;`
      )
      database.exec(SCHEMA)
      return {
        database,
        get: database.prepare("SELECT frame FROM rows WHERE key = ?"),
        put: database.prepare(
          `INSERT INTO rows (key, slot, used, frame) VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE
           SET slot = excluded.slot, used = excluded.used, frame = excluded.frame WHERE excluded.slot >= rows.slot`
        ),
        supersede: database.prepare("DELETE FROM rows WHERE key = ? AND slot <= ?"),
        touch: database.prepare("UPDATE rows SET used = ? WHERE key = ? AND used < ?"),
        evict: database.prepare("DELETE FROM rows WHERE key IN (SELECT key FROM rows ORDER BY used LIMIT ?)"),
        evictNeighbors: database.prepare(
          `DELETE FROM rows WHERE key IN (SELECT key FROM rows WHERE length(frame) > ${SMALL} AND key >=
           (SELECT key FROM rows WHERE length(frame) > ${SMALL} ORDER BY used LIMIT 1) ORDER BY key LIMIT ?)`
        ),
        remove: database.prepare("DELETE FROM rows WHERE key = ?"),
        pages: database.prepare("PRAGMA page_count"),
        freePages: database.prepare("PRAGMA freelist_count")
      }
    } catch (cause) {
      database.close()
      throw cause
    }
  }

  #drop(): void {
    const opened = this.#opened
    this.#opened = undefined
    try {
      opened?.database.close()
    } catch {
      // The connection is not used again.
    }
  }

  #delete(): void {
    for (const suffix of ["", "-wal", "-shm"]) Fs.rmSync(this.#file + suffix, { force: true })
  }
}
