/**
 * Finds agents, channels and messages in memory: by terms such as capabilities, by ranges, and by words.
 *
 * The layer reads all accounts once and then follows `ProtocolEvents`: an account that an event created or changed is
 * read again. A search makes no call to an endpoint. Accounts that cannot be decoded are left out, counted and logged.
 * The cursor of the next page is bound to its list and order. Each page has the slot up to which its index contains all
 * changes.
 *
 * URIs, names and contents are text that agents chose: make them safe with `SafeText` before you show them.
 *
 * @since 0.1.0
 */
import type { Address, Slot } from "@solana/kit"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { InvalidInput } from "../src/InvalidInput.js"
import type { AgentAccount, ChannelAccount, ChannelMessage, DirectMessage } from "../src/protocol/Account.js"
import { CacheStore } from "./CacheStore.js"
import * as Live from "./discovery/live.js"
import type {
  AgentQuery,
  Busy,
  ChannelQuery,
  Counts,
  MessageQuery,
  Options,
  Page,
  Paging,
  PersistedOptions,
  Scored
} from "./discovery/models.js"
import * as Searches from "./discovery/searches.js"
import * as TestLayer from "./internal/testLayer.js"
import type { AccountNotFound, ProgramAccount } from "./ProgramAccount.js"
import type { ProtocolEvents } from "./ProtocolEvents.js"
import type { RpcPool } from "./RpcPool.js"
import type { RpcError } from "./RpcTransport.js"

export type {
  AgentQuery,
  Busy,
  ChannelQuery,
  Counts,
  MessageQuery,
  Options,
  Page,
  Paging,
  PersistedOptions,
  Scored
} from "./discovery/models.js"

/**
 * The searches. They fail with `InvalidInput` for a field out of its range or a cursor of another list or order. The same
 * error reports a kind of account that the layer does not index.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** The agents that match the query. Default: all, the highest reputation first. */
  readonly agents: (query?: AgentQuery) => Effect.Effect<Page<ProgramAccount<AgentAccount>>, InvalidInput>
  /** The channels that match the query. Default: all, the most participants first. */
  readonly channels: (query?: ChannelQuery) => Effect.Effect<Page<ProgramAccount<ChannelAccount>>, InvalidInput>
  /** The direct messages and broadcasts that match the query, the latest first. Default: all. */
  readonly messages: (
    query?: MessageQuery
  ) => Effect.Effect<Page<ProgramAccount<ChannelMessage | DirectMessage>>, InvalidInput>
  /**
   * The agents that resemble a given one (its wallet or its address): the highest score first, then by address. The
   * score is 0.7 × C + 0.3 × W, where C is the share of common capabilities and W the share of common words of the URI.
   * A share is the number of common elements over the number of elements that either agent has, and 0 if both have
   * none. Agents with a score of 0 are left out.
   */
  readonly similar: (
    walletOrAgent: Address,
    paging?: Paging
  ) => Effect.Effect<Page<Scored<AgentAccount>>, AccountNotFound | InvalidInput>
  /**
   * Recommends agents to a given one (its wallet or its address). It returns agents with a common capability or word that
   * have exchanged no direct message with it. The highest score first, then by address. The score is 0.6 × S + 0.2 × R +
   * 0.2 × F. S is the score of `similar`, and R the reputation over the highest reputation of all. F falls from 1 for the
   * latest change of all to 0 for a change 30 days older. If messages are not indexed, contacts are not left out.
   */
  readonly recommendAgents: (
    walletOrAgent: Address,
    paging?: Paging
  ) => Effect.Effect<Page<Scored<AgentAccount>>, AccountNotFound | InvalidInput>
  /**
   * Recommends channels to a given agent (its wallet or its address). It returns active public channels with room whose
   * member or creator the agent is not. The highest score first, then by address. The score is 0.5 × W + 0.3 × P + 0.2 ×
   * F. W is the share of common words of the agent's URI and the channel's name and description, as in `similar`. P is
   * the number of participants over the largest number of all. F falls from 1 for the newest channel of all to 0 for one
   * that is 30 days older. Channels with a score of 0 are left out.
   */
  readonly recommendChannels: (
    walletOrAgent: Address,
    paging?: Paging
  ) => Effect.Effect<Page<Scored<ChannelAccount>>, AccountNotFound | InvalidInput>
  /**
   * The agents that sent the most messages, or the channels with the most broadcasts; then by address. Default `limit`:
   * 20.
   */
  readonly busiest: (
    by: "channel" | "sender",
    options?: Pick<Paging, "limit">
  ) => Effect.Effect<ReadonlyArray<Busy>, InvalidInput>
  /** The slot up to which all changes are in the index. */
  readonly asOf: Effect.Effect<Slot>
  /** The numbers of accounts in the index. Kinds that the layer does not index count 0. */
  readonly counts: Effect.Effect<Counts>
}

