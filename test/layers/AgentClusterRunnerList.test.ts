import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Runner from "@effect/cluster/Runner"
import * as RunnerAddress from "@effect/cluster/RunnerAddress"
import * as RunnerStorage from "@effect/cluster/RunnerStorage"
import * as ShardingConfig from "@effect/cluster/ShardingConfig"
import * as Reactivity from "@effect/experimental/Reactivity"
import * as SqlClient from "@effect/sql/SqlClient"
import type { Connection } from "@effect/sql/SqlConnection"
import { SqlError } from "@effect/sql/SqlError"
import * as Statement from "@effect/sql/Statement"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import * as RunnerList from "../../layers/cluster/RunnerList.js"
import { sharding } from "../../layers/cluster/Settings.js"
import * as SqliteClient from "../../layers/cluster/SqliteClient.js"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "runners-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true }))
)

/**
 * A pool over one SQLite file. While `pool` is closed, all of its connections are in use. `hasConnections` is whether one
 * can be reserved.
 */
const database = (hasConnections = true) =>
  Effect.gen(function* () {
    const sqlite = yield* Layer.build(SqliteClient.layer(join(yield* folder, "runners.sqlite")))
    const { reserve } = yield* Effect.provide(SqlClient.SqlClient, sqlite)
    const connection = yield* reserve
    const pool = yield* Effect.makeLatch(true)
    const connections = { reserved: 0, areBroken: false, areStuck: false }
    const queries: Array<string> = []
    const run = <A>(sql: string, statement: Effect.Effect<A, SqlError>): Effect.Effect<A, SqlError> => {
      queries.push(sql)
      if (connections.areStuck) return Effect.never
      return connections.areBroken
        ? Effect.fail(new SqlError({ cause: new Error("connection terminated") }))
        : statement
    }
    const own: Connection = {
      ...connection,
      execute: (sql, ...rest) => run(sql, connection.execute(sql, ...rest)),
      executeValues: (sql, parameters) => run(sql, connection.executeValues(sql, parameters))
    }
    const client = yield* SqlClient.make({
      acquirer: pool.whenOpen(Effect.succeed(connection)),
      transactionAcquirer: hasConnections
        ? Effect.acquireRelease(
            Effect.sync(() => {
              connections.reserved++
              return own
            }),
            () => Effect.sync(() => connections.reserved--)
          ).pipe(Effect.tap(() => Effect.sync(() => (connections.areBroken = false))))
        : Effect.never,
      compiler: Statement.makeCompilerSqlite(),
      spanAttributes: []
    })
    const settings = yield* sharding()
    const storage = Layer.build(
      RunnerList.layer.pipe(Layer.provide([Layer.succeed(SqlClient.SqlClient, client), ShardingConfig.layer(settings)]))
    ).pipe(Effect.flatMap((context) => Effect.provide(RunnerStorage.RunnerStorage, context)))
    return { storage, pool, connections, queries }
  }).pipe(Effect.provide(Reactivity.layer))

const address = RunnerAddress.make("127.0.0.1", 1)

const runner = Runner.make({ address, groups: ["default"], weight: 1 })

it.scoped("Given a pool whose connections are in use, When runners are listed and marked, Then no query waits", () =>
  Effect.gen(function* () {
    const { pool, storage } = yield* database()
    const { getRunners, register, setRunnerHealth, unregister } = yield* storage
    yield* pool.close
    yield* register(runner, true)
    expect(yield* getRunners).toEqual([[runner, true]])
    yield* setRunnerHealth(address, false)
    expect(yield* getRunners).toEqual([[runner, false]])
    yield* unregister(address)
    expect(yield* getRunners).toEqual([])
  })
)

it.scoped("Given a connection that broke, When runners are listed again, Then a new connection is used", () =>
  Effect.gen(function* () {
    const { connections, storage } = yield* database()
    const { getRunners, register } = yield* storage
    yield* register(runner, true)
    connections.areBroken = true
    expect(yield* Effect.flip(getRunners)).toMatchObject({ _tag: "PersistenceError" })
    expect(yield* getRunners).toEqual([[runner, true]])
    expect(connections.reserved).toBe(1)
  })
)

it.scoped("Given a statement that hangs, When it is interrupted, Then the next one uses a new connection", () =>
  Effect.gen(function* () {
    const { connections, queries, storage } = yield* database()
    const { getRunners, register } = yield* storage
    yield* register(runner, true)
    connections.areStuck = true
    const hanging = yield* Effect.fork(getRunners)
    const known = queries.length
    yield* Effect.repeat(Effect.yieldNow(), { until: () => queries.length > known })
    connections.areStuck = false
    yield* Fiber.interrupt(hanging)
    expect(yield* getRunners).toEqual([[runner, true]])
    expect(connections.reserved).toBe(1)
  })
)

it.scoped("Given a pool without a free connection, When a runner starts, Then it fails and names the number", () =>
  Effect.gen(function* () {
    const { storage } = yield* database(false)
    const starting = yield* Effect.fork(Effect.flip(storage))
    yield* TestClock.adjust("10 seconds")
    const error = yield* Fiber.join(starting)
    expect(error).toMatchObject({ _tag: "AgentClusterError", reason: "Storage" })
    expect(error.message).toContain("allow at least three")
  })
)

it.scoped("Given a mark that hangs, When runners are listed later, Then they come over a new connection", () =>
  Effect.gen(function* () {
    const { connections, queries, storage } = yield* database()
    const { getRunners, register, setRunnerHealth } = yield* storage
    yield* register(runner, true)
    connections.areStuck = true
    const known = queries.length
    const hanging = yield* Effect.fork(Effect.flip(setRunnerHealth(address, false)))
    yield* Effect.repeat(Effect.yieldNow(), { until: () => queries.length > known })
    connections.areStuck = false
    const listing = yield* Effect.fork(getRunners)
    yield* TestClock.adjust("5 seconds")
    expect(yield* Fiber.join(listing)).toEqual([[runner, true]])
    expect(yield* Fiber.join(hanging)).toMatchObject({ _tag: "PersistenceError" })
    expect(connections.reserved).toBe(1)
  })
)

it.scoped("Given a database that hangs, When a runner that ends leaves the list, Then its end does not wait", () =>
  Effect.gen(function* () {
    const { connections, queries, storage } = yield* database()
    const { register, unregister } = yield* storage
    yield* register(runner, true)
    connections.areStuck = true
    const known = queries.length
    const leaving = yield* Effect.fork(Effect.uninterruptible(Effect.flip(unregister(address))))
    yield* Effect.repeat(Effect.yieldNow(), { until: () => queries.length > known })
    yield* TestClock.adjust("5 seconds")
    expect(yield* Fiber.join(leaving)).toMatchObject({ _tag: "PersistenceError" })
  })
)
