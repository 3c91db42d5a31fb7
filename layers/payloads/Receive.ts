/**
 * Receives the body of a PUT: computes its hash, and commits it if the hash matches the path.
 *
 * - Nothing is visible before the hash is verified.
 * - A body of up to 64 KiB is verified before it is written. A longer one is written piece by piece, and only one piece
 *   is in memory.
 * - A body that the owner has already stored is verified too. So a put reveals nothing about the payloads of other
 *   owners.
 */
import { sha256 } from "@noble/hashes/sha2.js"
import type * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Hex from "../../services/internal/hex.js"
import * as Hash from "../../src/solana/Hash.js"
import type { Ledger, QuotaExceeded } from "./Ledger.js"
import * as Ledgers from "./Ledger.js"
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

/** Whether the owner's stored copy is whole. */
const holds = (storage: Storage, ledger: Ledger, key: string, owner: string) =>
  Effect.gen(function* () {
    const entry = (yield* ledger.find(key)).find((entry) => entry.owner === owner)
    return entry !== undefined && (yield* Ledgers.isWhole(storage, entry))
  })

/** Receives a whole body of at most 64 KiB. Returns the number of bytes. */
export const receiveWhole = (
  ledger: Ledger,
  { bytes, key, owner }: { readonly bytes: Uint8Array; readonly key: string; readonly owner: string }
): Effect.Effect<number, BadBody | QuotaExceeded | StorageError> =>
  Hex.encode(Hash.sha256(bytes)) === key
    ? Effect.as(ledger.put(key, owner, bytes), bytes.length)
    : Effect.fail(new BadBody("Mismatch"))

/** Receives a body in pieces. Returns the number of bytes. */
export const receive =
  (storage: Storage, ledger: Ledger, { maxBytes }: Settings) =>
  <E>({ key, owner, pull }: Incoming<E>): Effect.Effect<number, BadBody | QuotaExceeded | StorageError> =>
    Effect.gen(function* () {
      const isKept = yield* holds(storage, ledger, key, owner).pipe(Effect.orElseSucceed(() => false))
      const reservation = isKept ? undefined : yield* ledger.reserve(owner)
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
          if (reservation === undefined) return
          yield* reservation.take(bytes.length)
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
      if (!isKept) yield* ledger.commit(key, owner, size, yield* open)
      else if (!(yield* ledger.renew(key, owner))) {
        return yield* Effect.fail(new StorageError(new Error("the payload expired meanwhile"), "Busy"))
      }
      return size
    }).pipe(Effect.scoped)
