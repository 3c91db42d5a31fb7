/** Types of the message compiler's input and output. */
import type { Address, Blockhash, Instruction } from "@solana/kit"

/**
 * Versions of a message: `"legacy"`, or 0 with address lookup tables.
 *
 * @since 0.1.0
 * @category models
 */
export type Version = "legacy" | 0

/**
 * An address lookup table with its addresses in order.
 *
 * @since 0.1.0
 * @category models
 */
export interface LookupTable {
  readonly address: Address
  readonly addresses: ReadonlyArray<Address>
}

/**
 * The input of `Message.compile`.
 *
 * @since 0.1.0
 * @category models
 */
export interface CompileOptions {
  /** Default 0. Use `"legacy"` for wallets and programs that support only that. */
  readonly version?: Version | undefined
  /** Pays the fee. It is the first account of the message, a writable signer. */
  readonly feePayer: Address
  /** A recent blockhash, or the value of a durable nonce. It limits how long the message can land. */
  readonly blockhash: Blockhash
  /** Instructions in execution order, at most 64. */
  readonly instructions: ReadonlyArray<Instruction>
  /**
   * Tables for accounts that neither sign nor are invoked. If several tables hold an account, the first one provides
   * it. An account meta that names its own table keeps it. Only for version 0. Default: none.
   */
  readonly lookupTables?: ReadonlyArray<LookupTable> | undefined
}

/**
 * The input of `PreparedMessage.prepare`: that of `Message.compile` without the blockhash.
 *
 * @since 0.1.0
 * @category models
 */
export type PrepareOptions = Omit<CompileOptions, "blockhash">

/**
 * A compiled message with zeros in place of the blockhash.
 *
 * @since 0.1.0
 * @category models
 */
export interface PreparedMessage {
  /** The message bytes. Do not change them. */
  readonly bytes: Uint8Array
  /** Offset of the 32 bytes of the blockhash. */
  readonly blockhashAt: number
  /** The signers in the order of their signatures, the fee payer first. */
  readonly signers: ReadonlyArray<Address>
}
