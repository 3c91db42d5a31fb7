/** The faucet: a wallet of the cluster that pays airdrops with real transactions. */
import { createHash, createPrivateKey, createPublicKey, randomBytes, sign } from "node:crypto"
import type { Address, Blockhash } from "@solana/kit"
import * as Either from "effect/Either"
import type { InvalidInput } from "../../../src/InvalidInput.js"
import * as Addresses from "../../../src/solana/Address.js"
import * as Message from "../../../src/solana/Message.js"
import * as Wire from "../../../src/solana/Wire.js"

/** Creates airdrop transactions. */
export interface Faucet {
  readonly address: Address
  /** A signed transfer. A marked one names an additional account, so that it is not a duplicate of an equal one. */
  readonly transfer: (
    recipient: Address,
    lamports: bigint,
    blockhash: Blockhash,
    isMarked: boolean
  ) => Either.Either<Uint8Array, InvalidInput>
}

/** The PKCS #8 header of an Ed25519 seed. */
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex")
const PUBLIC_KEY_BYTES = 32

interface Other {
  readonly address: Address
  readonly role: 0
}

/** Creates the faucet. Its key is public and the same for every embedded cluster. */
export const make = (): Faucet => {
  const seed = createHash("sha256").update("embedded cluster faucet").digest()
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: "der", type: "pkcs8" })
  const publicKey = createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-PUBLIC_KEY_BYTES)
  const address = Addresses.fromBytes(publicKey)
  return {
    address,
    transfer: (recipient, lamports, blockhash, isMarked) => {
      const others = isMarked ? [{ address: mark(), role: 0 as const }] : []
      return Either.map(
        Message.compile({
          version: "legacy",
          feePayer: address,
          blockhash,
          instructions: [transfer(address, recipient, lamports, others)]
        }),
        (message) => Wire.encode([sign(null, message, key)], message)
      )
    }
  }
}

/** An address that no earlier transfer names, also not one before a restart. */
const mark = (): Address => Addresses.fromBytes(randomBytes(Addresses.SIZE))

const transfer = (from: Address, to: Address, lamports: bigint, others: ReadonlyArray<Other>) => {
  const data = new Uint8Array(12)
  const view = new DataView(data.buffer)
  view.setUint32(0, 2, true)
  view.setBigUint64(4, lamports, true)
  return {
    programAddress: Addresses.SYSTEM_PROGRAM,
    accounts: [{ address: from, role: 3 as const }, { address: to, role: 1 as const }, ...others],
    data
  }
}
