/**
 * Stores the payloads of direct messages. The chain stores only their SHA-256.
 *
 * @since 0.1.0
 */
import type { PlatformError } from "@effect/platform/Error"
import type { FileSystem } from "@effect/platform/FileSystem"
import type { KeyValueStore } from "@effect/platform/KeyValueStore"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import { identity } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Check from "../src/internal/check.js"
import * as Outside from "../src/internal/Outside.js"
import { printable } from "../src/internal/printable.js"
import type { InvalidInput } from "../src/InvalidInput.js"
import * as SafeText from "../src/SafeText.js"
import * as Hash from "../src/solana/Hash.js"
import * as FileStore from "./internal/fileStore.js"
import * as Hex from "./internal/hex.js"
import { keyValueStore } from "./internal/keyValueStore.js"
import * as StoreFailure from "./internal/storeFailure.js"
import * as TestLayer from "./internal/testLayer.js"
import { annotated, spanned } from "./internal/traced.js"
import * as MemoryMonitor from "./MemoryMonitor.js"
import * as Recents from "./payloadstore/Recent.js"

/**
 * The store did not store or return the bytes.
 *
 * - `NotFound`: the store has no entry for this hash. It was never put, or it was evicted or removed.
 * - `HashMismatch`: the stored bytes have another SHA-256, so they are not returned.
 * - `TooLarge`: the bytes exceed the limit of the store.
 * - `Full`: the store has no room left, on its disk or in the quota of the caller.
 * - `Refused`: a payload server refused the request; `detail` states why. A retry with the same settings fails again.
 * - `Unavailable`: the backend failed with `cause`, or a payload server did not answer.
 *
 * @since 0.1.0
 * @category errors
 */
export class PayloadStoreError extends printable(
  Schema.TaggedError<PayloadStoreError>("@pod-protocol/effect/PayloadStoreError")("PayloadStoreError", {
    reason: Schema.Literal("NotFound", "HashMismatch", "TooLarge", "Full", "Refused", "Unavailable"),
    /** The SHA-256 of the bytes in hexadecimal. */
    hash: SafeText.Schema(),
    /** The size in bytes, with `TooLarge`. */
    size: Schema.optional(Schema.Number),
    /** Host of the payload server, if there is one. */
    host: Schema.optional(SafeText.Schema()),
    /** The failure in one sentence. Absent if the reason says it all. */
    detail: Schema.optional(SafeText.Schema()),
    cause: Schema.optional(Outside.Cause)
  })
) {
  /** True for `Unavailable` only: a retry of the others fails again until something else changes. */
  get isRetryable(): boolean {
    return this.reason === "Unavailable"
  }

  override get message(): string {
    const store = this.host === undefined ? "The store" : `The store at ${this.host}`
    switch (this.reason) {
      case "NotFound":
        return `No payload is kept under ${this.hash}: let sender and recipient share one store`
      case "HashMismatch":
        return `The bytes kept under ${this.hash} have another SHA-256: they were changed or damaged; put the payload again to repair it`
      case "TooLarge":
        return `The payload${this.size === undefined ? "" : ` of ${this.size} bytes`} exceeds what the store may hold: raise maxBytes or send less`
      case "Full":
        return `${store} has no room for ${this.hash}: free some space, or raise the quota`
      case "Refused":
        return `${store} refused ${this.hash}: ${this.detail ?? "it gave no reason: check the server's log"}`
      case "Unavailable":
        return this.detail === undefined
          ? `The store beneath failed for ${this.hash}: ${StoreFailure.explain(this.cause)}`
          : `${store} failed for ${this.hash}: ${this.detail}`
    }
  }
}

/**
 * Options of `put`.
 *
 * @since 0.1.0
 * @category models
 */
export interface PutOptions {
  /**
   * Gives the arrays themselves to the store, without a copy. Default false. They may be views of a `SharedArrayBuffer`.
   * The memory store keeps references to them and returns a single array as it is; other stores copy the bytes. A later
   * write to the arrays damages the payload: the next `get` fails with `HashMismatch`.
   */
  readonly zeroCopy?: boolean | undefined
}

