/**
 * The events that a process has applied, in an SQLite file. The effect of an event and the cursor behind it are one
 * transaction, so a kill leaves both or neither.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Sqlite from "../../layers/internal/Sqlite.js"
import * as ProtocolEvents from "../../services/ProtocolEvents.js"

const Row = Schema.Struct({ name: Schema.String })
const Names = Schema.decodeUnknownSync(Schema.Array(Row))
const Place = Schema.decodeUnknownSync(
  Schema.UndefinedOr(Schema.Struct({ cursor: Schema.parseJson(ProtocolEvents.Cursor) }))
)

/** Opens the file until the scope closes. */
export const open = (file: string) =>
  Effect.gen(function* () {
    const { DatabaseSync } = yield* Sqlite.load
    const database = yield* Effect.acquireRelease(
      Effect.sync(() => new DatabaseSync(file)),
      (database) => Effect.sync(() => database.close())
    )
    database.exec(`PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 5000;
      CREATE TABLE IF NOT EXISTS applied (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS place (id INTEGER PRIMARY KEY CHECK (id = 0), cursor TEXT NOT NULL);`)
    const insert = database.prepare("INSERT INTO applied (name) VALUES (?)")
    const move = database.prepare(
      "INSERT INTO place VALUES (0, ?) ON CONFLICT (id) DO UPDATE SET cursor = excluded.cursor"
    )
    const all = database.prepare("SELECT name FROM applied ORDER BY id")
    const place = database.prepare("SELECT cursor FROM place")
    return {
      /** The events in the order in which they were applied. */
      names: Effect.sync(() => Names(all.all()).map(({ name }) => name)),
      /** The cursor behind the last event. */
      cursor: Effect.sync(() => Place(place.get())?.cursor),
      apply: ({ cursor, event: { path, signature } }: ProtocolEvents.Item) =>
        Effect.sync(() => {
          database.exec("BEGIN IMMEDIATE")
          insert.run(`${signature} ${path}`)
          move.run(JSON.stringify(cursor))
          database.exec("COMMIT")
        })
    }
  })
