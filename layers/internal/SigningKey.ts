import type { SignatureBytes } from "@solana/kit"

/** An Ed25519 key that signs in place. The closure of `sign` holds its secret half. */
export interface SigningKey {
  readonly publicKey: Uint8Array
  readonly sign: (message: Uint8Array) => SignatureBytes
}
