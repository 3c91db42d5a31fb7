import type { Address, Blockhash } from "@solana/kit"
import { lamports } from "@solana/kit"
import type { AccountInfo } from "../../services/rpc/Reply.js"
import * as Addresses from "../../src/solana/Address.js"
import * as Blockhashes from "../../src/solana/Blockhash.js"
import * as NonceAccount from "../../src/solana/NonceAccount.js"

/** The state of a nonce account; usable by default. */
export interface Stored {
  readonly version?: number
  readonly state?: number
  readonly authority: Address
  readonly nonce: Blockhash
  readonly lamportsPerSignature?: bigint
}

/** The 80 bytes as Agave writes them. */
export const dataOf = ({ authority, lamportsPerSignature = 5000n, nonce, state = 1, version = 1 }: Stored) => {
  const bytes = new Uint8Array(NonceAccount.SIZE)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, version, true)
  view.setUint32(4, state, true)
  bytes.set(Addresses.toBytes(authority), 8)
  bytes.set(Blockhashes.toBytes(nonce), 40)
  view.setBigUint64(72, lamportsPerSignature, true)
  return bytes
}

/** The account in the pool's form. */
export const accountOf = (address: Address, stored: Stored): AccountInfo => ({
  address,
  owner: Addresses.SYSTEM_PROGRAM,
  space: BigInt(NonceAccount.SIZE),
  data: dataOf(stored),
  lamports: lamports(1_447_680n),
  executable: false
})