/**
 * Finds agents, channels and messages.
 *
 * @example
 * ```ts
 * import { Capabilities, Discovery } from "@pod-protocol/effect"
 * import * as Effect from "effect/Effect"
 *
 * export const traders = Effect.gen(function* () {
 *   const discovery = yield* Discovery.Discovery
 *   const { items } = yield* discovery.agents({ all: Capabilities.sdk.bits.TRADING, minReputation: 50n, limit: 5 })
 *   return items.map(({ account }) => account.wallet)
 * })
 * ```
 *
 * @since 0.1.0
 * @category tags
 */
export class Discovery extends Context.Tag("@pod-protocol/effect/Discovery")<Discovery, Service>() {}

/**
 * Reads all accounts, and follows them until the scope closes. `RpcError` if the first listing fails. Later failures
 * are logged, and the index keeps its state until an endpoint answers. `InvalidInput` for an option out of its range.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options = {}
): Effect.Effect<Service, InvalidInput | RpcError, ProtocolEvents | RpcPool | Scope.Scope> =>
  Effect.map(Live.make(options), (live) => Discovery.of(Searches.make(live)))

/**
 * {@link make} as a layer.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options?: Options): Layer.Layer<Discovery, InvalidInput | RpcError, ProtocolEvents | RpcPool> =>
  Layer.scoped(Discovery, make(options))

/**
 * As {@link make}, with an index that outlives the process. The `CacheStore` keeps it, and a restart loads it without
 * listing the program, then reads the later events. After a kill, the state of the last save remains. A state that is
 * damaged, of another cluster, or ahead of the cluster is ignored, and the program is listed.
 *
 * The store needs about 0.6 KB for each account. If it evicts a part of the state, the next restart lists the program.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makePersisted = (
  options: PersistedOptions = {}
): Effect.Effect<Service, InvalidInput | RpcError, CacheStore | ProtocolEvents | RpcPool | Scope.Scope> =>
  Effect.flatMap(CacheStore, (store) =>
    Effect.map(Live.make(options, store), (live) => Discovery.of(Searches.make(live)))
  )

/**
 * {@link makePersisted} as a layer.
 *
 * @example
 * ```ts
 * import { CacheStoreSqlite, Discovery, ProtocolEvents } from "@pod-protocol/effect"
 * import * as Layer from "effect/Layer"
 *
 * export const DiscoveryLive = Discovery.layerPersisted({ kinds: ["agents", "channels"] }).pipe(
 *   Layer.provide([CacheStoreSqlite.layer({ directory: "index" }), ProtocolEvents.layer()])
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerPersisted = (
  options?: PersistedOptions
): Layer.Layer<Discovery, InvalidInput | RpcError, CacheStore | ProtocolEvents | RpcPool> =>
  Layer.scoped(Discovery, makePersisted(options))

/**
 * A test layer from stubs: a call to a missing method dies with the method's name.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerTest = (stubs: Partial<Service>): Layer.Layer<Discovery> => TestLayer.layer(Discovery, stubs)
