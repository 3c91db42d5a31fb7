/**
 * What a database remembers of its cluster, so that no runner joins with other settings.
 *
 * The number of shards says where an agent is. With two numbers, an agent would be on two runners.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { AgentClusterError } from "./AgentClusterError.js"

const NAME = "shardsPerGroup"

const rowsOf = Schema.decodeUnknown(Schema.Array(Schema.Struct({ value: Schema.String })))

/** Refuses SQLite: its writers fail where several processes share the file. */
export const refuseSqlite: Effect.Effect<void, AgentClusterError, SqlClient.SqlClient> = Effect.flatMap(
  SqlClient.SqlClient,
  (sql) =>
    sql.onDialectOrElse({
      sqlite: () => Effect.fail(new AgentClusterError({ reason: "Sqlite" })),
      orElse: () => Effect.void
    })
)

/** Writes the number into a new database, and compares it with that of an old one. */
export const check = (shardsPerGroup: number): Effect.Effect<void, AgentClusterError, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const value = `${shardsPerGroup}`
    yield* sql.onDialectOrElse({
      // Two runners that make a table at the same time would both fail.
      pg: () =>
        sql`SELECT pg_advisory_xact_lock(7063)`.pipe(
          Effect.zipRight(
            sql`CREATE TABLE IF NOT EXISTS pod_cluster (name VARCHAR(64) PRIMARY KEY, value TEXT NOT NULL)`
          ),
          sql.withTransaction
        ),
      orElse: () => sql`CREATE TABLE IF NOT EXISTS pod_cluster (name VARCHAR(64) PRIMARY KEY, value TEXT NOT NULL)`
    })
    yield* sql.onDialectOrElse({
      mysql: () => sql`INSERT IGNORE INTO pod_cluster (name, value) VALUES (${NAME}, ${value})`,
      orElse: () => sql`INSERT INTO pod_cluster (name, value) VALUES (${NAME}, ${value}) ON CONFLICT (name) DO NOTHING`
    })
    const [row] = yield* Effect.flatMap(sql`SELECT value FROM pod_cluster WHERE name = ${NAME}`, rowsOf)
    if (row?.value !== value) {
      const detail = `it has ${row?.value ?? "none"}, and this runner ${value}; no number can be changed later`
      return yield* new AgentClusterError({ reason: "Shards", detail })
    }
  }).pipe(
    Effect.mapError((error) =>
      error instanceof AgentClusterError ? error : new AgentClusterError({ reason: "Storage", cause: error })
    )
  )
