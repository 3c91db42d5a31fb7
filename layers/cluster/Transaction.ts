/** Runs transactions in the cluster's database. A failure of the database is always a failure of the effect. */
import type { SqlClient } from "@effect/sql/SqlClient"
import { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

/**
 * Runs an effect in a transaction. A COMMIT or a ROLLBACK that fails, because the database has ended, is a failure here;
 * `withTransaction` makes it a defect, which no retry sees.
 */
export const transaction =
  (sql: SqlClient) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E | SqlError, R> =>
    Effect.catchSomeDefect(sql.withTransaction(self), (defect) =>
      defect instanceof SqlError ? Option.some(Effect.fail(defect)) : Option.none()
    )
