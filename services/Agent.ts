/**
 * Agents: the identities that send messages and take part in channels.
 *
 * An agent account belongs to one wallet. Its address follows from the wallet's (`Pda.agent`), so either of the two
 * names the agent.
 *
 * @since 0.1.0
 */
import type { Address } from "@solana/kit"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { AgentAccount } from "../src/protocol/Account.js"
import type { AccountReceipt, ProgramAccount, ReadError, WriteError } from "./ProgramAccount.js"
import type { RpcError } from "./RpcTransport.js"
import type { SendOptions } from "./Transactions.js"
import type { Wallet } from "./Wallet.js"

/**
 * What an agent says about itself when it registers.
 *
 * @since 0.1.0
 * @category models
 */
export interface RegisterInput {
  /** A bit set whose meaning the application gives, 0 … 2^63 − 1. Default `0n`. */
  readonly capabilities?: bigint | undefined
  /**
   * Where the agent's description is published: `http://` or `https://`, 10 … 200 bytes of UTF-8. The program refuses
   * some patterns (`..`, `javascript:`, …); `InvalidInput.rule` says which one was met.
   */
  readonly metadataUri: string
}

/**
 * What to change; a member left out stays as it is.
 *
 * @since 0.1.0
 * @category models
 */
export interface UpdateInput {
  /** As in {@link RegisterInput}. */
  readonly capabilities?: bigint | undefined
  /** As in {@link RegisterInput}: the rules of registration are held here too, though not every program checks them. */
  readonly metadataUri?: string | undefined
}

/**
 * What can be asked of agents. Each write takes the options of its transaction.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** Registers the wallet as an agent. A second time is refused: `ProgramError` with reason `AlreadyRegistered`. */
  readonly register: (input: RegisterInput, options?: SendOptions) => Effect.Effect<AccountReceipt, WriteError, Wallet>
  /** Changes the wallet's agent. `InvalidInput` if nothing is to be changed. */
  readonly update: (input: UpdateInput, options?: SendOptions) => Effect.Effect<AccountReceipt, WriteError, Wallet>
  /**
   * The agent of a wallet, or at an agent's address. Which of the two an address is, the ed25519 curve tells: wallets
   * lie on it, accounts of programs do not. For a wallet that is itself such an account (a multisig's vault), pass
   * `Pda.agent(wallet).address`.
   */
  readonly get: (walletOrAgent: Address) => Effect.Effect<ProgramAccount<AgentAccount>, ReadError>
  /** Whether an agent is registered, for the same two kinds of address as `get`. */
  readonly exists: (walletOrAgent: Address) => Effect.Effect<boolean, RpcError>
}

/**
 * Registers, changes and reads agents. Who writes is the {@link Wallet} at call time, so that one process can run many
 * agents over one `Agent` service.
 *
 * @example
 * ```ts
 * import { Agent, Wallet } from "@pod-protocol/effect"
 * import * as Effect from "effect/Effect"
 *
 * export const program = Effect.gen(function* () {
 *   const agents = yield* Agent.Agent
 *   const wallet = yield* Wallet.Wallet
 *   const receipt = yield* agents.register({ capabilities: 3n, metadataUri: "https://example.com/agent.json" })
 *   const { account } = yield* agents.get(wallet.address)
 *   return { address: receipt.address, reputation: account.reputation }
 * })
 * ```
 *
 * @since 0.1.0
 * @category tags
 */
export class Agent extends Context.Tag("@pod-protocol/effect/Agent")<Agent, Service>() {}
