/**
 * Compares a body with a stored copy while it arrives. It reads the copy in step with the body, and keeps one piece of
 * it in memory. A copy that cannot be read differs from every body.
 */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Entry, Storage } from "./Storage.js"

export interface Comparison {
  /** Compares the next bytes of the body. */
  readonly take: (bytes: Uint8Array) => Effect.Effect<void>
  /** Whether the bytes so far, of this total size, are the whole copy. */
  readonly isEqual: (size: number) => boolean
}

const NO_BYTES = new Uint8Array(0)

export const make = (storage: Storage, entry: Entry): Effect.Effect<Comparison, never, Scope.Scope> =>
  Effect.map(Stream.toPull(Stream.rechunk(storage.read(entry, 0, entry.size), 1)), (pull) => {
    let stored: Uint8Array = NO_BYTES
    let isSame = true

    const next = Effect.match(pull, {
      onFailure: () => {
        isSame = false
      },
      onSuccess: (pieces) => {
        stored = Chunk.unsafeHead(pieces)
      }
    })

    return {
      take: (bytes) =>
        Effect.gen(function* () {
          for (let at = 0; isSame && at < bytes.length;) {
            if (stored.length === 0) yield* next
            const length = Math.min(stored.length, bytes.length - at)
            for (let index = 0; index < length; index++) isSame &&= stored[index] === bytes[at + index]
            stored = stored.subarray(length)
            at += length
          }
        }),
      isEqual: (size) => isSame && size === entry.size
    }
  })
