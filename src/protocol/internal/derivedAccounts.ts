/**
 * How builders find the accounts that their input leaves to them.
 */
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

/** An account that may be left out: `true` derives it, an address names it. */
export const optional = (choice: Address | boolean | undefined, derive: () => Address): Address | undefined =>
  choice === true ? derive() : choice === false ? undefined : choice
