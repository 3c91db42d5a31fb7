/**
 * The hashes that Solana programs use, synchronous. Each gives 32 bytes.
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
 * SHA-256 of several arrays, one behind the other, as of one that holds them all. They need not be joined for it, and
 * may be views of a `SharedArrayBuffer`. WebAssembly sees its own memory only: it reads them in pieces of 32 KiB there.
 *
 * @since 0.1.0
 * @category hashing
 */
export const sha256Parts = (parts: ReadonlyArray<Uint8Array>): Uint8Array => kernel().sha256(parts)

/**
 * Keccak-256, as Ethereum and Solana's `keccak` module have it: not the SHA-3 of the standard.
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
