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
import type * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { InvalidInput } from "../src/InvalidInput.js"
import type { AgentAccount } from "../src/protocol/Account.js"
import * as AccountType from "../src/protocol/AccountType.js"
import * as Instruction from "../src/protocol/Instruction.js"
import * as Pda from "../src/protocol/Pda.js"
import * as Rules from "../src/protocol/Rules.js"
import * as Addresses from "../src/solana/Address.js"
import * as TestLayer from "./internal/testLayer.js"
import { isTraced, traced } from "./internal/traced.js"
import * as Accounts from "./program/accounts.js"
import { agentAddress } from "./program/agentAddress.js"
import * as Given from "./program/givenAddresses.js"
import * as Submit from "./program/submit.js"
import type { AccountReceipt, ProgramAccount, ReadError, WriteError } from "./ProgramAccount.js"
import type { RpcPool } from "./RpcPool.js"
import type { RpcError } from "./RpcTransport.js"
import type { SendOptions, Transactions } from "./Transactions.js"
import { Wallet } from "./Wallet.js"

/**
 * The fields of an agent's registration.
 *
 * @since 0.1.0
 * @category models
 */
export interface RegisterInput {
  /** A bit set, 0 … 2^63 − 1; the application defines the meaning of each bit. Default `0n`. */
  readonly capabilities?: bigint | undefined
  /**
   * URL of the agent's published description: `http://` or `https://`, 10 … 200 bytes of UTF-8. The program refuses
   * some patterns (`..`, `javascript:`, …); `InvalidInput.rule` names the pattern found.
   */
  readonly metadataUri: string
}

/**
 * The fields to change; an omitted field keeps its value.
 *
 * @since 0.1.0
 * @category models
 */
export interface UpdateInput {
  /** As in {@link RegisterInput}. */
  readonly capabilities?: bigint | undefined
  /** As in {@link RegisterInput}, with the same checks, although some deployed programs omit them on updates. */
  readonly metadataUri?: string | undefined
}

/**
 * The operations on agents. Each write accepts the options of its transaction.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * Registers the wallet as an agent. A second registration fails with `ProgramError` (`AlreadyRegistered`), or returns
   * the first receipt with `resend: true`.
   */
  readonly register: (input: RegisterInput, options?: SendOptions) => Effect.Effect<AccountReceipt, WriteError, Wallet>
  /** Updates the wallet's agent; running it again has no further effect. `InvalidInput` if no field is given. */
  readonly update: (input: UpdateInput, options?: SendOptions) => Effect.Effect<AccountReceipt, WriteError, Wallet>
  /**
   * Reads the agent of a wallet, or the agent at an agent address. The ed25519 curve separates the two: wallet addresses
   * lie on it, program accounts do not. For a wallet that is itself such an account (a multisig's vault), pass
   * `Pda.agent(wallet).address`.
   */
  readonly get: (walletOrAgent: Address) => Effect.Effect<ProgramAccount<AgentAccount>, ReadError>
  /** Whether an agent is registered, for the same two kinds of address as `get`. */
  readonly exists: (walletOrAgent: Address) => Effect.Effect<boolean, InvalidInput | RpcError>
}

/**
 * Registers, updates and reads agents. Each write uses the {@link Wallet} in context at call time, so one process can run
 * many agents over one `Agent` service.
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

/**
 * Builds the service from the `RpcPool` and the `Transactions` in context, for the current `ProgramId`.
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

  type Read = Effect.Effect<ProgramAccount<AgentAccount>, ReadError>
  type Reader = Fiber.RuntimeFiber<unknown, unknown>

  const at = (fiber: Reader, agent: Address): Read =>
    accounts.hit(fiber, AccountType.agent, agent) ?? accounts.fetch(AccountType.agent, agent)

  /** What the cache has at an agent's address is found before the address is judged. */
  const get = (fiber: Reader, walletOrAgent: Address): Read =>
    accounts.hit(fiber, AccountType.agent, walletOrAgent) ??
    Addresses.check(walletOrAgent, "walletOrAgent") ??
    at(fiber, agentAddress(walletOrAgent, programId))

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

    // A hit of the cache costs less than a span and a few steps: nothing is made that nobody sees.
    get: (walletOrAgent) =>
      Effect.withFiberRuntime((fiber) =>
        isTraced(fiber)
          ? traced("Agent.get", { "pod.address": walletOrAgent })(
              Effect.withFiberRuntime<ProgramAccount<AgentAccount>, ReadError>((fiber) => get(fiber, walletOrAgent))
            )
          : get(fiber, walletOrAgent)
      ),

    exists: (walletOrAgent) =>
      Given.effect({ walletOrAgent }, () =>
        accounts.exists(AccountType.agent, agentAddress(walletOrAgent, programId))
      ).pipe(traced("Agent.exists", { "pod.address": walletOrAgent }))
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
 * A test layer from stubs: a call to a missing method dies with the method's name.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerTest = (stubs: Partial<Service>): Layer.Layer<Agent> => TestLayer.layer(Agent, stubs)