/**
 * The operations of a payload store.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * Whether `put` ends without waiting, as in the memory of this process. Default false. A send then saves the fiber by
   * which its deadline ends a store that waits.
   */
  readonly synchronous?: boolean | undefined
  /**
   * Stores the bytes and returns their SHA-256 (32 bytes). Several arrays are concatenated. Putting the same bytes again
   * has no effect.
   */
  readonly put: (
    bytes: Uint8Array | ReadonlyArray<Uint8Array>,
    options?: PutOptions
  ) => Effect.Effect<Uint8Array, PayloadStoreError>
  /** Reads the bytes with this SHA-256 and verifies the hash on every read. */
  readonly get: (hash: Uint8Array) => Effect.Effect<Uint8Array, PayloadStoreError>
  /** Whether the store has an entry for this SHA-256. It does not verify the entry. */
  readonly has: (hash: Uint8Array) => Effect.Effect<boolean, PayloadStoreError>
  /** Removes the bytes. Without an entry it has no effect. */
  readonly remove: (hash: Uint8Array) => Effect.Effect<void, PayloadStoreError>
}

/**
 * A content-addressed store. The key of an entry is the SHA-256 (32 bytes) of its bytes, including the envelope. Do not
 * mutate the bytes that `get` returns.
 *
 * @since 0.1.0
 * @category tags
 */
export class PayloadStore extends Context.Tag("@pod-protocol/effect/PayloadStore")<PayloadStore, Service>() {}

/**
 * A backend for your own store. A key is 64 hexadecimal digits. {@link make} turns any failure that is not a
 * `PayloadStoreError` into one with reason `Unavailable`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Backend {
  /**
   * Whether `set` and `adopt` end without waiting. Default false. True for a backend that waits: a send may exceed its
   * timeout.
   */
  readonly synchronous?: boolean | undefined
  /** Stores a copy of the bytes. It must not keep the array, because the caller may write to it again. */
  readonly set: (key: string, bytes: Uint8Array) => Effect.Effect<void, unknown>
  /**
   * Stores the arrays without a copy, as one payload. The caller does not write to them again. Default: several arrays are
   * concatenated, and `set` stores the result.
   */
  readonly adopt?: ((key: string, parts: ReadonlyArray<Uint8Array>) => Effect.Effect<void, unknown>) | undefined
  /** Returns the stored bytes, or none without an entry. They may be damaged: {@link make} verifies them. */
  readonly get: (key: string) => Effect.Effect<Option.Option<Uint8Array>, unknown>
  /** Whether there is an entry. */
  readonly has: (key: string) => Effect.Effect<boolean, unknown>
  /** Removes the entry. Without one it must not fail. */
  readonly remove: (key: string) => Effect.Effect<void, unknown>
}

const isPayloadStoreError = Schema.is(PayloadStoreError)

const hasHash = (bytes: Uint8Array, key: string): boolean => Hex.encode(Hash.sha256(bytes)) === key

/**
 * Runs an operation on the entry of a hash and maps its failures, in a span. A synchronous backend takes less time than the
 * span, so there the hash is an attribute of the caller's span.
 */
const use = <A, B>(
  { synchronous }: Backend,
  name: string,
  hashOf: () => Uint8Array,
  f: (key: string) => Effect.Effect<A, unknown>,
  onSuccess: (a: A, hash: Uint8Array) => B
): Effect.Effect<B, PayloadStoreError> =>
  Effect.withFiberRuntime((fiber) => {
    const hash = hashOf()
    const key = Hex.encode(hash)
    const failed = (cause: unknown) =>
      isPayloadStoreError(cause) ? cause : new PayloadStoreError({ reason: "Unavailable", hash: key, cause })
    const used = () =>
      Effect.matchCauseEffect(f(key), {
        onFailure: (cause) => Effect.failCause(Cause.map(cause, failed)),
        onSuccess: (a) => Effect.succeed(onSuccess(a, hash))
      })
    return synchronous === true
      ? annotated(fiber, "pod.payload.hash", key, used())
      : spanned(fiber, name, { "pod.payload.hash": key }, used)
  })

/** Stores the parts by `adopt` or `set`. A concatenated array has no other owner, so `adopt` may take it. */
const keep = (
  { adopt, set }: Backend,
  key: string,
  parts: ReadonlyArray<Uint8Array>,
  zeroCopy: boolean
): Effect.Effect<void, unknown> => {
  if (zeroCopy && adopt !== undefined) return adopt(key, parts)
  const [only] = parts
  if (only !== undefined && parts.length === 1) return set(key, only)
  const whole = Recents.join(parts)
  return adopt === undefined ? set(key, whole) : adopt(key, [whole])
}

