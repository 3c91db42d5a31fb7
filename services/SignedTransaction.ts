/**
 * A signed transaction, sent or not.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Address from "../src/solana/Address.js"
import * as Blockhash from "../src/solana/Blockhash.js"
import * as Signature from "../src/solana/Signature.js"

/**
 * The lifetime of a transaction with a blockhash: it can land until the block height of the cluster is above `lastValidBlockHeight`.
 *
 * @since 0.1.0
 * @category models
 */
export const BlockhashLifetime = Schema.Struct({
  blockhash: Blockhash.Schema,
  lastValidBlockHeight: Schema.BigInt
})

/**
 * A value of {@link BlockhashLifetime}.
 *
 * @since 0.1.0
 * @category models
 */
export type BlockhashLifetime = typeof BlockhashLifetime.Type

/**
 * The lifetime of a transaction with a durable nonce: it can land while the account holds that nonce.
 *
 * @since 0.1.0
 * @category models
 */
export const NonceLifetime = Schema.Struct({
  nonce: Blockhash.Schema,
  /** The nonce account. */
  account: Address.Schema,
  /**
   * Present only if the lifetime was derived from the bytes, which do not distinguish a nonce from a blockhash. Up to
   * this block height the transaction may land by either.
   */
  lastValidBlockHeight: Schema.optional(Schema.BigInt)
})

/**
 * A value of {@link NonceLifetime}.
 *
 * @since 0.1.0
 * @category models
 */
export type NonceLifetime = typeof NonceLifetime.Type

/**
 * The lifetime of a signed transaction: by blockhash or by durable nonce.
 *
 * @since 0.1.0
 * @category models
 */
export const Lifetime = Schema.Union(BlockhashLifetime, NonceLifetime)

/**
 * A value of {@link Lifetime}.
 *
 * @since 0.1.0
 * @category models
 */
export type Lifetime = typeof Lifetime.Type

/**
 * Signed bytes with all data for sending, resending and confirming them, now or in another process. It is a Schema:
 * `Schema.encode(SignedTransaction)` makes JSON for a store.
 *
 * @since 0.1.0
 * @category models
 */
export class SignedTransaction extends Schema.Class<SignedTransaction>("@pod-protocol/effect/SignedTransaction")({
  /** The fee payer's signature, which is the transaction's id. */
  signature: Signature.Schema,
  /** The wire form: signatures and message, at most 1232 bytes. */
  wire: Schema.Uint8ArrayFromBase64,
  /** The condition that limits how long the transaction can land. */
  lifetime: Lifetime,
  /** The fee in lamports. The cluster charges it whether the transaction succeeds or fails. */
  fee: Schema.BigInt,
  /**
   * The slot of the bank that gave the blockhash or the nonce. The transaction cannot have landed before it. A node
   * that has not reached it may not know the blockhash or the nonce, so the request tells such a node to refuse.
   */
  minContextSlot: Schema.optional(Schema.BigInt)
}) {
  toJSON(): typeof SignedTransaction.Encoded {
    return Schema.encodeSync(SignedTransaction)(this)
  }
}
