/** Distinguishes wallets from agents' addresses. */
import type { Address } from "@solana/kit"
import * as Pda from "../../src/protocol/Pda.js"
import * as Curve from "../../src/solana/Curve.js"

/** Whether an address is a wallet. Wallets lie on the ed25519 curve, accounts of programs do not. */
export const isWallet: (address: Address) => boolean = Curve.isKey

/** The agent address of a wallet. Any other address counts as an agent's address and is returned unchanged. */
export const agentAddress = (walletOrAgent: Address, programId: Address): Address =>
  isWallet(walletOrAgent) ? Pda.agent(walletOrAgent, programId).address : walletOrAgent
