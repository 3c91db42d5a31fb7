/**
 * Removes answered requests with their answers. `@effect/cluster` keeps them for ever: 1.6 kB for each send.
 *
 * A send without its request is still executed only once: if it is repeated, the agent finds its message on the chain.
 */
import * as MachineId from "@effect/cluster/MachineId"
import type { Sharding } from "@effect/cluster/Sharding"
import * as Singleton from "@effect/cluster/Singleton"
import * as Snowflake from "@effect/cluster/Snowflake"
import * as SqlClient from "@effect/sql/SqlClient"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Check from "../../src/internal/check.js"
import type { InvalidInput } from "../../src/InvalidInput.js"
import { AgentClusterError } from "./AgentClusterError.js"
import { AgentEntity } from "./Protocol.js"
import { transaction } from "./Transaction.js"

/**
 * Options of {@link prune}.
 *
 * @since 0.1.0
 * @category models
 */
export interface PruneOptions {
  /**
   * How long an answered request is kept. Default 1 day. Too low: a later repetition makes the agent search the chain.
   * Too high: the database grows by 1.6 kB for each send of that time.
   */
  readonly keep?: Duration.DurationInput | undefined
  /** Rows of one transaction. Default 1000. Too low: many transactions. Too high: rows are locked for long. */
  readonly batch?: number | undefined
}

/**
 * Options of the housekeeping.
 *
 * @since 0.1.0
 * @category models
 */
export interface HousekeepingOptions extends PruneOptions {
  /**
   * Time between two runs. Default 10 minutes. Too low: load on the database. Too high: rows accumulate for that time.
   */
  readonly every?: Duration.DurationInput | undefined
}

const Ids = Schema.Array(Schema.Struct({ id: Schema.Union(Schema.BigIntFromSelf, Schema.BigInt) }))

const check = ({ batch = 1000, keep = "1 day" }: PruneOptions) =>
  Effect.all({ keep: Check.millis("keep", keep), batch: Check.integer("batch", batch, 1, 10_000) })

const storage = (cause: unknown) => new AgentClusterError({ reason: "Storage", cause })

/**
 * Removes old answered requests, in batches, and returns their number. Requests without an answer stay.
 *
 * @since 0.1.0
 * @category housekeeping
 */
export const prune = (
  options: PruneOptions = {}
): Effect.Effect<number, AgentClusterError | InvalidInput, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const { batch, keep } = yield* check(options)
    const sql = yield* SqlClient.SqlClient
    const now = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
    const before = Snowflake.make({
      machineId: MachineId.make(0),
      sequence: 0,
      timestamp: now - keep
    })
    const some = Effect.gen(function* () {
      const rows = yield* sql`
        SELECT id FROM cluster_messages
        WHERE entity_type = ${AgentEntity.type} AND processed = ${true} AND id < ${before} ORDER BY id LIMIT ${batch}`
      const ids = (yield* Schema.decodeUnknown(Ids)(rows)).map(({ id }) => id)
      if (ids.length === 0) return 0
      yield* sql`DELETE FROM cluster_replies WHERE ${sql.in("request_id", ids)}`
      yield* sql`DELETE FROM cluster_messages WHERE ${sql.in("id", ids)}`
      return ids.length
    }).pipe(transaction(sql), Effect.provideService(SqlClient.SafeIntegers, true), Effect.mapError(storage))
    let removed = 0
    for (;;) {
      const count = yield* some
      removed += count
      if (count < batch) return removed
    }
  })

/** Prunes periodically on one runner of the cluster. */
export const layer = ({ every = "10 minutes", ...options }: HousekeepingOptions = {}): Layer.Layer<
  never,
  InvalidInput,
  Sharding | SqlClient.SqlClient
> =>
  Layer.unwrapEffect(
    Effect.gen(function* () {
      yield* check(options)
      const pause = yield* Check.millis("every", every)
      const once = prune(options).pipe(
        Effect.catchAll((error) => Effect.logWarning("AgentCluster: answered requests were not removed", error))
      )
      return Singleton.make("PodHousekeeping", Effect.repeat(once, Schedule.spaced(pause)).pipe(Effect.asVoid))
    })
  )
