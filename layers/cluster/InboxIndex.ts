/**
 * The recipients of all messages, in the cluster's database. One runner follows the program and writes a row for each
 * message, together with its position in the stream, in one transaction. So each message has exactly one row, across
 * restarts and runners. The same transaction marks the agents, so that they read.
 *
 * An agent reads its own rows. Listing the program's accounts instead would need a scan for each agent that becomes
 * active, and thousands of scans when a runner fails.
 */
import * as EntityId from "@effect/cluster/EntityId"
import { Sharding } from "@effect/cluster/Sharding"
import * as Singleton from "@effect/cluster/Singleton"
import * as SqlClient from "@effect/sql/SqlClient"
import type { Address } from "@solana/kit"
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
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
import * as Curve from "../../src/solana/Curve.js"
import { AgentClusterError } from "./AgentClusterError.js"
import { checkAgent } from "./Client.js"
import * as InboxReader from "./InboxReader.js"
import { GROUP } from "./Protocol.js"
import { transaction } from "./Transaction.js"

/**
 * A message to an agent, in the index.
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
  /** The last known row: the result begins after it. Default: from the first row. */
  readonly after?: InboxRow | undefined
  /** Maximum rows. Default 100, at most 10,000. Too low: many reads. Too high: more memory for each read. */
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
   * Where an empty index begins: at the `"beginning"` (default) of the program's history, or `"now"`. History that
   * nodes no longer keep is skipped with a warning.
   */
  readonly from?: "beginning" | "now" | undefined
  /**
   * `confirmed` (default), or `finalized`, which is 13 seconds later. In very rare cases, a confirmed message is rolled
   * back: then its address has no account.
   */
  readonly commitment?: "confirmed" | "finalized" | undefined
  /**
   * The agents whose messages are indexed. Default: all agents of the program. If others use the program too, select
   * your own agents. Otherwise each message to a foreign agent is a row, and wakes an agent that `layer` with
   * `onMessage` refuses.
   */
  readonly recipients?: ((agent: Address) => boolean) | undefined
}

const NAME = "inboxCursor"

/** Slots, about a minute, after which the position is written even without a message. */
const STEP = 150n

/** Maximum rows of one statement. */
const ROWS = 200

const storage = (cause: unknown) => new AgentClusterError({ reason: "Storage", cause })

const StoredCursor = Schema.Array(Schema.Struct({ value: Schema.parseJson(ProtocolEvents.Cursor) }))

const Rows = Schema.Array(
  Schema.Struct({ slot: Schema.Union(Schema.BigIntFromSelf, Schema.BigInt), address: Addresses.Schema })
)

/** Creates the tables of inboxes. */
export const tables: Effect.Effect<void, AgentClusterError, SqlClient.SqlClient> = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const table = sql`
    CREATE TABLE IF NOT EXISTS pod_inbox (
      recipient VARCHAR(44) NOT NULL, slot BIGINT NOT NULL, address VARCHAR(44) NOT NULL,
      PRIMARY KEY (recipient, slot, address)
    )`
  const both = Effect.zipRight(table, InboxReader.table)
  yield* sql.onDialectOrElse({
    // Without the lock, two runners that create a table concurrently would both fail.
    pg: () => transaction(sql)(Effect.zipRight(sql`SELECT pg_advisory_xact_lock(7063)`, both)),
    orElse: () => both
  })
}).pipe(Effect.mapError(storage))

/** The stored cursor. */
const stored = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql`SELECT value FROM pod_cluster WHERE name = ${NAME}`
  return Option.fromNullable((yield* Schema.decodeUnknown(StoredCursor)(rows))[0]?.value)
})

type Row = InboxRow & { readonly recipient: Address }

/** Writes rows, marks their agents and stores the position, in one transaction. */
const write = (rows: ReadonlyArray<Row>, cursor: ProtocolEvents.Cursor) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const { getShardId } = yield* Sharding
    const agents = [...new Set(rows.map(({ recipient }) => recipient))]
      .toSorted()
      .map((agent) => ({ agent, shard: getShardId(EntityId.make(agent), GROUP).id }))
    const writing = Effect.gen(function* () {
      for (const some of Arr.chunksOf(rows, ROWS)) {
        const values = some.map(({ address, recipient, slot }) => ({ recipient, slot, address }))
        yield* sql.onDialectOrElse({
          mysql: () => sql`INSERT IGNORE INTO pod_inbox ${sql.insert(values)}`,
          orElse: () => sql`INSERT INTO pod_inbox ${sql.insert(values)} ON CONFLICT DO NOTHING`
        })
      }
      for (const some of Arr.chunksOf(agents, ROWS)) yield* InboxReader.mark(some)
      const place = { name: NAME, value: JSON.stringify(cursor) }
      yield* sql.onDialectOrElse({
        mysql: () => sql`INSERT INTO pod_cluster ${sql.insert(place)} ON DUPLICATE KEY UPDATE value = VALUES(value)`,
        orElse: () =>
          sql`INSERT INTO pod_cluster ${sql.insert(place)} ON CONFLICT (name) DO UPDATE SET value = excluded.value`
      })
    })
    yield* transaction(sql)(writing)
  })

/** Follows the program from the stored position. */
const follow = (options: InboxIndexOptions) =>
  Effect.gen(function* () {
    const events = yield* ProtocolEvents.ProtocolEvents
    const cursor = yield* stored
    const { recipients = () => true } = options
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
            event._tag === "MessageSent" && recipients(event.recipient) && Curve.isKey(event.recipient)
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

/** Maintains the index on one runner of the cluster. */
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
      if (options.recipients !== undefined && typeof options.recipients !== "function") {
        return yield* new InvalidInput({ field: "recipients", rule: "must be a function" })
      }
      yield* tables
      const run = follow(options).pipe(
        Effect.sandbox,
        Effect.tapError((cause) =>
          Cause.isInterruptedOnly(cause)
            ? Effect.void
            : Effect.logWarning("AgentCluster: the index of inboxes failed and is restarted", cause)
        ),
        // A defect too: an index that has stopped delivers no message to any agent.
        Effect.retry({ schedule: AGAIN, while: (cause) => !Cause.isInterruptedOnly(cause) }),
        Effect.unsandbox
      )
      return Singleton.make("PodInboxIndex", run)
    })
  )

/**
 * The indexed messages to an agent, oldest first. Messages of the last seconds may still be missing.
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
      WHERE recipient = ${agent} AND (slot, address) > (${slot}, ${address})
      ORDER BY slot, address LIMIT ${limit}`
    return yield* rows.pipe(
      Effect.provideService(SqlClient.SafeIntegers, true),
      Effect.flatMap(Schema.decodeUnknown(Rows)),
      Effect.mapError(storage)
    )
  })
