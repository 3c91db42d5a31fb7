/**
 * Where the bytes of direct messages live. The chain keeps only their SHA-256.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/**
 * The store did not take or give the bytes.
 *
 * - `NotFound`: nothing is kept under this hash: never put here, evicted or removed.
 * - `HashMismatch`: something is kept under this hash whose SHA-256 is another; it is not handed out.
 * - `TooLarge`: the bytes exceed what the store may hold.
 * - `Unavailable`: the store beneath failed; its failure is the `cause`.
 *
 * @since 0.1.0
 * @category errors
 */
export class PayloadStoreError extends Schema.TaggedError<PayloadStoreError>("@pod-protocol/effect/PayloadStoreError")(
  "PayloadStoreError",
  {
    reason: Schema.Literal("NotFound", "HashMismatch", "TooLarge", "Unavailable"),
    /** The hash that names the bytes, in hexadecimal. */
    hash: Schema.String,
    /** The size in bytes, with `TooLarge`. */
    size: Schema.optional(Schema.Number),
    cause: Schema.optional(Schema.Defect)
  }
) {
  /** True for `Unavailable` only: the other three stay as they are. */
  get isRetryable(): boolean {
    return this.reason === "Unavailable"
  }

  override get message(): string {
    switch (this.reason) {
      case "NotFound":
        return `No payload is kept under ${this.hash}: sender and recipient must share one store`
      case "HashMismatch":
        return `The bytes kept under ${this.hash} have another SHA-256: they were changed or damaged, and are withheld`
      case "TooLarge":
        return `The payload of ${this.size} bytes exceeds what the store may hold: raise maxBytes or send less`
      case "Unavailable":
        return `The store beneath failed for ${this.hash}: ${String(this.cause)}`
    }
  }
}

/**
 * A content-addressed store: bytes are kept under their SHA-256 (32 bytes), which covers exactly the bytes put, envelope
 * included. What `get` returns has that hash; it must not be mutated.
 *
 * @since 0.1.0
 * @category tags
 */
export class PayloadStore extends Context.Tag("@pod-protocol/effect/PayloadStore")<
  PayloadStore,
  {
    /** Keeps the bytes and returns their SHA-256. Putting the same bytes again changes nothing. */
    readonly put: (bytes: Uint8Array) => Effect.Effect<Uint8Array, PayloadStoreError>
    /** The bytes with this SHA-256, verified on every read. */
    readonly get: (hash: Uint8Array) => Effect.Effect<Uint8Array, PayloadStoreError>
    /** Whether something is kept under this SHA-256, unverified. */
    readonly has: (hash: Uint8Array) => Effect.Effect<boolean, PayloadStoreError>
    /** Forgets the bytes. Nothing happens where nothing is kept. */
    readonly remove: (hash: Uint8Array) => Effect.Effect<void, PayloadStoreError>
  }
>() {}
