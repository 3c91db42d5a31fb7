/**
 * The settings that a database stores for its cluster, so that no runner joins with other settings.
 *
 * The number of shards determines the runner of an agent. With two numbers, an agent would be on two runners. Locks
 * keep a shard on one runner. Two kinds of locks ignore each other, and a short expiry removes the locks of a runner
 * that refreshes slowly.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { AgentClusterError } from "./AgentClusterError.js"
import type { Sharding } from "./Settings.js"
import { transaction } from "./Transaction.js"

const SHARDS = "shardsPerGroup"

const LOCKS = "locks"

const rowsOf = Schema.decodeUnknown(Schema.Array(Schema.Struct({ value: Schema.String })))

const countsOf = Schema.decodeUnknown(
  Schema.Array(Schema.Struct({ count: Schema.Union(Schema.Number, Schema.NumberFromString) }))
)

/** The settings of locks, and the time when they were written. */
const Locks = Schema.parseJson(
  Schema.Struct({
    kind: Schema.Literal("session", "rows"),
    refresh: Schema.Number,
    expiration: Schema.Number,
    at: Schema.Number
  })
)

/** Refuses SQLite: if several processes share the file, their writes fail. */
export const refuseSqlite: Effect.Effect<void, AgentClusterError, SqlClient.SqlClient> = Effect.flatMap(
  SqlClient.SqlClient,
  (sql) =>
    sql.onDialectOrElse({
      sqlite: () => Effect.fail(new AgentClusterError({ reason: "Sqlite" })),
      orElse: () => Effect.void
    })
)

const orStorage = Effect.mapError((error: unknown) =>
  error instanceof AgentClusterError ? error : new AgentClusterError({ reason: "Storage", cause: error })
)

const table = Effect.flatMap(SqlClient.SqlClient, (sql) => {
  const create = sql`CREATE TABLE IF NOT EXISTS pod_cluster (name VARCHAR(64) PRIMARY KEY, value TEXT NOT NULL)`
  return sql.onDialectOrElse({
    // Without the lock, two runners that create a table concurrently would both fail.
    pg: () => transaction(sql)(Effect.zipRight(sql`SELECT pg_advisory_xact_lock(7063)`, create)),
    orElse: () => create
  })
})

/** Writes a value unless the database has one, and returns the stored value. */
const remembered = (name: string, value: string) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* sql.onDialectOrElse({
      mysql: () => sql`INSERT IGNORE INTO pod_cluster (name, value) VALUES (${name}, ${value})`,
      orElse: () => sql`INSERT INTO pod_cluster (name, value) VALUES (${name}, ${value}) ON CONFLICT (name) DO NOTHING`
    })
    const [row] = yield* Effect.flatMap(sql`SELECT value FROM pod_cluster WHERE name = ${name}`, rowsOf)
    return row?.value ?? ""
  })

/** Writes the number to a new database, or compares it with the number of an old one. */
export const check = (shardsPerGroup: number): Effect.Effect<void, AgentClusterError, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    yield* table
    const known = yield* remembered(SHARDS, `${shardsPerGroup}`)
    if (known !== `${shardsPerGroup}`) {
      const detail = `it has ${known}, and this runner ${shardsPerGroup}; the number can never change`
      return yield* new AgentClusterError({ reason: "Shards", detail })
    }
  }).pipe(orStorage)

/** The number of shards that the database was made for. */
export const count = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* Effect.flatMap(sql`SELECT value FROM pod_cluster WHERE name = ${SHARDS}`, rowsOf)
  return Number(row?.value ?? 0)
}).pipe(orStorage)

/** Runners with a heartbeat within these seconds. */
const alive = (seconds: number) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const [made] = yield* Effect.flatMap(
      sql`SELECT COUNT(*) AS count FROM information_schema.tables WHERE table_name = 'cluster_runners'`,
      countsOf
    )
    if ((made?.count ?? 0) === 0) return 0
    const since = sql.onDialectOrElse({
      mysql: () => sql`DATE_SUB(NOW(), INTERVAL ${seconds} SECOND)`,
      orElse: () => sql`NOW() - ${seconds} * INTERVAL '1 second'`
    })
    const [row] = yield* Effect.flatMap(
      sql`SELECT COUNT(*) AS count FROM cluster_runners WHERE last_heartbeat > ${since}`,
      countsOf
    )
    return row?.count ?? 0
  })

/**
 * Compares the settings of locks with those of the other runners. A cluster without live runners accepts new settings.
 * It needs the table that {@link check} creates.
 */
export const checkLocks = ({
  shardLockDisableAdvisory,
  shardLockExpiration,
  shardLockRefreshInterval
}: Sharding): Effect.Effect<void, AgentClusterError, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const at = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
    const own = {
      kind: shardLockDisableAdvisory ? ("rows" as const) : ("session" as const),
      refresh: Duration.toMillis(shardLockRefreshInterval),
      expiration: Duration.toMillis(shardLockExpiration),
      at
    }
    const value = yield* Schema.encode(Locks)(own)
    const known = yield* Effect.flatMap(remembered(LOCKS, value), Schema.decodeUnknown(Locks))
    const { expiration, kind, refresh } = known
    if (kind === own.kind && refresh === own.refresh && expiration === own.expiration) return
    const patience = Math.max(expiration, own.expiration)
    // A runner that has just written its settings is not in the list of runners yet.
    const isNew = Math.abs(at - known.at) < patience
    if (isNew || (yield* alive(Math.ceil(patience / 1000))) > 0) {
      const texts = [known, own].map(
        ({ expiration, kind, refresh }) => `${kind} refreshed each ${refresh} ms that expire after ${expiration} ms`
      )
      const detail = `${texts[0]}, and this one ${texts[1]}; give all runners the same settings, or end all first`
      return yield* new AgentClusterError({ reason: "Locks", detail })
    }
    yield* sql`UPDATE pod_cluster SET value = ${value} WHERE name = ${LOCKS}`
  }).pipe(orStorage)
