/** The key of a wallet, over node:crypto or libsodium. */
import type { SignatureBytes } from "@solana/kit"
import type { Opener } from "./X25519.js"

/** An Ed25519 key that signs in place. The closures hold its secret half. */
export interface SigningKey {
  readonly publicKey: Uint8Array
  readonly sign: (message: Uint8Array) => SignatureBytes
  /** Derives the key that opens payloads sealed to this key. */
  readonly opener: () => Opener
  /** Derives 32 secret bytes for a context. */
  readonly derive: (context: Uint8Array) => Uint8Array
}
