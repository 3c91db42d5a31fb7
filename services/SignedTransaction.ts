/**
 * A transaction that is signed and not necessarily sent.
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
   * Only where nothing but the bytes is known, which do not tell a nonce from a blockhash: until then it may land by
   * the one or by the other.
   */
  lastValidBlockHeight: Schema.optional(Schema.BigInt)
})

/**
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
 * @since 0.1.0
 * @category models
 */
export type Lifetime = typeof Lifetime.Type

/**
 * Signed bytes with everything that is needed to send them, to watch them and to send them again, now or in another
 * process: it is a Schema, so it can be written down (`Schema.encode(SignedTransaction)`).
 *
 * @since 0.1.0
 * @category models
 */
export class SignedTransaction extends Schema.Class<SignedTransaction>("@pod-protocol/effect/SignedTransaction")({
  /** The fee payer's signature, which names the transaction. */
  signature: Signature.Schema,
  /** The bytes that go to the node: signatures and message, at most 1232. */
  wire: Schema.Uint8ArrayFromBase64,
  /** When the transaction can no longer land. */
  lifetime: Lifetime,
  /** The fee in lamports. The cluster charges it whether the transaction succeeds or fails. */
  fee: Schema.BigInt,
  /**
   * The slot of the bank that gave the blockhash or the nonce, before which it cannot have landed. A node that has not
   * reached it may not know them yet, so it is asked to refuse.
   */
  minContextSlot: Schema.optional(Schema.BigInt)
}) {
  toJSON(): typeof SignedTransaction.Encoded {
    return Schema.encodeSync(SignedTransaction)(this)
  }
}
