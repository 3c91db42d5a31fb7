import type { SignatureBytes } from "@solana/kit"

/** An Ed25519 key that signs in place. Its secret half is in the closure of `sign`. */
export interface SigningKey {
  readonly publicKey: Uint8Array
  readonly sign: (message: Uint8Array) => SignatureBytes
}
