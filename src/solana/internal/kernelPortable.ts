/**
 * The kernel in plain JavaScript, for platforms without WebAssembly. It gives the same results as the WebAssembly
 * kernel.
 */
import { sha256 } from "@noble/hashes/sha2.js"
import type { Kernel } from "./kernelModel.js"
import { MARKER } from "./programAddressMarker.js"

const P = 2n ** 255n - 19n
const D = 0x52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3n

/** Whether the Jacobi symbol (a / n) is 0 or 1, for an odd n. */
const isResidue = (value: bigint): boolean => {
  let a = value
  let n = P
  let sign = 1
  while (a !== 0n) {
    while ((a & 1n) === 0n) {
      a >>= 1n
      const residue = n & 7n
      if (residue === 3n || residue === 5n) sign = -sign
    }
    if ((a & n & 2n) !== 0n) sign = -sign
    ;[a, n] = [n % a, a]
  }
  return sign === 1 || n !== 1n
}

/** x² = u / v has a solution exactly when u · v is a square. */
const isOnCurve = (bytes: Uint8Array): boolean => {
  let y = 0n
  for (let i = 31; i >= 0; i--) y = (y << 8n) | BigInt((bytes[i] ?? 0) & (i === 31 ? 0x7f : 0xff))
  const y2 = (y * y) % P
  const u = y2 - 1n + P
  const v = D * y2 + 1n
  return isResidue((u * v) % P)
}

const digest = new Uint8Array(32)

const findBump = (seeds: ReadonlyArray<Uint8Array>, program: Uint8Array): number => {
  const prefix = sha256.create()
  for (const seed of seeds) prefix.update(seed)
  for (let bump = 255; bump > 0; bump--) {
    prefix.clone().update(Uint8Array.of(bump)).update(program).update(MARKER).digestInto(digest)
    if (!isOnCurve(digest)) return bump
  }
  return 0
}

const sha256Of = (parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const hash = sha256.create()
  for (const part of parts) hash.update(part)
  return hash.digest()
}

export const portable: Kernel = { sha256: sha256Of, isOnCurve, findBump, digest }
