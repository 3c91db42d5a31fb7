/**
 * Receives the body of a PUT: computes its hash, and commits it if the hash matches the path.
 *
 * - Nothing is visible before the hash is verified.
 * - A body of up to 64 KiB is verified before it is written. A longer one is written piece by piece, and only one piece
 *   is in memory.
 * - A body that the owner has already stored is verified too. So a put reveals nothing about the payloads of other
 *   owners. It is compared with the copy as it arrives, so the server reads no more of the copy than a client sends.
 */
import { sha256 } from "@noble/hashes/sha2.js"
import type * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Hex from "../../services/internal/hex.js"
import * as Hash from "../../src/solana/Hash.js"
import * as Comparison from "./Comparison.js"
import type { Ledger, QuotaExceeded } from "./Ledger.js"
import { PIECE, type Storage, StorageError, type Upload } from "./Storage.js"

/** The body does not match its request. */
export class BadBody {
  readonly _tag = "BadBody"

  constructor(readonly reason: "Mismatch" | "TooLarge" | "Broken") {}
}

export interface Incoming<E> {
  readonly key: string
  readonly owner: string
  /** The next pieces of the body; `None` at its end. */
  readonly pull: Effect.Effect<Chunk.Chunk<Uint8Array>, Option.Option<E>>
}

export interface Settings {
  readonly maxBytes: number
}

/** Receives a whole body of at most 64 KiB. Returns the number of bytes. */
export const receiveWhole = (
  ledger: Ledger,
  { bytes, key, owner }: { readonly bytes: Uint8Array; readonly key: string; readonly owner: string }
): Effect.Effect<number, BadBody | QuotaExceeded | StorageError> =>
  Hex.encode(Hash.sha256(bytes)) === key
    ? Effect.as(ledger.put(key, owner, bytes), bytes.length)
    : Effect.fail(new BadBody("Mismatch"))

/** Maximum damaged copies that are remembered. A put of a forgotten one finds the damage again, and is retried. */
const MAX_DAMAGED = 1024

/** Receives a body in pieces. Returns the number of bytes. */
export const receive = (storage: Storage, ledger: Ledger, { maxBytes }: Settings) => {
  /**
   * Copies that differ from a verified body. The next put of each replaces it. A copy is not removed before that, because
   * a read that failed looks the same.
   */
  const damaged = new Set<string>()
  return <E>({ key, owner, pull }: Incoming<E>): Effect.Effect<number, BadBody | QuotaExceeded | StorageError> =>
    Effect.gen(function* () {
      const name = `${owner}/${key}`
      const copies = yield* Effect.orElseSucceed(ledger.find(key), () => [])
      const copy = damaged.has(name) ? undefined : copies.find((entry) => entry.owner === owner)
      const comparison = copy === undefined ? undefined : yield* Comparison.make(storage, copy)
      const reservation = comparison === undefined ? yield* ledger.reserve(owner) : undefined
      const hash = sha256.create()
      let size = 0
      let early: Array<Uint8Array> = []
      let upload: Upload | undefined

      const open = Effect.gen(function* () {
        upload ??= yield* storage.upload
        for (const bytes of early) yield* upload.write(bytes)
        early = []
        return upload
      })

      const take = (bytes: Uint8Array) =>
        Effect.gen(function* () {
          size += bytes.length
          if (size > maxBytes) return yield* Effect.fail(new BadBody("TooLarge"))
          hash.update(bytes)
          if (comparison !== undefined) return yield* comparison.take(bytes)
          yield* reservation?.take(bytes.length) ?? Effect.void
          early.push(bytes)
          if (size > PIECE) yield* open
        })

      while (true) {
        const pieces = yield* Effect.catchAll(Effect.asSome(pull), (end) =>
          Option.isNone(end) ? Effect.succeedNone : Effect.fail(new BadBody("Broken"))
        )
        if (Option.isNone(pieces)) break
        for (const bytes of pieces.value) yield* take(bytes)
      }
      if (Hex.encode(hash.digest()) !== key) return yield* Effect.fail(new BadBody("Mismatch"))
      if (comparison === undefined) {
        yield* ledger.commit(key, owner, size, yield* open)
        damaged.delete(name)
      } else if (!comparison.isEqual(size)) {
        for (const oldest of damaged) {
          if (damaged.size < MAX_DAMAGED) break
          damaged.delete(oldest)
        }
        damaged.add(name)
        return yield* Effect.fail(new StorageError(new Error("the stored copy was damaged"), "Busy"))
      } else if (!(yield* ledger.renew(key, owner))) {
        return yield* Effect.fail(new StorageError(new Error("the payload expired meanwhile"), "Busy"))
      }
      return size
    }).pipe(Effect.scoped)
}
