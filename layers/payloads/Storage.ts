/**
 * The storage of a payload server. It keeps one copy of a payload for each owner, so that an owner's quota, expiry and
 * removal do not affect the copies of others.
 */
import type * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import * as StoreFailure from "../../services/internal/storeFailure.js"

/** The storage failed, is full, or accepts no more uploads at the moment. */
export class StorageError {
  readonly _tag = "StorageError"

  constructor(
    readonly cause: unknown,
    readonly reason: "Full" | "Busy" | "Failed" = isFull(cause) ? "Full" : "Failed"
  ) {}
}

const FULL: ReadonlySet<string | undefined> = new Set(["ENOSPC", "EDQUOT", "EFBIG"])

/** SQLite's result codes for a full disk or a full database. */
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
  /** Time of the last put, in Unix milliseconds. */
  readonly at: number
}

/** A payload that arrives in pieces. It is invisible until it is committed. */
export interface Upload {
  readonly write: (bytes: Uint8Array) => Effect.Effect<void, StorageError>
  /** Writes the payload to the disk and makes it visible, in place of the owner's former copy. */
  readonly commit: (entry: Entry) => Effect.Effect<void, StorageError>
}

export interface Storage {
  /**
   * Stores a payload of at most 64 KiB as the owner's copy, on the disk. Default: an upload. A storage that commits
   * several payloads together waits less for the disk.
   */
  readonly put?: ((entry: Entry, bytes: Uint8Array) => Effect.Effect<void, StorageError>) | undefined
  /** Begins an upload. Closing the scope discards an uncommitted one. */
  readonly upload: Effect.Effect<Upload, StorageError, Scope.Scope>
  /** The copies of all owners. */
  readonly find: (key: string) => Effect.Effect<ReadonlyArray<Entry>, StorageError>
  /** Reads exactly these bytes of a copy, or fails. */
  readonly read: (entry: Entry, offset: number, length: number) => Stream.Stream<Uint8Array, StorageError>
  /** Sets the time of the last put. */
  readonly touch: (entry: Entry) => Effect.Effect<void, StorageError>
  /** Removes a copy. Without a copy, it has no effect. */
  readonly remove: (entry: Entry) => Effect.Effect<void, StorageError>
  /** All copies. Empty for a storage that cannot list its keys. */
  readonly list: Stream.Stream<Entry, StorageError>
}

/** Bytes of one read. */
export const PIECE = 64 * 1024
