/**
 * Layers that wire all services for most applications.
 *
 * ```text
 *   Agent   Message   Channel   Escrow   DurableNonce
 *      │       │ └─ PayloadStore   │           │
 *      └──── Transactions ─────────┴───────────┘        Wallet: given at each call
 *                  │
 *               RpcPool
 *            ┌─────┴──────┐
 *         undici    embedded cluster
 * ```
 *
 * With the option `cache`, reads of single accounts go through a `Cache`: `Pod.layer({ url, cache: {} })`. With
 * `invalidator: {}` in addition, the cache follows the changes of the program.
 *
 * A layer is a value: create it once (`const PodLive = Pod.layer(…)`) and provide that value. Two calls of `Pod.layer`
 * open two sets of connections.
 *
 * @since 0.1.0
 */
import type { Commitment } from "@solana/kit"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Agent from "../services/Agent.js"
import * as Cache from "../services/Cache.js"
import * as CacheInvalidator from "../services/CacheInvalidator.js"
import * as Channel from "../services/Channel.js"
import * as DurableNonce from "../services/DurableNonce.js"
import type { EndpointsError } from "../services/EndpointsError.js"
import * as Escrow from "../services/Escrow.js"
import * as Message from "../services/Message.js"
import * as PayloadStore from "../services/PayloadStore.js"
import * as ProgramId from "../services/ProgramId.js"
import * as ProtocolEvents from "../services/ProtocolEvents.js"
import type { RpcPool } from "../services/RpcPool.js"
import * as Transactions from "../services/Transactions.js"
import type { Wallet, WalletError } from "../services/Wallet.js"
import type { InvalidInput } from "../src/InvalidInput.js"
import * as EmbeddedCluster from "./EmbeddedCluster.js"
import * as Shared from "./internal/Shared.js"
import * as PayloadStoreUndici from "./PayloadStoreUndici.js"
import * as PodConfig from "./PodConfig.js"
import * as RpcPoolEmbedded from "./RpcPoolEmbedded.js"
import * as RpcPoolUndici from "./RpcPoolUndici.js"
import * as SealingNode from "./SealingNode.js"
import * as TestWallets from "./TestWallets.js"
import * as WalletNode from "./WalletNode.js"

/**
 * The services of the program and those on which they depend.
 *
 * @since 0.1.0
 * @category models
 */
export type Services =
  | Agent.Agent
  | Channel.Channel
  | DurableNonce.DurableNonce
  | Escrow.Escrow
  | Message.Message
  | Transactions.Transactions

/**
 * The services with the `RpcPool` and the `PayloadStore` from the context.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerServices = (
  options?: Transactions.Options
): Layer.Layer<Services, InvalidInput, PayloadStore.PayloadStore | RpcPool> =>
  Layer.mergeAll(
    Agent.layer,
    Channel.layer,
    DurableNonce.layer,
    Escrow.layer,
    Layer.provide(Message.layer, SealingNode.layer)
  ).pipe(Layer.provideMerge(Transactions.layer(options)))

/**
 * Options for payload servers of {@link layer}.
 *
 * @since 0.1.0
 * @category models
 */
export interface PayloadsConfig {
  /** The servers that store payloads. */
  readonly payloads: PodConfig.Payloads
}

/**
 * Options for a cache of {@link layer}.
 *
 * @since 0.1.0
 * @category models
 */
export interface CacheConfig<E = never> {
  /**
   * The cache for reads of single accounts. Options make a cache in memory (`Cache.layerMemory`); your own layer may
   * have a second level.
   */
  readonly cache: Cache.Options | Layer.Layer<Cache.Cache, E, RpcPool>
}

/**
 * Options for a cache of {@link layer} that follows the changes of the program.
 *
 * @since 0.1.0
 * @category models
 */
export interface InvalidatorConfig<E = never> extends CacheConfig<E> {
  /**
   * Options of the `CacheInvalidator`. The layer also provides the `ProtocolEvents` that it follows, with the options
   * `events`, by default their defaults.
   */
  readonly invalidator: CacheInvalidator.Options & { readonly events?: ProtocolEvents.Options | undefined }
}

