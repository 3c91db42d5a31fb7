import type { Address } from "@solana/kit"
import * as Pda from "../../src/protocol/Pda.js"
import * as Curve from "../../src/solana/Curve.js"

/** Wallets lie on the ed25519 curve, accounts of programs off it. */
export const isWallet: (address: Address) => boolean = Curve.isKey

/** The agent address of a wallet; any other address is taken for an agent's own. */
export const agentAddress = (walletOrAgent: Address, programId: Address): Address =>
  isWallet(walletOrAgent) ? Pda.agent(walletOrAgent, programId).address : walletOrAgent
