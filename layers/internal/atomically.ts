/** Runs transactions of SQLite. */

/** The part of a database that a transaction needs. */
interface Connection {
  readonly exec: (sql: string) => unknown
}

/** Runs `run` in one transaction, which is rolled back if it throws. */
export const atomically = (database: Connection, run: () => void): void => {
  database.exec("BEGIN IMMEDIATE")
  try {
    run()
    database.exec("COMMIT")
  } catch (cause) {
    try {
      database.exec("ROLLBACK")
    } catch {
      // SQLite has already rolled back.
    }
    throw cause
  }
}
