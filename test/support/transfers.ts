import { type Address, address, type Instruction, lamports } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as WalletNode from "../../layers/WalletNode.js"
import * as Addresses from "../../src/solana/Address.js"
import { secretKeyOf } from "./wallets.js"

/** The wallet whose seed repeats this number. */
export const walletOf = (seed: number) => Effect.orDie(WalletNode.fromSecretKey(Redacted.make(secretKeyOf(seed))))

/** A System transfer: sender, recipient, amount. */
export const transfer = (from: Address, to: Address, amount: bigint): Instruction => {
  const data = new Uint8Array(12)
  data[0] = 2
  new DataView(data.buffer).setBigUint64(4, lamports(amount), true)
  return {
    programAddress: Addresses.SYSTEM_PROGRAM,
    accounts: [
      { address: from, role: 3 },
      { address: to, role: 1 }
    ],
    data
  }
}

/** An address without lamports and without activity. */
export const STRANGER = address("Stranger11111111111111111111111111111111111")
