/**
 * One sender, 256 recipients and a blockhash, in the form that each contender needs.
 */
import { createPrivateKey } from "node:crypto"
import { ed25519 } from "@noble/curves/ed25519.js"
import type { Address, Blockhash } from "@solana/kit"
import * as Either from "effect/Either"
import * as Pda from "../../src/protocol/Pda.js"
import * as Addresses from "../../src/solana/Address.js"
import * as Blockhashes from "../../src/solana/Blockhash.js"

const COUNT = 256

const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex")

const seed = new Uint8Array(32).fill(7)
const publicKey = ed25519.getPublicKey(seed)

/** The secret key as Solana's 64 bytes. */
export const secretKey = Uint8Array.of(...seed, ...publicKey)
export const wallet: Address = Addresses.fromBytes(publicKey)
export const agent: Address = Pda.agent(wallet).address
export const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: "der", type: "pkcs8" })
/** The same key for WebCrypto. */
export const keyPair: CryptoKeyPair = {
  privateKey: await crypto.subtle.importKey("pkcs8", Buffer.concat([PKCS8_PREFIX, seed]), "Ed25519", false, ["sign"]),
  publicKey: await crypto.subtle.importKey("raw", publicKey, "Ed25519", true, ["verify"])
}
export const sender = { wallet: publicKey, agent: Addresses.toBytes(agent) }

export const blockhash: Blockhash = Blockhashes.fromBytes(new Uint8Array(32).fill(9))
export const blockhashBytes = Blockhashes.toBytes(blockhash)

const recipientKeys = Array.from({ length: COUNT }, (_, index) =>
  ed25519.getPublicKey(new Uint8Array(32).fill(index).fill(1, 0, 16))
)
const recipientAddresses = recipientKeys.map((bytes) => Addresses.fromBytes(bytes))

const cycle =
  <A>(items: ReadonlyArray<A>) =>
  (index: number): A => {
    const item = items[index % items.length]
    if (item === undefined) throw new RangeError("nothing to cycle through")
    return item
  }

export const recipientBytes = cycle(recipientKeys)
export const recipient = cycle(recipientAddresses)

let next = 0

/** A text that was not sent before. */
export const payload = (): string => `message ${next++} to somebody who reads it`

/** The result of a step of the setup. Throws if the step failed. */
export const sure = <A, E>(either: Either.Either<A, E>): A => Either.getOrThrow(either)
