/**
 * The client of `@effect/sql` over the API of `node:sqlite`: one connection, which runs one transaction or statement at
 * a time.
 *
 * The file is locked while it is open. After a kill, each transaction is whole or absent; a power failure may lose the
 * last ones.
 */
import * as Reactivity from "@effect/experimental/Reactivity"
import * as SqlClient from "@effect/sql/SqlClient"
import type { Connection } from "@effect/sql/SqlConnection"
import { SqlError } from "@effect/sql/SqlError"
import * as Statement from "@effect/sql/Statement"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { InvalidInput } from "../../src/InvalidInput.js"
import * as Sqlite from "../internal/Sqlite.js"
import * as SqliteFile from "../internal/SqliteFile.js"
import { AgentClusterError } from "./AgentClusterError.js"

const SETTINGS = `
  PRAGMA page_size = 4096; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
  PRAGMA journal_size_limit = 16777216; PRAGMA trusted_schema = OFF;
  CREATE TABLE IF NOT EXISTS pod_cluster (name TEXT PRIMARY KEY, value TEXT NOT NULL);`

/** Releases the lock of the file. A closed database otherwise keeps its lock until its statements are collected. */
const RELEASE = "PRAGMA journal_mode = DELETE; PRAGMA locking_mode = NORMAL; SELECT 1 FROM pod_cluster LIMIT 1;"

const BUSY = 5

const isBusy = (cause: unknown): boolean =>
  Predicate.hasProperty(cause, "errcode") && typeof cause.errcode === "number" && (cause.errcode & 0xff) === BUSY

/** SQLite has no booleans. */
const parameterOf = (value: unknown): unknown => {
  if (typeof value === "boolean") return value ? 1 : 0
  return value === undefined ? null : value
}

type Row = Record<string, unknown>

const isRows = (rows: unknown): rows is ReadonlyArray<Row> => Array.isArray(rows)

const open = (file: string): Effect.Effect<Sqlite.Database, AgentClusterError | InvalidInput, Scope.Scope> =>
  Effect.gen(function* () {
    if (typeof file !== "string" || file === "") {
      return yield* new InvalidInput({ field: "file", rule: "must be the path of a file" })
    }
    const sqlite = yield* Effect.mapError(
      Sqlite.load,
      ({ cause }) => new AgentClusterError({ reason: "MissingPackage", cause })
    )
    const connect = Effect.try({
      try: () => SqliteFile.open(sqlite, file, SETTINGS),
      catch: (cause) => new AgentClusterError({ reason: isBusy(cause) ? "Locked" : "Storage", cause })
    })
    return yield* Effect.acquireRelease(connect, (database) =>
      Effect.ignore(
        Effect.try(() => {
          database.exec(RELEASE)
          database.close()
        })
      )
    )
  })

const connectionOf = (database: Sqlite.Database): Connection => {
  const rows = (sql: string, parameters: ReadonlyArray<unknown>): Effect.Effect<ReadonlyArray<Row>, SqlError> =>
    Effect.withFiberRuntime((fiber) =>
      Effect.try({
        try: () => {
          const statement = database.prepare(sql)
          statement.setReadBigInts(Context.get(fiber.currentContext, SqlClient.SafeIntegers))
          const found = statement.all(...parameters.map(parameterOf))
          return isRows(found) ? found : []
        },
        catch: (cause) => new SqlError({ cause, message: "SQLite refused the statement" })
      })
    )
  const execute: Connection["execute"] = (sql, parameters, transform) => {
    const found = rows(sql, parameters)
    return transform === undefined ? found : Effect.map(found, transform)
  }
  return {
    execute,
    executeUnprepared: execute,
    executeRaw: rows,
    executeValues: (sql, parameters) => Effect.map(rows(sql, parameters), (found) => found.map(Object.values)),
    executeStream: (sql, parameters, transform) =>
      Stream.unwrap(Effect.map(execute(sql, parameters, transform), Stream.fromIterable))
  }
}

/** Opens the file. Fails with `Locked` if another process has it open. */
export const layer = (file: string): Layer.Layer<SqlClient.SqlClient, AgentClusterError | InvalidInput> =>
  Layer.scoped(
    SqlClient.SqlClient,
    Effect.gen(function* () {
      const connection = connectionOf(yield* open(file))
      const turns = yield* Effect.makeSemaphore(1)
      const reserved = Effect.uninterruptibleMask((restore) =>
        Effect.gen(function* () {
          const scope = yield* Effect.scope
          yield* restore(turns.take(1))
          yield* Scope.addFinalizer(scope, turns.release(1))
          return connection
        })
      )
      return yield* SqlClient.make({
        acquirer: turns.withPermits(1)(Effect.succeed(connection)),
        transactionAcquirer: reserved,
        compiler: Statement.makeCompilerSqlite(),
        spanAttributes: [["db.system.name", "sqlite"]]
      })
    })
  ).pipe(Layer.provide(Reactivity.layer))
