/** Transactions of SQLite. */

/** The part of a database that a transaction needs. */
interface Connection {
  readonly exec: (sql: string) => unknown
}

/** Runs all of it in one transaction, or none. */
export const atomically = (database: Connection, run: () => void): void => {
  database.exec("BEGIN IMMEDIATE")
  try {
    run()
    database.exec("COMMIT")
  } catch (cause) {
    try {
      database.exec("ROLLBACK")
    } catch {
      // SQLite has rolled back by itself.
    }
    throw cause
  }
}
