/** What messages are compiled from and to, for the modules that make them and those that show them. */
import type { Address, Blockhash, Instruction } from "@solana/kit"

/** Versions of a message: `"legacy"`, or 0 with address lookup tables. */
export type Version = "legacy" | 0

/** An address lookup table and what it holds, in its order. */
export interface LookupTable {
  readonly address: Address
  readonly addresses: ReadonlyArray<Address>
}

/** What a message is compiled from. */
export interface CompileOptions {
  /** Default 0. Legacy is for wallets and programs that know no other. */
  readonly version?: Version | undefined
  /** Pays the fee; the first account of the message, a writable signer. */
  readonly feePayer: Address
  /** A recent blockhash, or the value of a durable nonce: what the message can land with. */
  readonly blockhash: Blockhash
  /** At most 64. */
  readonly instructions: ReadonlyArray<Instruction>
  /**
   * Tables to take accounts from, where they neither sign nor are invoked; the first table that holds an account is
   * taken. An account meta that names its own table keeps it. Only for version 0. Default none.
   */
  readonly lookupTables?: ReadonlyArray<LookupTable> | undefined
}

/** What a message is prepared from: all that it is compiled from, but the blockhash. */
export type PrepareOptions = Omit<CompileOptions, "blockhash">

/** A compiled message with zeros in the place of its blockhash. */
export interface PreparedMessage {
  /** Do not change them. */
  readonly bytes: Uint8Array
  /** Where the 32 bytes of the blockhash go. */
  readonly blockhashAt: number
  /** Who has to sign, in the order of the signatures; the fee payer first. */
  readonly signers: ReadonlyArray<Address>
}
