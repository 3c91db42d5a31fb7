import { ed25519 } from "@noble/curves/ed25519.js"
import type { Address } from "@solana/kit"
import * as Addresses from "../../src/solana/Address.js"

const publicKeys = new Map<number, Uint8Array>()

/** Solana's 64 secret bytes of the key whose seed repeats this number. */
export const secretKeyOf = (seed: number): Uint8Array => {
  const bytes = new Uint8Array(32).fill(seed)
  const publicKey = publicKeys.get(seed) ?? ed25519.getPublicKey(bytes)
  publicKeys.set(seed, publicKey)
  return Uint8Array.of(...bytes, ...publicKey)
}

/** A legacy message without instructions. Only its fee payer must sign. */
export const legacyMessage = (feePayer: Address, blockhash = 9): Uint8Array =>
  Uint8Array.of(1, 0, 0, 1, ...Addresses.toBytes(feePayer), ...new Uint8Array(32).fill(blockhash), 0)