/**
 * Makes a payload store over a backend. It keys bytes by their hash and verifies the hash on every read.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (backend: Backend): Service =>
  PayloadStore.of({
    synchronous: backend.synchronous,
    put: (bytes, { zeroCopy = false } = {}) => {
      const parts = bytes instanceof Uint8Array ? [bytes] : bytes
      return use(
        backend,
        "PayloadStore.put",
        () => Hash.sha256Parts(parts),
        (key) => keep(backend, key, parts, zeroCopy),
        (_, hash) => hash
      )
    },
    get: (hash) =>
      use(
        backend,
        "PayloadStore.get",
        () => hash,
        (key) =>
          Effect.flatMap(
            backend.get(key),
            Option.match({
              onNone: () => new PayloadStoreError({ reason: "NotFound", hash: key }),
              onSome: (bytes) =>
                hasHash(bytes, key)
                  ? Effect.succeed(bytes)
                  : new PayloadStoreError({ reason: "HashMismatch", hash: key })
            })
          ),
        identity
      ),
    has: (hash) =>
      use(
        backend,
        "PayloadStore.has",
        () => hash,
        (key) => backend.has(key),
        identity
      ),
    remove: (hash) =>
      use(
        backend,
        "PayloadStore.remove",
        () => hash,
        (key) => backend.remove(key),
        identity
      )
  })

/**
 * Options of the memory store.
 *
 * @since 0.1.0
 * @category models
 */
export interface MemoryOptions {
  /**
   * Maximum bytes of all payloads, without keys. Default 64 MiB (67,108,864). Above it, the store evicts the least
   * recently used payload first. Too low: recipients get `NotFound`, and a single larger payload is `TooLarge`. Too
   * high: the process uses that much memory.
   */
  readonly maxBytes?: number | undefined
}

const DEFAULT_MAX_BYTES = 64 * 1024 * 1024

const memoryBackend = (recent: Recents.Recent, maxBytes: number): Backend => {
  const put = (key: string, size: number, parts: () => ReadonlyArray<Uint8Array>) =>
    size > maxBytes
      ? new PayloadStoreError({ reason: "TooLarge", hash: key, size })
      : Effect.sync(() => recent.set(key, parts()))
  return {
    synchronous: true,
    // `slice` of a Buffer is a view.
    set: (key, bytes) => put(key, bytes.length, () => [new Uint8Array(bytes)]),
    adopt: (key, parts) => put(key, Recents.sizeOf(parts), () => parts),
    get: (key) => Effect.sync(() => Option.fromNullable(recent.get(key))),
    has: (key) => Effect.sync(() => recent.has(key)),
    remove: (key) => Effect.sync(() => recent.delete(key))
  }
}

/** A memory store, which registers with the `MemoryMonitor` of the context, if there is one. */
const memoryStore = (maxBytes: number) => {
  const recent = new Recents.Recent(maxBytes)
  return Effect.as(
    MemoryMonitor.registerIfMonitored({
      name: "PayloadStore",
      bytes: Effect.sync(() => recent.bytes),
      // A payload may exist nowhere else, so it goes only before the process does.
      shrink: (level) => Effect.sync(() => (level === "critical" ? recent.evict(recent.bytes / 2) : 0))
    }),
    make(memoryBackend(recent, maxBytes))
  )
}

/**
 * A store in the memory of this process. `InvalidInput` for a `maxBytes` that is not a whole number from 0.
 *
 * With a `MemoryMonitor` in the context it evicts the least recently used half at critical pressure.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerMemoryWith = (options: MemoryOptions): Layer.Layer<PayloadStore, InvalidInput> =>
  Layer.scoped(
    PayloadStore,
    Effect.flatMap(Check.integer("maxBytes", options.maxBytes ?? DEFAULT_MAX_BYTES, 0), memoryStore)
  )

/**
 * A store of at most 64 MiB in the memory of this process, for tests and for agents of one process. As
 * {@link layerMemoryWith} under pressure.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerMemory: Layer.Layer<PayloadStore> = Layer.scoped(
  PayloadStore,
  Effect.suspend(() => memoryStore(DEFAULT_MAX_BYTES))
)

const unless = (condition: Effect.Effect<boolean, unknown>, effect: Effect.Effect<void, unknown>) =>
  Effect.flatMap(condition, (isTrue) => (isTrue ? Effect.void : effect))

/**
 * Wraps a backend whose writes may stop half-way. An entry with the right hash is not written again, and a damaged one is
 * overwritten. A failed write removes the entry, unless its bytes are right.
 */
