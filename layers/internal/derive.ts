import { hkdfSync } from "node:crypto"

/** Apart from the other uses of a seed: signing and X25519 take its SHA-512. */
const SALT = new TextEncoder().encode("PoD wallet secret 1")

const SIZE = 32

/** HKDF-SHA256 of an Ed25519 seed. Each source of a wallet must give the same bytes. */
export const derive = (seed: Uint8Array, context: Uint8Array): Uint8Array =>
  new Uint8Array(hkdfSync("sha256", seed, SALT, context, SIZE))
