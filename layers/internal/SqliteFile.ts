/** Opens an SQLite file that only the user of the process can read. */
import * as Fs from "node:fs"
import { resolve } from "node:path"
import type { Database, Sqlite } from "./Sqlite.js"

const OWNER_FILE = 0o600

/** Opens the file, creates it if it does not exist, and executes `settings`. Throws what SQLite throws. */
export const open = (sqlite: Sqlite, file: string, settings: string): Database => {
  // SQLite takes a relative name such as ":memory:" or "file:…" for a database in memory or a URI.
  const path = resolve(file)
  // SQLite gives its other files the mode of this file.
  Fs.closeSync(Fs.openSync(path, "a", OWNER_FILE))
  const database = new sqlite.DatabaseSync(path)
  try {
    database.exec(settings)
    return database
  } catch (cause) {
    database.close()
    throw cause
  }
}
