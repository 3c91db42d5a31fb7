/** Derives the accounts that a builder's input omits. */
import type { Address } from "@solana/kit"
import * as Pda from "../Pda.js"

/** The wallet's agent, unless the input names it. */
export const agentOf = (input: {
  readonly wallet: Address
  readonly agent?: Address | undefined
  readonly programId?: Address | undefined
}): Address => input.agent ?? Pda.agent(input.wallet, input.programId).address

/** The agent's participant account in the channel, unless the input names it. */
export const participantOf = (
  input: {
    readonly channel: Address
    readonly participant?: Address | undefined
    readonly programId?: Address | undefined
  },
  agent: Address
): Address => input.participant ?? Pda.participant(input.channel, agent, input.programId).address

/** An optional account: `true` derives it, an address is used as it is. */
export const optional = (choice: Address | boolean | undefined, derive: () => Address): Address | undefined =>
  choice === true ? derive() : choice === false ? undefined : choice
