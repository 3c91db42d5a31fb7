/**
 * Instructions about agents.
 *
 * @since 0.1.0
 */
import type { Address } from "@solana/kit"
import * as Option from "effect/Option"
import { SYSTEM_PROGRAM } from "../../solana/Address.js"
import { agentOf } from "../internal/derivedAccounts.js"
import { checked } from "../internal/givenAddresses.js"
import { assemble } from "./build.js"

/**
 * Input of {@link registerAgent}.
 *
 * @since 0.1.0
 * @category models
 */
export interface RegisterAgentInput {
  /** Signs, and pays the rent. */
  readonly wallet: Address
  /** A bit set of at most 63 bits. */
  readonly capabilities: bigint
  /** URI of the agent's metadata: `https://` or `http://`, 10–200 bytes. */
  readonly metadataUri: string
  /** Default: the wallet's agent address. */
  readonly agent?: Address | undefined
  /** Default: the published program. */
  readonly programId?: Address | undefined
}

/**
 * Creates the agent account of a wallet.
 *
 * @example
 * import * as Instruction from "@pod-protocol/effect/protocol/Instruction"
 * import type { Address } from "@solana/kit"
 *
 * export const register = (wallet: Address) =>
 *   Instruction.registerAgent({ wallet, capabilities: 3n, metadataUri: "https://example.com/agent.json" })
 *
 * @since 0.1.0
 * @category constructors
 */
export const registerAgent = checked(
  { wallet: "required", agent: "optional", programId: "optional" },
  (input: RegisterAgentInput) =>
    assemble(
      { _tag: "RegisterAgent", capabilities: input.capabilities, metadataUri: input.metadataUri },
      {
        agentAccount: agentOf(input),
        signer: input.wallet,
        systemProgram: SYSTEM_PROGRAM
      },
      input.programId
    )
)

/**
 * Input of {@link updateAgent}.
 *
 * @since 0.1.0
 * @category models
 */
export interface UpdateAgentInput {
  /** The agent's wallet. Signs. */
  readonly wallet: Address
  /** Default: unchanged. */
  readonly capabilities?: bigint | undefined
  /** Default: unchanged. */
  readonly metadataUri?: string | undefined
  /** Default: the wallet's agent address. */
  readonly agent?: Address | undefined
  /** Default: the published program. */
  readonly programId?: Address | undefined
}

/**
 * Replaces the given fields of an agent.
 *
 * @since 0.1.0
 * @category constructors
 */
export const updateAgent = checked(
  { wallet: "required", agent: "optional", programId: "optional" },
  (input: UpdateAgentInput) =>
    assemble(
      {
        _tag: "UpdateAgent",
        capabilities: Option.fromNullable(input.capabilities),
        metadataUri: Option.fromNullable(input.metadataUri)
      },
      { agentAccount: agentOf(input), signer: input.wallet },
      input.programId
    )
)
