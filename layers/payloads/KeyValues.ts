/**
 * Stores payloads in a `KeyValueStore`. A payload is one value, so an upload is in memory until it is committed. All
 * uploads together hold at most 64 MiB. The store cannot list its keys: expired payloads stay until a client requests
 * them, and quotas count from the start of the server.
 *
 * The value of a copy is under `<prefix><owner>/<hash>`: the time of the last put, a blank, and the bytes as base64.
 * The names of all owners are under `<prefix>owners`, separated by commas.
 */
import type { PlatformError } from "@effect/platform/Error"
import type { KeyValueStore } from "@effect/platform/KeyValueStore"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { keyValueStore } from "../../services/internal/keyValueStore.js"
import * as StoreFailure from "../../services/internal/storeFailure.js"
import { type Entry, type Storage, StorageError } from "./Storage.js"

/** Maximum bytes of all uncommitted uploads. */
const MAX_IN_FLIGHT = 64 * 1024 * 1024

const PREFIX = "pod/payload-server/"
const OWNERS = `${PREFIX}owners`

const stored = <A>(effect: Effect.Effect<A, PlatformError>): Effect.Effect<A, StorageError> =>
  Effect.mapError(effect, (cause) => new StorageError(cause))

const keyOf = ({ key, owner }: Pick<Entry, "key" | "owner">) => `${PREFIX}${owner}/${key}`

const encode = (at: number, bytes: Uint8Array): string => `${at} ${Encoding.encodeBase64(bytes)}`

/** Returns `None` for a value in another format. */
const decode = (text: string): Option.Option<{ readonly at: number; readonly bytes: Uint8Array }> => {
  const blank = text.indexOf(" ")
  const at = Number(text.slice(0, blank))
  if (blank < 1 || !Number.isSafeInteger(at)) return Option.none()
  return Option.map(Either.getRight(Encoding.decodeBase64(text.slice(blank + 1))), (bytes) => ({ at, bytes }))
}

export const make: Effect.Effect<Storage, PlatformError, KeyValueStore> = Effect.gen(function* () {
  const store = yield* keyValueStore
  const known = Option.getOrElse(yield* store.get(OWNERS), () => "")
  const owners = new Set(known.split(",").filter((owner) => owner !== ""))
  const get = (entry: Pick<Entry, "key" | "owner">) => Effect.map(store.get(keyOf(entry)), Option.flatMap(decode))
  const alone = (yield* Effect.makeSemaphore(1)).withPermits(1)
  /** Adds an owner to the stored names. One is added at a time, because each write replaces all names. */
  const remember = (owner: string) => {
    const isKnown = () => owners.has(owner)
    const add = Effect.suspend(() => store.set(OWNERS, [...owners, owner].join(",")))
    const added = Effect.zipRight(
      add,
      Effect.sync(() => owners.add(owner))
    )
    return Effect.unless(alone(Effect.unless(added, isKnown)), isKnown)
  }
  let inFlight = 0
  return {
    upload: Effect.gen(function* () {
      const parts: Array<Uint8Array> = []
      let size = 0
      yield* Effect.addFinalizer(() => Effect.sync(() => void (inFlight -= size)))
      return {
        write: (bytes: Uint8Array) =>
          Effect.suspend(() => {
            if (inFlight + bytes.length > MAX_IN_FLIGHT) {
              return Effect.fail(new StorageError(new Error("too many concurrent uploads"), "Busy"))
            }
            inFlight += bytes.length
            size += bytes.length
            parts.push(new Uint8Array(bytes))
            return Effect.void
          }),
        commit: (entry: Entry) =>
          stored(
            Effect.zipRight(
              remember(entry.owner),
              Effect.suspend(() => store.set(keyOf(entry), encode(entry.at, joined(parts, entry.size))))
            )
          )
      }
    }),
    find: (key) =>
      stored(
        Effect.map(
          Effect.forEach(owners, (owner) =>
            Effect.map(
              get({ key, owner }),
              Option.map(({ at, bytes }): Entry => ({ key, owner, size: bytes.length, at }))
            )
          ),
          (found) => found.flatMap(Option.toArray)
        )
      ),
    read: (entry, offset, length) =>
      Stream.fromEffect(
        Effect.flatMap(
          stored(get(entry)),
          Option.match({
            onNone: () => Effect.fail(new StorageError(new Error("the payload was removed"))),
            onSome: ({ bytes }) => Effect.succeed(bytes.subarray(offset, offset + length))
          })
        )
      ),
    touch: (entry) =>
      stored(
        Effect.flatMap(
          get(entry),
          Option.match({
            onNone: () => Effect.void,
            onSome: ({ bytes }) => store.set(keyOf(entry), encode(entry.at, bytes))
          })
        )
      ),
    remove: (entry) => stored(Effect.catchIf(store.remove(keyOf(entry)), StoreFailure.isNotFound, () => Effect.void)),
    list: Stream.empty
  }
})

const joined = (parts: ReadonlyArray<Uint8Array>, size: number): Uint8Array => {
  const whole = new Uint8Array(size)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
