import type { Address } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Instruction from "../../src/protocol/Instruction.js"
import { Text } from "../../src/protocol/MessageType.js"
import * as Pda from "../../src/protocol/Pda.js"
import * as Hash from "../../src/solana/Hash.js"
import { STRANGER } from "./transfers.js"

/** The instruction that sends the wallet's message with that number, and the account that it creates. */
export const message = Effect.fnUntraced(function* (wallet: Address, index: number) {
  const agent = Pda.agent(wallet).address
  const payloadHash = Hash.sha256(new TextEncoder().encode(`message ${index}`))
  const { address } = yield* Pda.message({ sender: agent, recipient: STRANGER, payloadHash, type: Text })
  const instruction = yield* Instruction.sendMessage({
    wallet,
    agent,
    recipient: STRANGER,
    payloadHash,
    type: Text,
    message: address
  })
  return { address, instruction }
})

/** The instruction that registers the wallet as an agent. */
export const register = (wallet: Address) =>
  Instruction.registerAgent({
    wallet,
    agent: Pda.agent(wallet).address,
    capabilities: 1n,
    metadataUri: "https://example.com/agent.json"
  })