/** The services that {@link layer} adds for an {@link InvalidatorConfig}. */
type Following = Cache.Cache | CacheInvalidator.CacheInvalidator | ProtocolEvents.ProtocolEvents

const isLayer = <E>(cache: CacheConfig<E>["cache"]): cache is Layer.Layer<Cache.Cache, E, RpcPool> =>
  Layer.isLayer(cache)

/** The cache and its invalidator. */
const cacheOf = <E>(
  cache: CacheConfig<E>["cache"] | undefined,
  invalidator: InvalidatorConfig["invalidator"] | undefined,
  commitment: Commitment
): Layer.Layer<never, E | InvalidInput, RpcPool> => {
  if (cache === undefined) return Layer.empty
  const caching: Layer.Layer<Cache.Cache, E | InvalidInput, RpcPool> = isLayer(cache) ? cache : Cache.layerMemory(cache)
  if (invalidator === undefined) return caching
  const { events, ...options } = invalidator
  return CacheInvalidator.layer({ commitment: commitment === "finalized" ? commitment : "confirmed", ...options }).pipe(
    Layer.provideMerge(Layer.merge(caching, ProtocolEvents.layer(events)))
  )
}

/**
 * The services on a cluster, over undici. Sender and recipient must share one `PayloadStore`. With the option
 * `payloads`, payload servers store the payloads, for agents on several machines; see `PayloadStoreHttp`. Otherwise the
 * store comes from the context: `PayloadStore.layerMemory` serves the agents of one process,
 * `PayloadStore.layerKeyValueStore` those of several. Fails with `InvalidInput` for an invalid URL. Fails with
 * `EndpointsError` if no endpoint answers at the start, if the endpoints belong to different clusters, or if their
 * cluster lacks the program.
 *
 * @example
 * ```ts
 * import { PayloadStore, Pod } from "@pod-protocol/effect"
 * import * as Layer from "effect/Layer"
 *
 * export const PodLive = Pod.layer({ url: "http://127.0.0.1:8899" }).pipe(
 *   Layer.provide(PayloadStore.layerMemory)
 * )
 *
 * export const OnTwoMachines = Pod.layer({
 *   url: "https://rpc.example",
 *   payloads: { url: "https://payloads.example", token: "s3cret" }
 * })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export function layer<E = never>(
  config: PodConfig.PodConfig & InvalidatorConfig<E> & PayloadsConfig
): Layer.Layer<Following | PayloadStore.PayloadStore | RpcPool | Services, E | EndpointsError | InvalidInput>
export function layer<E = never>(
  config: PodConfig.PodConfig & InvalidatorConfig<E>
): Layer.Layer<Following | RpcPool | Services, E | EndpointsError | InvalidInput, PayloadStore.PayloadStore>
export function layer<E = never>(
  config: PodConfig.PodConfig & CacheConfig<E> & PayloadsConfig
): Layer.Layer<Cache.Cache | PayloadStore.PayloadStore | RpcPool | Services, E | EndpointsError | InvalidInput>
export function layer<E = never>(
  config: PodConfig.PodConfig & CacheConfig<E>
): Layer.Layer<Cache.Cache | RpcPool | Services, E | EndpointsError | InvalidInput, PayloadStore.PayloadStore>
export function layer(
  config: PodConfig.PodConfig & PayloadsConfig
): Layer.Layer<PayloadStore.PayloadStore | RpcPool | Services, EndpointsError | InvalidInput>
export function layer(
  config: PodConfig.PodConfig
): Layer.Layer<RpcPool | Services, EndpointsError | InvalidInput, PayloadStore.PayloadStore>
export function layer<E>({
  cache,
  invalidator,
  programId = PodConfig.defaults.programId,
  commitment = PodConfig.defaults.commitment,
  startCheck = PodConfig.defaults.startCheck,
  payloads,
  transactions,
  ...options
}: PodConfig.PodConfig & Partial<InvalidatorConfig<E>>): Layer.Layer<
  RpcPool | Services,
  E | EndpointsError | InvalidInput,
  PayloadStore.PayloadStore
> {
  return layerServices({ ...transactions, commitment }).pipe(
    Layer.provideMerge(cacheOf(cache, invalidator, commitment)),
    Layer.provideMerge(
      RpcPoolUndici.layer({
        ...Shared.spread(options),
        commitment,
        program: startCheck ? programId : options.program
      })
    ),
    Layer.provideMerge(payloads === undefined ? fromContext : PayloadStoreUndici.layer(payloads)),
    Layer.provide(ProgramId.layer(programId))
  )
}

const fromContext = Layer.effect(PayloadStore.PayloadStore, PayloadStore.PayloadStore)

/**
 * As {@link layer}, with the options and the wallet of the process from its environment. It requires `POD_RPC_URL` and
 * `POD_WALLET` (a keypair file's path, or the key itself); `PodConfig.config` lists the other variables. With
 * `POD_PAYLOAD_URL`, that server stores the payloads, and the `PayloadStore` of the context is not used.
 *
 * @example
 * ```ts
 * import { PayloadStore, Pod } from "@pod-protocol/effect"
 * import * as Layer from "effect/Layer"
 *
 * // POD_RPC_URL=https://rpc.example POD_WALLET=./agent.json node main.js
 * export const PodLive = Layer.provide(Pod.layerConfig, PayloadStore.layerMemory)
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig: Layer.Layer<
  RpcPool | Services | Wallet,
  ConfigError.ConfigError | EndpointsError | InvalidInput | WalletError,
  PayloadStore.PayloadStore
> = Layer.merge(Layer.unwrapEffect(Effect.map(PodConfig.config, (config) => layer(config))), WalletNode.layerConfig)

/**
 * As {@link layer}, with options from a `Config` with the application's own names. The wallet comes from the context.
 *
 * @example
 * ```ts
 * import { Pod } from "@pod-protocol/effect"
 * import * as Config from "effect/Config"
 *
 * export const PodLive = Pod.layerConfigWith({ url: Config.redacted("SOLANA_URL") })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfigWith = (
  options: Config.Config.Wrap<PodConfig.PodConfig>
): Layer.Layer<
  RpcPool | Services,
  ConfigError.ConfigError | EndpointsError | InvalidInput,
  PayloadStore.PayloadStore
> => Layer.unwrapEffect(Effect.map(Config.unwrap(options), (config) => layer(config)))

/**
 * The services on a new cluster in this process, with the program loaded and payloads in memory. Nothing leaves the
 * process. Requires the optional package `litesvm`, which it loads when the layer is built.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerEmbeddedWith = (
  options: EmbeddedCluster.Options
): Layer.Layer<
  EmbeddedCluster.EmbeddedCluster | PayloadStore.PayloadStore | RpcPool | Services,
  EmbeddedCluster.EmbeddedClusterError | InvalidInput
> =>
  layerServices().pipe(
    Layer.provideMerge(Layer.merge(RpcPoolEmbedded.layer, PayloadStore.layerMemory)),
    Layer.provideMerge(EmbeddedCluster.layer(options))
  )

/**
 * {@link layerEmbeddedWith} with the defaults: each transaction makes a block at once.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerEmbedded: Layer.Layer<
  EmbeddedCluster.EmbeddedCluster | PayloadStore.PayloadStore | RpcPool | Services,
  EmbeddedCluster.EmbeddedClusterError | InvalidInput
> = layerEmbeddedWith({})

/** 14 November 2023: a fixed time, late enough for code that subtracts from it. */
const GENESIS_TIME = 1_700_000_000n

/**
 * For tests: {@link layerEmbedded} with funded wallets. The chain's time starts at 1,700,000,000 Unix seconds and
 * follows Effect's Clock, so `TestClock.adjust` moves it. A cluster that cannot start is a defect.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerTest: Layer.Layer<
  EmbeddedCluster.EmbeddedCluster | PayloadStore.PayloadStore | RpcPool | Services | TestWallets.TestWallets
> = TestWallets.layer.pipe(Layer.provideMerge(layerEmbeddedWith({ genesisTime: GENESIS_TIME })), Layer.orDie)
