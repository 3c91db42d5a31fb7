/**
 * The hash functions that Solana programs use. All are synchronous and return 32 bytes.
 *
 * @since 0.1.0
 */
import { blake3 as nobleBlake3 } from "@noble/hashes/blake3.js"
import { keccak_256 } from "@noble/hashes/sha3.js"
import { kernel } from "./internal/kernel.js"

/**
 * SHA-256.
 *
 * @since 0.1.0
 * @category hashing
 */
export const sha256 = (bytes: Uint8Array): Uint8Array => kernel().sha256([bytes])

/**
 * SHA-256 of the concatenation of several arrays, without joining them. The arrays may be views of a
 * `SharedArrayBuffer`: the WebAssembly kernel copies its input in pieces of 32 KiB.
 *
 * @since 0.1.0
 * @category hashing
 */
export const sha256Parts = (parts: ReadonlyArray<Uint8Array>): Uint8Array => kernel().sha256(parts)

/**
 * Keccak-256, as in Ethereum and in Solana's `keccak` module. It differs from standard SHA-3.
 *
 * @since 0.1.0
 * @category hashing
 */
export const keccak256 = (bytes: Uint8Array): Uint8Array => keccak_256(bytes)

/**
 * BLAKE3 with an output of 32 bytes.
 *
 * @since 0.1.0
 * @category hashing
 */
export const blake3 = (bytes: Uint8Array): Uint8Array => nobleBlake3(bytes)
