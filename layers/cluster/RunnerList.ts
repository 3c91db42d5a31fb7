/**
 * The storage of the runners, which reads their list over a database connection of its own. From that list, each process
 * knows on which runner an agent is. In the queue of the connection pool, behind the queries of a burst of sends, one read
 * took 8 to 13 seconds, so the process sent to a dead runner for a minute and a half.
 *
 * A connection whose statement failed or was interrupted is replaced: the next statement could wait behind a dead one. So
 * each statement also has a limit of time: `@effect/cluster` has none for marks, nor for the end of a runner.
 */
import { PersistenceError } from "@effect/cluster/ClusterError"
import * as RunnerStorage from "@effect/cluster/RunnerStorage"
import type * as ShardingConfig from "@effect/cluster/ShardingConfig"
import * as SqlRunnerStorage from "@effect/cluster/SqlRunnerStorage"
import * as SqlClient from "@effect/sql/SqlClient"
import type { Connection } from "@effect/sql/SqlConnection"
import { SqlError } from "@effect/sql/SqlError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as RcRef from "effect/RcRef"
import * as Scope from "effect/Scope"
import * as TimeLimit from "../../services/internal/timeLimit.js"
import { AgentClusterError } from "./AgentClusterError.js"

/** How long a start waits for a free connection. */
const PATIENCE = "10 seconds"

/** How long a statement runs, with the wait for its connection. */
const LIMIT = "4 seconds"

const late = () => new PersistenceError({ cause: new Error(`the database did not answer within ${LIMIT}`) })

const noConnection = () =>
  new SqlError({
    cause: undefined,
    message: `no connection was free within ${PATIENCE}: the cluster keeps two, so allow at least three`
  })

const storage = (cause: unknown) => new AgentClusterError({ reason: "Storage", cause })

/** Reserves a connection. One that comes after an interruption is released: `reserve` alone would lose it. */
const reserveFrom = (sql: SqlClient.SqlClient): Effect.Effect<Connection, SqlError, Scope.Scope> =>
  Effect.flatMap(Scope.make(), (scope) =>
    Scope.extend(Effect.disconnect(Effect.uninterruptible(sql.reserve)), scope).pipe(
      Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause))),
      Effect.tap(() => Effect.addFinalizer((exit) => Scope.close(scope, exit)))
    )
  )

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const stored = yield* RunnerStorage.RunnerStorage
  const reserved = yield* RcRef.make({ acquire: reserveFrom(sql), idleTimeToLive: Duration.infinity })
  const turn = Effect.unsafeMakeSemaphore(1)
  yield* Effect.scoped(RcRef.get(reserved)).pipe(TimeLimit.within(PATIENCE, noConnection), Effect.mapError(storage))
  const own = <A>(use: Effect.Effect<A, PersistenceError>): Effect.Effect<A, PersistenceError> =>
    Effect.flatMap(PersistenceError.refail(RcRef.get(reserved)), (connection) =>
      use.pipe(
        Effect.provideService(SqlClient.TransactionConnection, [connection, 0]),
        Effect.onError(() => RcRef.invalidate(reserved))
      )
    ).pipe(Effect.scoped, TimeLimit.within(LIMIT, late), turn.withPermits(1))
  return RunnerStorage.RunnerStorage.of({
    ...stored,
    getRunners: own(stored.getRunners),
    register: (runner, healthy) => own(stored.register(runner, healthy)),
    unregister: (address) => own(stored.unregister(address)),
    setRunnerHealth: (address, healthy) => own(stored.setRunnerHealth(address, healthy))
  })
})

export const layer: Layer.Layer<
  RunnerStorage.RunnerStorage,
  AgentClusterError,
  ShardingConfig.ShardingConfig | SqlClient.SqlClient
> = Layer.scoped(RunnerStorage.RunnerStorage, make).pipe(Layer.provide(Layer.mapError(SqlRunnerStorage.layer, storage)))
