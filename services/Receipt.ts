/**
 * Receipts as Schemas, for HTTP APIs, queues and workflows: JSON with slots and lamports as decimal strings.
 *
 * `JSON.stringify` writes a service's receipt in the same form. A decoded receipt and a spread copy are plain objects
 * with bigints: encode them by the Schema.
 *
 * @since 0.1.0
 */
import * as EffectSchema from "effect/Schema"
import * as Addresses from "../src/solana/Address.js"
import * as Signatures from "../src/solana/Signature.js"

const fields = {
  signature: Signatures.Schema,
  slot: EffectSchema.BigInt,
  fee: EffectSchema.BigInt
}

/**
 * The receipt of a transaction: `Transactions.Receipt`.
 *
 * @example
 * ```ts
 * import { Receipt, type Transactions } from "@pod-protocol/effect"
 * import * as Schema from "effect/Schema"
 *
 * export const toJson = (receipt: Transactions.Receipt) => Schema.encodeSync(Receipt.Receipt)(receipt)
 * ```
 *
 * @since 0.1.0
 * @category schemas
 */
export const Receipt = EffectSchema.Struct(fields).annotations({ identifier: "Receipt" })

/**
 * The receipt of a write that created or changed an account: `ProgramAccount.AccountReceipt`.
 *
 * @since 0.1.0
 * @category schemas
 */
export const AccountReceipt = EffectSchema.Struct({ ...fields, address: Addresses.Schema }).annotations({
  identifier: "AccountReceipt"
})

/**
 * The receipt of a direct message: `Message.MessageReceipt`. The hash is base64.
 *
 * @since 0.1.0
 * @category schemas
 */
export const MessageReceipt = EffectSchema.Struct({
  ...fields,
  address: Addresses.Schema,
  payloadHash: EffectSchema.Uint8ArrayFromBase64
}).annotations({ identifier: "MessageReceipt" })
