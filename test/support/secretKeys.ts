import { generateKeyPairSync } from "node:crypto"
import * as Base58 from "../../src/solana/Base58.js"

/** Solana's 64 secret bytes of a new key. */
export const secretKey = (): Uint8Array => {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519", {
    privateKeyEncoding: { format: "der", type: "pkcs8" },
    publicKeyEncoding: { format: "der", type: "spki" }
  })
  return Uint8Array.from(Buffer.concat([privateKey.subarray(-32), publicKey.subarray(-32)]))
}

/** The textual forms of the bytes, including the bytes as Latin-1. */
export const formsOf = (bytes: Uint8Array): ReadonlyArray<string> => [
  Buffer.from(bytes).toString("latin1"),
  Base58.encode(bytes),
  Buffer.from(bytes).toString("hex"),
  Buffer.from(bytes).toString("base64").replace(/=+$/, ""),
  bytes.join(",")
]
