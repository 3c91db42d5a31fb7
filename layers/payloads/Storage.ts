/**
 * What a payload server keeps payloads in. A payload is kept once for each owner, so that one owner's quota, expiry and
 * removal touch no other's copy.
 */
import type * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import * as StoreFailure from "../../services/internal/storeFailure.js"

/** The storage failed, has no room left, or takes no more uploads at the moment. */
export class StorageError {
  readonly _tag = "StorageError"

  constructor(
    readonly cause: unknown,
    readonly reason: "Full" | "Busy" | "Failed" = isFull(cause) ? "Full" : "Failed"
  ) {}
}

const FULL: ReadonlySet<string | undefined> = new Set(["ENOSPC", "EDQUOT", "EFBIG"])

/** The result codes of SQLite that mean a full disk or a full database. */
const SQLITE_FULL = 13

const isFull = (cause: unknown): boolean =>
  FULL.has(StoreFailure.code(cause)) || (Predicate.hasProperty(cause, "errcode") && cause.errcode === SQLITE_FULL)

/** One owner's copy of a payload. */
export interface Entry {
  /** SHA-256 in hexadecimal. */
  readonly key: string
  readonly owner: string
  /** Bytes. */
  readonly size: number
  /** When it was put last, in Unix milliseconds. */
  readonly at: number
}

/** A payload that arrives in pieces and is invisible until it is committed. */
export interface Upload {
  readonly write: (bytes: Uint8Array) => Effect.Effect<void, StorageError>
  /** Makes the payload visible whole, on the disk, in place of the owner's former copy. */
  readonly commit: (entry: Entry) => Effect.Effect<void, StorageError>
}

export interface Storage {
  /**
   * Makes a payload of at most 64 KiB the owner's copy, on the disk. By default it is uploaded. A storage that commits
   * several at once saves the wait for the disk.
   */
  readonly put?: ((entry: Entry, bytes: Uint8Array) => Effect.Effect<void, StorageError>) | undefined
  /** Closing the scope discards what was not committed. */
  readonly upload: Effect.Effect<Upload, StorageError, Scope.Scope>
  /** The copies of all owners. */
  readonly find: (key: string) => Effect.Effect<ReadonlyArray<Entry>, StorageError>
  /** Exactly these bytes of a copy, or a failure. */
  readonly read: (entry: Entry, offset: number, length: number) => Stream.Stream<Uint8Array, StorageError>
  /** Sets when the copy was put last. */
  readonly touch: (entry: Entry) => Effect.Effect<void, StorageError>
  /** Nothing happens where nothing is kept. */
  readonly remove: (entry: Entry) => Effect.Effect<void, StorageError>
  /** All copies. A storage that cannot list gives none. */
  readonly list: Stream.Stream<Entry, StorageError>
}

/** Bytes of one read. */
export const PIECE = 64 * 1024
