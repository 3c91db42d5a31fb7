import type { Sharding } from "@effect/cluster/Sharding"
/**
 * Who got which message, in the cluster's database: one runner follows the program and writes a row for each message, with
 * the place in the stream in the same transaction. So each message has one row, across restarts and runners.
 *
 * An agent reads its own rows. Listing the program's accounts instead would be a scan for each agent that becomes active, and
 * thousands of scans when a runner fails.
 */
import * as Singleton from "@effect/cluster/Singleton"
import * as SqlClient from "@effect/sql/SqlClient"
import type { Address } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as ProtocolEvents from "../../services/ProtocolEvents.js"
import * as Check from "../../src/internal/check.js"
import { InvalidInput } from "../../src/InvalidInput.js"
import * as Addresses from "../../src/solana/Address.js"
import { AgentClusterError } from "./AgentClusterError.js"
import { checkAgent } from "./Client.js"

/**
 * A message to an agent, as the index has it.
 *
 * @since 0.1.0
 * @category models
 */
export interface InboxRow {
  /** The slot in which the message was sent. */
  readonly slot: bigint
  /** The message's address. */
  readonly address: Address
}

/**
 * Options of reading the index.
 *
 * @since 0.1.0
 * @category models
 */
export interface InboxOptions {
  /** The last row that is known: those behind it are read. Default: from the first. */
  readonly after?: InboxRow | undefined
  /** Maximum rows. Default 100, at most 10,000. Too low: many reads. Too high: much memory at a time. */
  readonly limit?: number | undefined
}

/**
 * Options of the index.
 *
 * @since 0.1.0
 * @category models
 */
export interface InboxIndexOptions {
  /**
   * Where an empty index begins: `"beginning"` (default) of the program's history, or `"now"`. A history that nodes no
   * longer keep is passed over with a warning.
   */
  readonly from?: "beginning" | "now" | undefined
  /**
   * `confirmed` (default), or `finalized`, which comes 13 seconds later. A confirmed message may have been rolled back, in
   * very rare cases: there is no account at its address then.
   */
  readonly commitment?: "confirmed" | "finalized" | undefined
}

const NAME = "inboxCursor"

/** Slots after which the place is written though there was nothing: about a minute. */
const STEP = 150n

/** Rows of one statement. */
const ROWS = 200

const storage = (cause: unknown) => new AgentClusterError({ reason: "Storage", cause })

const StoredCursor = Schema.Array(Schema.Struct({ value: Schema.parseJson(ProtocolEvents.Cursor) }))

const Rows = Schema.Array(
  Schema.Struct({ slot: Schema.Union(Schema.BigIntFromSelf, Schema.BigInt), address: Addresses.Schema })
)

const tables = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const table = sql`
    CREATE TABLE IF NOT EXISTS pod_inbox (
      recipient VARCHAR(44) NOT NULL, slot BIGINT NOT NULL, address VARCHAR(44) NOT NULL,
      PRIMARY KEY (recipient, slot, address)
    )`
  yield* sql.onDialectOrElse({
    // Two runners that make a table at the same time would both fail.
    pg: () => sql.withTransaction(Effect.zipRight(sql`SELECT pg_advisory_xact_lock(7063)`, table)),
    orElse: () => table
  })
})

/** The cursor, with what has been written of it. */
const stored = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql`SELECT value FROM pod_cluster WHERE name = ${NAME}`
  return Option.fromNullable((yield* Schema.decodeUnknown(StoredCursor)(rows))[0]?.value)
})

const write = (rows: ReadonlyArray<InboxRow & { readonly recipient: Address }>, cursor: ProtocolEvents.Cursor) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    for (let at = 0; at < rows.length; at += ROWS) {
      const some = rows.slice(at, at + ROWS).map(({ address, recipient, slot }) => ({ recipient, slot, address }))
      yield* sql.onDialectOrElse({
        mysql: () => sql`INSERT IGNORE INTO pod_inbox ${sql.insert(some)}`,
        orElse: () => sql`INSERT INTO pod_inbox ${sql.insert(some)} ON CONFLICT DO NOTHING`
      })
    }
    yield* sql`DELETE FROM pod_cluster WHERE name = ${NAME}`
    yield* sql`INSERT INTO pod_cluster ${sql.insert({ name: NAME, value: JSON.stringify(cursor) })}`
  }).pipe((effect) => Effect.flatMap(SqlClient.SqlClient, (sql) => sql.withTransaction(effect)))

