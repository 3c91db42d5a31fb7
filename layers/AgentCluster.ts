/**
 * Agents on many machines, over `@effect/cluster`. Each agent is on exactly one runner, which signs with its wallet and
 * sends its messages. When a runner ends or is killed, others take over its agents within seconds.
 *
 * A send is exactly once, from the caller's `id` to the chain. The request is stored in the database before it is
 * executed. A repeated request, from any process, gets the same receipt. A repeated execution, after a runner was
 * killed, makes no second message.
 *
 * It needs the optional packages `@effect/cluster`, `@effect/rpc`, `@effect/sql`, `@effect/experimental` and
 * `@effect/platform-node`. Several runners also need a client of Postgres or MySQL, such as `@effect/sql-pg` 0.53 (its
 * latest version is for Effect 4). `docs/scale.md` has the costs of a cluster.
 *
 * @since 0.1.0
 */
import type { MessageStorage } from "@effect/cluster/MessageStorage"
import type { Sharding } from "@effect/cluster/Sharding"
import type { SqlClient } from "@effect/sql/SqlClient"
import * as Layer from "effect/Layer"
import type { Scope } from "effect/Scope"
import type { Message } from "../services/Message.js"
import type { ProtocolEvents } from "../services/ProtocolEvents.js"
import type { Wallet } from "../services/Wallet.js"
import type { InvalidInput } from "../src/InvalidInput.js"
import type { AgentClusterError } from "./cluster/AgentClusterError.js"
import * as Agents from "./cluster/Agents.js"
import * as Housekeeping from "./cluster/Housekeeping.js"
import * as InboxIndex from "./cluster/InboxIndex.js"
import * as Runners from "./cluster/Runners.js"
import type { ShardingOptions } from "./cluster/Settings.js"

export { AgentClusterError } from "./cluster/AgentClusterError.js"
export type { Options, ReadingOptions } from "./cluster/Agents.js"
export { type CallOptions, client, type Client, type Runner, type SendInput } from "./cluster/Client.js"
export { type HousekeepingOptions, prune, type PruneOptions } from "./cluster/Housekeeping.js"
export { inbox, type InboxIndexOptions, type InboxOptions, type InboxRow } from "./cluster/InboxIndex.js"
export type { RunnerOptions, SingleOptions } from "./cluster/Runners.js"
export { sharding, type ShardingOptions, type Sharding as ShardingSettings } from "./cluster/Settings.js"

