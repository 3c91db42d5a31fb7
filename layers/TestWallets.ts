/**
 * Wallets with lamports, for tests and demonstrations on an embedded cluster.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Wallet from "../services/Wallet.js"
import type { InvalidInput } from "../src/InvalidInput.js"
import { EmbeddedCluster } from "./EmbeddedCluster.js"
import * as WalletNode from "./WalletNode.js"

/**
 * The interface of {@link TestWallets}.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** A new wallet with 10 SOL. */
  readonly funded: Effect.Effect<Wallet.Service>
  /** A new wallet with the given lamports: 0, or at least 890,880, the rent-exempt minimum of a wallet. */
  readonly fundedWith: (lamports: bigint) => Effect.Effect<Wallet.Service, InvalidInput>
}

/**
 * Creates funded wallets.
 *
 * @example
 * ```ts
 * import { Agent, Pod, TestWallets, Wallet } from "@pod-protocol/effect"
 * import * as Effect from "effect/Effect"
 *
 * const register = Effect.flatMap(Agent.Agent, (agents) =>
 *   agents.register({ metadataUri: "https://example.com/agent.json" })
 * )
 *
 * export const test = Effect.gen(function* () {
 *   const alice = yield* TestWallets.funded
 *   const receipt = yield* Effect.provideService(register, Wallet.Wallet, alice)
 *   return receipt.address
 * }).pipe(Effect.provide(Pod.layerTest))
 * ```
 *
 * @since 0.1.0
 * @category tags
 */
export class TestWallets extends Context.Tag("@pod-protocol/effect/TestWallets")<TestWallets, Service>() {}

const TEN_SOL = 10_000_000_000n

/**
 * Creates wallets on the embedded cluster in context and funds them from its faucet.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<Service, never, EmbeddedCluster> = Effect.map(EmbeddedCluster, (cluster) => {
  const fundedWith: Service["fundedWith"] = (lamports) =>
    Effect.tap(WalletNode.generate, ({ address }) =>
      lamports === 0n ? Effect.void : cluster.airdrop(address, lamports)
    )
  return { funded: Effect.orDie(fundedWith(TEN_SOL)), fundedWith }
})

/**
 * {@link make} as a layer.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<TestWallets, never, EmbeddedCluster> = Layer.effect(TestWallets, make)

/**
 * A new wallet with 10 SOL.
 *
 * @since 0.1.0
 * @category accessors
 */
export const funded: Effect.Effect<Wallet.Service, never, TestWallets> = Effect.flatMap(
  TestWallets,
  (wallets) => wallets.funded
)
