/** Runners with sockets and a shared database, clients without agents, and single runners. */
import * as MessageStorage from "@effect/cluster/MessageStorage"
import * as RunnerAddress from "@effect/cluster/RunnerAddress"
import * as RunnerHealth from "@effect/cluster/RunnerHealth"
import * as Runners from "@effect/cluster/Runners"
import * as RunnerStorage from "@effect/cluster/RunnerStorage"
import * as ShardId from "@effect/cluster/ShardId"
import * as ClusterSharding from "@effect/cluster/Sharding"
import * as ShardingConfig from "@effect/cluster/ShardingConfig"
import * as SocketRunner from "@effect/cluster/SocketRunner"
import * as SqlMessageStorage from "@effect/cluster/SqlMessageStorage"
import * as NodeClusterSocket from "@effect/platform-node/NodeClusterSocket"
import * as RpcSerialization from "@effect/rpc/RpcSerialization"
import type { SqlClient } from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Check from "../../src/internal/check.js"
import { InvalidInput } from "../../src/InvalidInput.js"
import { AgentClusterError } from "./AgentClusterError.js"
import type { Runner } from "./Client.js"
import * as Connections from "./Connections.js"
import * as FailureDetector from "./FailureDetector.js"
import * as RunnerList from "./RunnerList.js"
import { sharding, type ShardingOptions } from "./Settings.js"
import * as Shards from "./Shards.js"
import * as SqliteClient from "./SqliteClient.js"

/**
 * The options of a runner.
 *
 * @since 0.1.0
 * @category models
 */
export interface RunnerOptions extends ShardingOptions {
  /** The address at which other runners and clients reach this one. It must be unique. */
  readonly address: Runner
  /** The address to listen on, if it differs, such as in a container. Default: `address`. */
  readonly listen?: Runner | undefined
  /**
   * The runner's share of the agents, relative to others. Default 1. Too low: it is idle. Too high: it is overloaded.
   */
  readonly weight?: number | undefined
}

/**
 * The options of a single runner.
 *
 * @since 0.1.0
 * @category models
 */
export interface SingleOptions extends ShardingOptions {
  /** The path of the SQLite file. It is created if it does not exist, accessible only to the user of the process. */
  readonly file: string
}

/** The services of a runner. */
export type Services = ClusterSharding.Sharding | MessageStorage.MessageStorage

const addressOf = (field: string, address: Runner): Effect.Effect<RunnerAddress.RunnerAddress, InvalidInput> =>
  Effect.gen(function* () {
    if (typeof address !== "object" || address === null) {
      return yield* new InvalidInput({ field, rule: "must be an object with host and port" })
    }
    const { host } = address
    if (typeof host !== "string" || host === "" || host.length > 253) {
      return yield* new InvalidInput({ field: `${field}.host`, rule: "must be a host name or an IP address" })
    }
    const port = yield* Check.integer(`${field}.port`, address.port, 1, 65_535)
    return RunnerAddress.make(host, port)
  })

const messages = SqlMessageStorage.layer

const protocol = Connections.layer

/** A runner over the database in context. */
export const layerRunner = (
  options: RunnerOptions
): Layer.Layer<Services, AgentClusterError | InvalidInput, SqlClient> =>
  Layer.unwrapEffect(
    Effect.gen(function* () {
      const settings = yield* sharding(options)
      const runnerAddress = yield* addressOf("address", options.address)
      const listen = options.listen === undefined ? runnerAddress : yield* addressOf("listen", options.listen)
      const runnerShardWeight = yield* Check.integer("weight", options.weight ?? 1, 1, 1000)
      yield* Shards.refuseSqlite
      yield* Shards.check(settings.shardsPerGroup)
      yield* Shards.checkLocks(settings)
      const server = Layer.mapError(
        NodeClusterSocket.layerSocketServer,
        (cause) => new AgentClusterError({ reason: "Listen", detail: `${listen.host}:${listen.port}`, cause })
      )
      const health = RunnerHealth.layerPing.pipe(Layer.provide(Runners.layerRpc), Layer.provide(protocol))
      return Layer.merge(SocketRunner.layer, FailureDetector.layer).pipe(
        Layer.provide([server, protocol, health]),
        Layer.provideMerge(messages),
        Layer.provide(RunnerList.layer),
        Layer.provide([
          ShardingConfig.layer({
            ...settings,
            runnerShardWeight,
            runnerAddress: Option.some(runnerAddress),
            runnerListenAddress: Option.some(listen)
          }),
          RpcSerialization.layerMsgPack
        ])
      )
    })
  )

/** A process without agents, which calls the agents of runners. */
export const layerClient = (
  options?: ShardingOptions
): Layer.Layer<Services, AgentClusterError | InvalidInput, SqlClient> =>
  Layer.unwrapEffect(
    Effect.gen(function* () {
      const settings = yield* sharding(options)
      yield* Shards.refuseSqlite
      yield* Shards.check(settings.shardsPerGroup)
      yield* Shards.checkLocks(settings)
      return SocketRunner.layerClientOnly.pipe(
        Layer.provide(protocol),
        Layer.provideMerge(messages),
        Layer.provide(RunnerList.layer),
        Layer.provide([
          ShardingConfig.layer({ ...settings, runnerAddress: Option.none() }),
          RpcSerialization.layerMsgPack
        ])
      )
    })
  )

/** One runner over an SQLite file. */
export const layerSingle = ({
  file,
  ...options
}: SingleOptions): Layer.Layer<Services | SqlClient, AgentClusterError | InvalidInput> =>
  Layer.unwrapEffect(
    Effect.gen(function* () {
      const settings = yield* sharding(options)
      yield* Shards.check(settings.shardsPerGroup)
      return ClusterSharding.layer.pipe(
        Layer.provide(Runners.layerNoop),
        Layer.provideMerge(messages),
        // The file is locked, so there is no other runner.
        Layer.provide([RunnerStorage.layerMemory, RunnerHealth.layerNoop]),
        Layer.provide(ShardingConfig.layer(settings))
      )
    })
  ).pipe(Layer.provideMerge(SqliteClient.layer(file)))

/**
 * Waits until the runner has its shards. An earlier request would be retried by the Clock, which does not move in a
 * test.
 */
const started = Effect.flatMap(ClusterSharding.Sharding, (sharding) =>
  Effect.yieldNow().pipe(
    Effect.repeat({ until: () => sharding.hasShardId(ShardId.make("default", ShardingConfig.defaults.shardsPerGroup)) })
  )
)

/** One runner in memory. */
export const layerMemory: Layer.Layer<Services> = Layer.effectDiscard(started).pipe(
  Layer.provideMerge(ClusterSharding.layer),
  Layer.provide(Runners.layerNoop),
  Layer.provideMerge(MessageStorage.layerMemory),
  Layer.provide([RunnerStorage.layerMemory, RunnerHealth.layerNoop]),
  Layer.provide(ShardingConfig.layer())
)
