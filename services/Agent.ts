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
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { InvalidInput } from "../src/InvalidInput.js"
import { type AgentAccount, decodeAgent } from "../src/protocol/Account.js"
import * as Instruction from "../src/protocol/Instruction.js"
import * as Pda from "../src/protocol/Pda.js"
import * as Rules from "../src/protocol/Rules.js"
import * as Accounts from "./program/accounts.js"
import { agentAddress } from "./program/agentAddress.js"
import * as Submit from "./program/submit.js"
import * as Given from "./program/givenAddresses.js"
import * as TestLayer from "./internal/testLayer.js"
import { traced } from "./internal/traced.js"
import type { AccountReceipt, ProgramAccount, ReadError, WriteError } from "./ProgramAccount.js"
import type { RpcPool } from "./RpcPool.js"
import type { RpcError } from "./RpcTransport.js"
import type { SendOptions, Transactions } from "./Transactions.js"
import { Wallet } from "./Wallet.js"

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
  /**
   * Registers the wallet as an agent. A second time is refused, `ProgramError` with reason `AlreadyRegistered`, or gives
   * the first receipt with `resend: true`.
   */
  readonly register: (input: RegisterInput, options?: SendOptions) => Effect.Effect<AccountReceipt, WriteError, Wallet>
  /** Changes the wallet's agent; a second time changes nothing more. `InvalidInput` if nothing is to be changed. */
  readonly update: (input: UpdateInput, options?: SendOptions) => Effect.Effect<AccountReceipt, WriteError, Wallet>
  /**
   * The agent of a wallet, or at an agent's address. Which of the two an address is, the ed25519 curve tells: wallets
   * lie on it, accounts of programs do not. For a wallet that is itself such an account (a multisig's vault), pass
   * `Pda.agent(wallet).address`.
   */
  readonly get: (walletOrAgent: Address) => Effect.Effect<ProgramAccount<AgentAccount>, ReadError>
  /** Whether an agent is registered, for the same two kinds of address as `get`. */
  readonly exists: (walletOrAgent: Address) => Effect.Effect<boolean, InvalidInput | RpcError>
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

const AGENT: Accounts.AccountType<AgentAccount> = {
  tag: "AgentAccount",
  decode: decodeAgent,
  addressOf: ({ wallet }, programId) => Pda.agent(wallet, programId).address
}

/**
 * The service over the connections that are there, for the program that `ProgramId` names when this runs.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<Service, never, RpcPool | Transactions> = Effect.gen(function* () {
  const accounts = yield* Accounts.make
  const submit = yield* Submit.make
  const { programId } = accounts

  const ownAgent = Effect.map(Wallet, ({ address: wallet }) => ({
    wallet,
    agent: Pda.agent(wallet, programId).address
  })).pipe(Effect.tap(({ agent }) => Effect.annotateCurrentSpan("pod.agent", agent)))

  return Agent.of({
    register: ({ capabilities = 0n, metadataUri }, options) =>
      Effect.gen(function* () {
        yield* Rules.checkMetadataUri(metadataUri)
        yield* Rules.checkCapabilities(capabilities)
        const { agent, wallet } = yield* ownAgent
        const instruction = yield* Instruction.registerAgent({ wallet, agent, capabilities, metadataUri, programId })
        return yield* submit.create(agent, [instruction], options)
      }).pipe(traced("Agent.register")),

    update: ({ capabilities, metadataUri }, options) =>
      Effect.gen(function* () {
        if (capabilities === undefined && metadataUri === undefined) {
          return yield* new InvalidInput({ field: "input", rule: "must change something" })
        }
        if (metadataUri !== undefined) yield* Rules.checkMetadataUri(metadataUri)
        if (capabilities !== undefined) yield* Rules.checkCapabilities(capabilities)
        const { agent, wallet } = yield* ownAgent
        const instruction = yield* Instruction.updateAgent({ wallet, agent, capabilities, metadataUri, programId })
        return yield* submit.account(agent, [instruction], options)
      }).pipe(traced("Agent.update")),

    get: (walletOrAgent) =>
      Given.effect({ walletOrAgent }, () => accounts.fetch(AGENT, agentAddress(walletOrAgent, programId))).pipe(
        traced("Agent.get", { "pod.address": walletOrAgent })
      ),

    exists: (walletOrAgent) =>
      Given.effect({ walletOrAgent }, () => accounts.exists(AGENT.tag, agentAddress(walletOrAgent, programId))).pipe(
        traced("Agent.exists", { "pod.address": walletOrAgent })
      )
  })
})

/**
 * {@link make} as a layer.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<Agent, never, RpcPool | Transactions> = Layer.effect(Agent, make)

/**
 * Agents of stubs: a method that is not given dies with its name.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerTest = (stubs: Partial<Service>): Layer.Layer<Agent> => TestLayer.layer(Agent, stubs)