/** Follows the program from where the index stands. */
const follow = (options: InboxIndexOptions) =>
  Effect.gen(function* () {
    const events = yield* ProtocolEvents.ProtocolEvents
    const cursor = yield* stored
    let written = Option.match(cursor, { onNone: () => -STEP, onSome: ({ slot }) => slot })
    yield* events
      .batches({
        from: Option.getOrElse(cursor, () => options.from ?? "beginning"),
        commitment: options.commitment ?? "confirmed",
        kinds: ["MessageSent"],
        onGap: "skip"
      })
      .pipe(
        Stream.runForEach(({ cursor, items }) => {
          if (items.length === 0 && cursor.slot < written + STEP) return Effect.void
          written = cursor.slot
          const rows = items.flatMap(({ event }) =>
            event._tag === "MessageSent"
              ? [{ recipient: event.recipient, slot: event.slot, address: event.message }]
              : []
          )
          return write(rows, cursor)
        })
      )
  })

const SETTLED: ReadonlyArray<unknown> = [undefined, "confirmed", "finalized"]
const STARTS: ReadonlyArray<unknown> = [undefined, "beginning", "now"]

const AGAIN = Schedule.union(Schedule.exponential("1 second"), Schedule.spaced("1 minute"))

/** Keeps the index on one runner of the cluster. */
export const layer = (
  options: InboxIndexOptions = {}
): Layer.Layer<
  never,
  AgentClusterError | InvalidInput,
  ProtocolEvents.ProtocolEvents | Sharding | SqlClient.SqlClient
> =>
  Layer.unwrapEffect(
    Effect.gen(function* () {
      if (!SETTLED.includes(options.commitment)) {
        return yield* new InvalidInput({ field: "commitment", rule: "must be confirmed or finalized" })
      }
      if (!STARTS.includes(options.from)) {
        return yield* new InvalidInput({ field: "from", rule: "must be beginning or now" })
      }
      yield* Effect.mapError(tables, storage)
      const run = follow(options).pipe(
        Effect.tapError((error) =>
          Effect.logWarning("AgentCluster: the index of inboxes stopped, and starts again", error)
        ),
        Effect.retry(AGAIN)
      )
      return Singleton.make("PodInboxIndex", run)
    })
  )

/**
 * The messages to an agent that the index has, oldest first. What was sent in the last
 * seconds may not be there yet.
 *
 * @since 0.1.0
 * @category inbox
 */
export const inbox = (
  agent: Address,
  options: InboxOptions = {}
): Effect.Effect<ReadonlyArray<InboxRow>, AgentClusterError | InvalidInput, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    yield* checkAgent(agent)
    const limit = yield* Check.integer("limit", options.limit ?? 100, 1, 10_000)
    const slot = yield* Check.bigInteger("after.slot", options.after?.slot ?? 0n, 0n, 2n ** 63n - 1n)
    const wrong = options.after === undefined ? undefined : Addresses.check(options.after.address, "after.address")
    if (wrong !== undefined) return yield* wrong
    const address = options.after?.address ?? ""
    const sql = yield* SqlClient.SqlClient
    const rows = sql`
      SELECT slot, address FROM pod_inbox
      WHERE recipient = ${agent} AND (slot > ${slot} OR (slot = ${slot} AND address > ${address}))
      ORDER BY slot, address LIMIT ${limit}`
    return yield* rows.pipe(
      Effect.provideService(SqlClient.SafeIntegers, true),
      Effect.flatMap(Schema.decodeUnknown(Rows)),
      Effect.mapError(storage)
    )
  })