const repairing = ({ get, has, remove, set }: Backend): Backend => {
  const holds = (key: string) =>
    Effect.map(
      get(key),
      Option.exists((bytes) => hasHash(bytes, key))
    )
  return {
    get,
    has,
    remove,
    set: (key, bytes) =>
      unless(
        holds(key),
        // Another caller may have stored the same bytes in the meantime.
        Effect.onError(set(key, bytes), () => Effect.ignore(unless(holds(key), remove(key))))
      )
  }
}

const KEY_PREFIX = "pod/payload/"

/** Maximum concurrent reads and writes of a key-value store, because each may hold a file descriptor. */
const STORE_CONCURRENCY = 16

// Bytes are stored as base64 text. `KeyValueStore.prefix` does not apply its prefix to `getUint8Array`, so a prefixed store
// would not find the bytes that it set.
const keyValueBackend = (store: KeyValueStore, permits: Effect.Semaphore): Backend => {
  const limited = permits.withPermits(1)
  return repairing({
    set: (key, bytes) => limited(store.set(KEY_PREFIX + key, Encoding.encodeBase64(bytes))),
    get: (key) =>
      Effect.map(
        limited(store.get(KEY_PREFIX + key)),
        Option.map((text) => Either.getOrElse(Encoding.decodeBase64(text), () => new Uint8Array(0)))
      ),
    has: (key) => limited(store.has(KEY_PREFIX + key)),
    remove: (key) => Effect.catchIf(limited(store.remove(KEY_PREFIX + key)), StoreFailure.isNotFound, () => Effect.void)
  })
}

/**
 * A store over any `KeyValueStore` of `@effect/platform`, such as memory, files or `localStorage`. Its keys begin with
 * `pod/payload/`, so the application can store other entries too. It does not bound the store's size: the `KeyValueStore`
 * decides what it keeps, and for how long. At most 16 reads and writes run at a time.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerKeyValueStore: Layer.Layer<PayloadStore, never, KeyValueStore> = Layer.effect(
  PayloadStore,
  Effect.zipWith(keyValueStore, Effect.makeSemaphore(STORE_CONCURRENCY), (store, permits) =>
    make(keyValueBackend(store, permits))
  )
)

/**
 * Bounds of a store in files.
 *
 * @since 0.1.0
 * @category models
 */
export interface FileSystemOptions {
  /**
   * Maximum bytes of one payload. Default 64 MiB (67,108,864). Too low: larger payloads are `TooLarge`, and stored ones
   * `HashMismatch`. Too high: reading a huge foreign file in the folder fills the memory.
   */
  readonly maxBytes?: number | undefined
}

/** Minimum age of a temporary file of a killed process. A younger one may belong to a process that is still writing it. */
const LEFTOVER_AGE = Duration.hours(1)

/**
 * A store in the files of a folder, which is created if it does not exist. The name of a file is the hash of its payload.
 * Each file is written under a temporary name, synced and renamed, so a crash or a full disk damages no stored payload. Files
 * and created folders are readable by their owner only. Several processes may share the folder. `PlatformError` if the
 * folder cannot be created or read.
 *
 * @example
 * ```ts
 * import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
 * import { PayloadStore } from "@pod-protocol/effect"
 * import * as Layer from "effect/Layer"
 *
 * export const Payloads = PayloadStore.layerFileSystem("payloads").pipe(Layer.provide(NodeFileSystem.layer))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerFileSystem = (
  directory: string,
  options: FileSystemOptions = {}
): Layer.Layer<PayloadStore, InvalidInput | PlatformError, FileSystem> =>
  Layer.effect(
    PayloadStore,
    Effect.gen(function* () {
      const maxBytes = yield* Check.integer("maxBytes", options.maxBytes ?? DEFAULT_MAX_BYTES, 1)
      const { get, has, remove, set } = yield* FileStore.make(directory, { maxBytes, leftoverAge: LEFTOVER_AGE })
      return make(
        repairing({
          get,
          has,
          remove,
          set: (key, bytes) =>
            bytes.length > maxBytes
              ? new PayloadStoreError({ reason: "TooLarge", hash: key, size: bytes.length })
              : set(key, bytes)
        })
      )
    })
  )

/**
 * A store of stubs. A method without a stub dies and names itself.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerTest = (stubs: Partial<Service>): Layer.Layer<PayloadStore> => TestLayer.layer(PayloadStore, stubs)
