/** The settings of a cluster, checked: with some of them, shards would go to and fro for ever. */
import * as ShardingConfig from "@effect/cluster/ShardingConfig"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Check from "../../src/internal/check.js"
import { InvalidInput } from "../../src/InvalidInput.js"

/**
 * The settings of a cluster, with the names that `ShardingConfig` of `@effect/cluster` has. The times are for three runners
 * over Postgres; `docs/scale.md` says how they were measured.
 *
 * @since 0.1.0
 * @category models
 */
export interface ShardingOptions {
  /**
   * Parts into which all agents are divided. Default 300. All runners must have the same, for ever: the database remembers
   * it, and another number is `AgentClusterError` of reason `Shards`. Too low: runners get unequal parts. Too high: each
   * runner asks the database for more locks.
   */
  readonly shardsPerGroup?: number | undefined
  /**
   * How long a lock lives that is not refreshed. Default 35 seconds, at least 35, and at least three times the refresh. Too
   * low, a busy event loop loses its shards and takes them again, for ever. Too high: after a runner that nobody can reach,
   * its agents are away for so long. All runners and clients must have the same: another one is `AgentClusterError` of reason
   * `Locks` while runners are there.
   */
  readonly shardLockExpiration?: Duration.DurationInput | undefined
  /** How often locks are refreshed. Default 10 seconds, at least 10. Too high is refused: see `shardLockExpiration`. */
  readonly shardLockRefreshInterval?: Duration.DurationInput | undefined
  /**
   * How often runners are asked whether they live. Default 5 seconds, at least 1: agents of a killed runner answer again after
   * 8 to 13 seconds. Too low: busy runners are taken for dead ones. Too high: a failover takes up to 35 seconds.
   */
  readonly runnerHealthCheckInterval?: Duration.DurationInput | undefined
  /**
   * How long a runner that ends waits for what its agents do. Default 3 seconds: a deployment hands over in that time, and
   * a send that takes longer is done by the next runner. Too low: work is done again. Too high: each hand-over takes as long,
   * also without work.
   */
  readonly entityTerminationTimeout?: Duration.DurationInput | undefined
  /** How often callers look for answers in the database. Default 200 milliseconds. Too low loads the database. */
  readonly entityReplyPollInterval?: Duration.DurationInput | undefined
  /**
   * How often a runner looks for other runners. Default 3 seconds. Too low loads the database. Too high delays failover and
   * hand-over by as much.
   */
  readonly refreshAssignmentsInterval?: Duration.DurationInput | undefined
  /**
   * Whether locks are rows that expire, and not Postgres' session locks. Default false. Session locks are free at once when a
   * runner is killed, but one that is stopped (a paused machine) keeps them as long as its connection stands. Rows expire. As
   * `shardLockExpiration`, the same everywhere. Behind a pooler of transactions (PgBouncer), session locks do not hold: true.
   */
  readonly shardLockDisableAdvisory?: boolean | undefined
}

/**
 * Checked settings, complete but for the runner's addresses.
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
 * Checks settings and completes them, for runners that are put together by hand, such as `NodeClusterHttp.layer({
 * shardingConfig })`. `layerRunner`, `layerClient` and `layerSingle` check theirs themselves. `InvalidInput` for settings with
 * which shards would not stay with their runners.
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
      // It counts from the start of the runner, and what it refuses is refused for ever: layers that start slowly need time.
      entityRegistrationTimeout: Duration.minutes(10),
      // A request crosses a socket or the database anyway, or stays in this process.
      simulateRemoteSerialization: false
    }
  })
