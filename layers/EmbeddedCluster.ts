/**
 * A Solana cluster in this process: LiteSVM behind Solana's JSON-RPC and WebSocket methods, timed by Effect's Clock.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { InvalidInput } from "../src/InvalidInput.js"
import type { EmbeddedClusterError } from "./embedded/EmbeddedClusterError.js"
import type { Service } from "./embedded/Model.js"
import type * as Options from "./embedded/Options.js"

export { EmbeddedClusterError } from "./embedded/EmbeddedClusterError.js"
export type * from "./embedded/Model.js"
export type { AccountImage, Options, ProgramImage } from "./embedded/Options.js"
export { JsonRpcError } from "./embedded/rpc/JsonRpcError.js"

export {
  /**
   * The host name in spans and errors.
   *
   * @since 0.1.0
   * @category constants
   */
  HOST
} from "./embedded/Host.js"

/**
 * A Solana cluster in this process.
 *
 * @example
 * ```ts
 * import { EmbeddedCluster } from "@pod-protocol/effect"
 * import type { Address } from "@solana/kit"
 * import * as Effect from "effect/Effect"
 *
 * export const slotAfter = (address: Address) =>
 *   Effect.gen(function* () {
 *     const cluster = yield* EmbeddedCluster.EmbeddedCluster
 *     yield* cluster.airdrop(address, 1_000_000_000n)
 *     yield* cluster.advanceSlots(10)
 *     const { slot } = yield* cluster.activity
 *     return slot
 *   }).pipe(Effect.provide(EmbeddedCluster.layer({ blockMode: "instant" })))
 * ```
 *
 * @since 0.1.0
 * @category tags
 */
export class EmbeddedCluster extends Context.Tag("@pod-protocol/effect/EmbeddedCluster")<EmbeddedCluster, Service>() {}

/**
 * Starts a cluster that runs until the scope closes. LiteSVM and the cluster's modules are loaded by this call, not by
 * the import of this module. Fails with `EmbeddedClusterError` if LiteSVM, a program or the ledger cannot be used, and
 * with `InvalidInput` for an option out of its range.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options?: Options.Options
): Effect.Effect<Service, EmbeddedClusterError | InvalidInput, Scope.Scope> =>
  Effect.flatMap(
    Effect.promise(() => import("./embedded/Cluster.js")),
    (Cluster) => Cluster.make(options)
  )

/**
 * A new cluster with the PoD program loaded.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options?: Options.Options): Layer.Layer<EmbeddedCluster, EmbeddedClusterError | InvalidInput> =>
  Layer.scoped(EmbeddedCluster, make(options))