/**
 * Runs agents on this process: those in the shards of its runner. With `onMessage`, they also react to received
 * messages, which {@link layerInboxIndex} must index, in this process or another one. All processes with a runner must
 * have this layer: a runner gets its share of the agents whether or not it can run them.
 *
 * @example
 * ```ts
 * import { Pod, type Wallet } from "@pod-protocol/effect"
 * import * as AgentCluster from "@pod-protocol/effect/layers/AgentCluster"
 * import { PgClient } from "@effect/sql-pg"
 * import type { Address } from "@solana/kit"
 * import * as Config from "effect/Config"
 * import type * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 *
 * declare const walletOf: (agent: Address) => Effect.Effect<Wallet.Service, Wallet.WalletError>
 *
 * export const RunnerLive = AgentCluster.layer({ wallet: walletOf }).pipe(
 *   Layer.provideMerge(AgentCluster.layerRunner({ address: { host: "10.0.0.5", port: 34431 } })),
 *   Layer.provide(PgClient.layerConfig({ url: Config.redacted("DATABASE_URL") })),
 *   Layer.provide(
 *     Pod.layer({ url: "https://rpc.example", payloads: { url: "https://payloads.example", token: "s3cret" } })
 *   )
 * )
 * ```
 *
 * @example
 * ```ts
 * import { Agent, Message, type Wallet } from "@pod-protocol/effect"
 * import * as AgentCluster from "@pod-protocol/effect/layers/AgentCluster"
 * import type { Address } from "@solana/kit"
 * import * as Effect from "effect/Effect"
 *
 * declare const walletOf: (agent: Address) => Effect.Effect<Wallet.Service, Wallet.WalletError>
 *
 * // Each message is answered once: a repetition has the same id.
 * export const EchoLive = AgentCluster.layer({
 *   wallet: walletOf,
 *   onMessage: (message) =>
 *     Effect.gen(function* () {
 *       const agents = yield* Agent.Agent
 *       const messages = yield* Message.Message
 *       const payload = yield* messages.text(message)
 *       const sender = yield* agents.get(message.account.sender)
 *       yield* messages.send({ id: message.address, recipient: sender.account.wallet, payload })
 *     })
 * })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export function layer<R = never, H = never>(
  options: Agents.ReadingOptions<R, H>
): Layer.Layer<
  never,
  AgentClusterError | InvalidInput,
  Exclude<Exclude<H, Wallet>, Scope> | Exclude<R, Scope> | Message | Sharding | SqlClient
>
export function layer<R = never>(
  options: Agents.Options<R>
): Layer.Layer<never, InvalidInput, Exclude<R, Scope> | Message | Sharding>
export function layer<R, H>(
  options: Agents.Options<R> | Agents.ReadingOptions<R, H>
): Layer.Layer<
  never,
  AgentClusterError | InvalidInput,
  Exclude<Exclude<H, Wallet>, Scope> | Exclude<R, Scope> | Message | Sharding | SqlClient
> {
  return "onMessage" in options ? Agents.layerReading(options) : Agents.layer(options)
}

/**
 * A runner with sockets, over the database in context: Postgres or MySQL. Fails at the start with `InvalidInput` for
 * settings under which shards would not stay. Fails with `AgentClusterError` for SQLite, for a database with another
 * `shardsPerGroup`, and for an address in use. It keeps two connections of the pool for its locks and its list of runners,
 * so allow at least three.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerRunner = (
  options: Runners.RunnerOptions
): Layer.Layer<MessageStorage | Sharding, AgentClusterError | InvalidInput, SqlClient> => Runners.layerRunner(options)

/**
 * For processes without agents, which only use {@link client}. Fails at the start like {@link layerRunner}, and keeps as
 * many connections.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerClient = (
  options?: ShardingOptions
): Layer.Layer<MessageStorage | Sharding, AgentClusterError | InvalidInput, SqlClient> => Runners.layerClient(options)

/**
 * One runner without sockets, over its own SQLite file, with the API of `node:sqlite` (Node.js 22.13, or the optional
 * package `@photostructure/sqlite`). Requests before a crash are executed after the next start. A second process with
 * the same file fails with `AgentClusterError` of reason `Locked`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerSingle = (
  options: Runners.SingleOptions
): Layer.Layer<MessageStorage | Sharding | SqlClient, AgentClusterError | InvalidInput> => Runners.layerSingle(options)

/**
 * Agents on one runner in memory, for tests: {@link layer} over a database that ends with it.
 *
 * With `TestClock`, a send needs no time, with one exception: a send that repeats the `id` of an unanswered one. The
 * cluster polls for its answer every 200 milliseconds (`entityReplyPollInterval`), so move the clock by that.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerTest = <R = never>(
  options: Agents.Options<R>
): Layer.Layer<MessageStorage | Sharding, InvalidInput, Exclude<R, Scope> | Message> =>
  Layer.provideMerge(layer(options), Runners.layerMemory)

/**
 * Runs {@link prune} periodically on one runner of the cluster: it removes answered requests of agents that are older
 * than a day. A failure is logged, and the next run tries again.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerHousekeeping = (
  options?: Housekeeping.HousekeepingOptions
): Layer.Layer<never, InvalidInput, Sharding | SqlClient> => Housekeeping.layer(options)

/**
 * Writes each message of the program to the database, for {@link inbox}. One runner of the cluster follows the
 * program's events, and another continues at the same place after it. So an agent that becomes active need not list
 * accounts.
 *
 * @example
 * ```ts
 * import { ProtocolEvents } from "@pod-protocol/effect"
 * import * as AgentCluster from "@pod-protocol/effect/layers/AgentCluster"
 * import type { Address } from "@solana/kit"
 * import * as Layer from "effect/Layer"
 *
 * export const IndexLive = AgentCluster.layerInboxIndex().pipe(Layer.provide(ProtocolEvents.layer()))
 *
 * export const newest = (agent: Address, known: AgentCluster.InboxRow) => AgentCluster.inbox(agent, { after: known })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerInboxIndex = (
  options?: InboxIndex.InboxIndexOptions
): Layer.Layer<never, AgentClusterError | InvalidInput, ProtocolEvents | Sharding | SqlClient> =>
  InboxIndex.layer(options)
