/** The settings of a cluster, with checks: under some settings, shards would never stay on a runner. */
import * as ShardingConfig from "@effect/cluster/ShardingConfig"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Check from "../../src/internal/check.js"
import { InvalidInput } from "../../src/InvalidInput.js"

/**
 * The settings of a cluster, with the names of `ShardingConfig` of `@effect/cluster`. The defaults are for three
 * runners over Postgres; `docs/scale.md` describes the measurements.
 *
 * @since 0.1.0
 * @category models
 */
export interface ShardingOptions {
  /**
   * Number of shards into which all agents are divided. Default 300. It must be the same on all runners and can never
   * change: the database stores it, and another number fails with `AgentClusterError` of reason `Shards`. Too low:
   * runners get unequal shares. Too high: each runner needs more locks in the database.
   */
  readonly shardsPerGroup?: number | undefined
  /**
   * How long an unrefreshed lock lives. Default 35 seconds, which is also the minimum; at least three times the refresh
   * interval. Too low: a busy runner repeatedly loses its shards. Too high: after a runner becomes unreachable, its
   * agents are unavailable for that time. All runners and clients must have the same value: another one fails with
   * `AgentClusterError` of reason `Locks` while runners are alive.
   */
  readonly shardLockExpiration?: Duration.DurationInput | undefined
  /**
   * Time between two refreshes of locks. Default 10 seconds, at least 10. Too high is refused: see
   * `shardLockExpiration`.
   */
  readonly shardLockRefreshInterval?: Duration.DurationInput | undefined
  /**
   * Time between two health checks of runners. Default 5 seconds, at least 1: agents of a killed runner answer again
   * after 8 to 13 seconds. Too low: busy runners count as dead. Too high: a failover takes up to 35 seconds.
   */
  readonly runnerHealthCheckInterval?: Duration.DurationInput | undefined
  /**
   * How long a runner that ends waits for the requests of its agents. Default 3 seconds: a deployment hands over in
   * that time, and the next runner executes slower sends. Too low: work is repeated. Too high: each hand-over takes
   * that long, even without work.
   */
  readonly entityTerminationTimeout?: Duration.DurationInput | undefined
  /**
   * Time between two polls for answers in the database. Default 200 milliseconds. Too low: load on the database. Too
   * high: late answers.
   */
  readonly entityReplyPollInterval?: Duration.DurationInput | undefined
  /**
   * Time between two polls for other runners. Default 3 seconds. Too low: load on the database. Too high: failover and
   * hand-over are delayed by that time.
   */
  readonly refreshAssignmentsInterval?: Duration.DurationInput | undefined
  /**
   * Whether locks are rows that expire, instead of Postgres' session locks. Default false. Postgres releases session
   * locks at once when a runner is killed. A stopped runner (a paused machine) keeps them as long as its connection
   * exists, while rows expire. Like `shardLockExpiration`, it must be the same everywhere. Behind a transaction pooler
   * (PgBouncer), session locks do not work: use true.
   */
  readonly shardLockDisableAdvisory?: boolean | undefined
}

/**
 * Checked and complete settings, without the runner's addresses.
 *
 * @since 0.1.0
 * @category models
 */
export type Sharding = Omit<ShardingConfig.ShardingConfig["Type"], "runnerAddress" | "runnerListenAddress">

const SECOND = 1000
const HOUR = 3600 * SECOND

const { runnerAddress: _address, runnerListenAddress: _listen, ...defaults } = ShardingConfig.defaults

const between = (name: keyof ShardingOptions, value: Duration.DurationInput, min: number) =>
  Effect.map(Check.millisBetween(name, value, min, HOUR), Duration.millis)

/**
 * Checks and completes settings for runners that you compose yourself, such as `NodeClusterHttp.layer({ shardingConfig
 * })`. `layerRunner`, `layerClient` and `layerSingle` do this already. `InvalidInput` for settings under which shards
 * would not stay with their runners.
 *
 * @example
 * ```ts
 * import * as AgentCluster from "@pod-protocol/effect/layers/AgentCluster"
 *
 * export const settings = AgentCluster.sharding({ shardsPerGroup: 600, runnerHealthCheckInterval: "3 seconds" })
 * ```
 *
 * @since 0.1.0
 * @category settings
 */
export const sharding = (options: ShardingOptions = {}): Effect.Effect<Sharding, InvalidInput> =>
  Effect.gen(function* () {
    const shardsPerGroup = yield* Check.integer("shardsPerGroup", options.shardsPerGroup ?? 300, 1, 100_000)
    const refresh = yield* between(
      "shardLockRefreshInterval",
      options.shardLockRefreshInterval ?? "10 seconds",
      10 * SECOND
    )
    const expiration = yield* between("shardLockExpiration", options.shardLockExpiration ?? "35 seconds", 35 * SECOND)
    if (Duration.toMillis(expiration) < 3 * Duration.toMillis(refresh)) {
      return yield* new InvalidInput({
        field: "shardLockExpiration",
        rule: `must be at least 3 times shardLockRefreshInterval, which is ${Duration.toMillis(refresh)} milliseconds`,
        size: Duration.toMillis(expiration)
      })
    }
    const shardLockDisableAdvisory = options.shardLockDisableAdvisory ?? false
    if (typeof shardLockDisableAdvisory !== "boolean") {
      return yield* new InvalidInput({ field: "shardLockDisableAdvisory", rule: "must be true or false" })
    }
    return {
      ...defaults,
      shardsPerGroup,
      shardLockRefreshInterval: refresh,
      shardLockExpiration: expiration,
      shardLockDisableAdvisory,
      runnerHealthCheckInterval: yield* between(
        "runnerHealthCheckInterval",
        options.runnerHealthCheckInterval ?? "5 seconds",
        SECOND
      ),
      entityTerminationTimeout: yield* between(
        "entityTerminationTimeout",
        options.entityTerminationTimeout ?? "3 seconds",
        SECOND
      ),
      entityReplyPollInterval: yield* between("entityReplyPollInterval", options.entityReplyPollInterval ?? 200, 10),
      refreshAssignmentsInterval: yield* between(
        "refreshAssignmentsInterval",
        options.refreshAssignmentsInterval ?? "3 seconds",
        100
      ),
      // The timeout counts from the start of the runner, and a refusal is final: layers that start slowly need time.
      entityRegistrationTimeout: Duration.minutes(10),
      // A request crosses a socket or the database anyway, or stays in this process.
      simulateRemoteSerialization: false
    }
  })
