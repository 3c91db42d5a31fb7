/**
 * The reading position of each agent in its inbox, as a row in the cluster's database.
 *
 * - `slot` and `address` name the last finished message. They advance only from the position that the reader has read.
 *   So a runner that was stopped, and continues after another has read, moves nothing back.
 * - `changes` counts the messages written to the inbox. An agent is marked as read only with the count from before it
 *   found the inbox empty, so a message that arrives in between is not missed.
 * - `tries` is incremented before a message is handled, so a message that kills the process is counted too.
 * - `due` orders the agents that must read, in milliseconds of the runners' clocks. A value further ahead than any
 *   pause comes from a clock that jumped, and counts as due.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import type { Address } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Addresses from "../../src/solana/Address.js"

/** The longest pause of an agent, in milliseconds. */
export const MAX_PAUSE = 300_000

/** Integers in the types that databases return. */
const Int = Schema.Union(Schema.BigIntFromSelf, Schema.BigInt, Schema.BigIntFromNumber)

const Due = Schema.Array(Schema.Struct({ agent: Addresses.Schema }))

const Found = Schema.Array(
  Schema.Struct({
    changes: Int,
    tries: Int,
    slot: Int,
    address: Schema.String,
    next_slot: Schema.NullOr(Int),
    next_address: Schema.NullOr(Addresses.Schema)
  })
)

/** The position of an agent in its inbox, and its next message. */
export type Place = (typeof Found.Type)[number]

/** Creates the table. It must run in the database of the table `pod_cluster`. */
export const table = Effect.flatMap(SqlClient.SqlClient, (sql) => {
  const columns = sql.literal(`
    agent VARCHAR(44) PRIMARY KEY, shard INTEGER NOT NULL, changes BIGINT NOT NULL, unread BOOLEAN NOT NULL,
    due BIGINT NOT NULL, slot BIGINT NOT NULL, address VARCHAR(44) NOT NULL, tries INTEGER NOT NULL`)
  return sql.onDialectOrElse({
    mysql: () =>
      sql`CREATE TABLE IF NOT EXISTS pod_inbox_reader (${columns}, INDEX pod_inbox_due (unread, shard, due))`,
    orElse: () =>
      Effect.zipRight(
        sql`CREATE TABLE IF NOT EXISTS pod_inbox_reader (${columns})`,
        sql`CREATE INDEX IF NOT EXISTS pod_inbox_due ON pod_inbox_reader (unread, shard, due)`
      )
  })
})

/** Records that agents have new messages. */
export const mark = (agents: ReadonlyArray<{ readonly agent: Address; readonly shard: number }>) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const due = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
    const rows = agents.map(({ agent, shard }) => ({
      agent,
      shard,
      changes: 1,
      unread: true,
      due,
      slot: -1,
      address: "",
      tries: 0
    }))
    yield* sql.onDialectOrElse({
      mysql: () => sql`
        INSERT INTO pod_inbox_reader ${sql.insert(rows)}
        ON DUPLICATE KEY UPDATE changes = changes + 1, due = IF(unread, due, VALUES(due)), unread = TRUE`,
      orElse: () => sql`
        INSERT INTO pod_inbox_reader ${sql.insert(rows)} ON CONFLICT (agent) DO UPDATE SET
          changes = pod_inbox_reader.changes + 1,
          due = CASE WHEN pod_inbox_reader.unread THEN pod_inbox_reader.due ELSE excluded.due END,
          unread = excluded.unread`
    })
  })

/** Agents of these shards with unread messages, the longest waiting first. */
export const due = (shards: ReadonlyArray<number>, limit: number) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const now = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
    const rows = yield* sql`
      SELECT agent FROM pod_inbox_reader
      WHERE unread = ${true} AND ${sql.in("shard", shards)} AND (due <= ${now} OR due > ${now + MAX_PAUSE})
      ORDER BY due LIMIT ${limit}`
    return (yield* Schema.decodeUnknown(Due)(rows)).map(({ agent }) => agent)
  })

/** The position of the agent. `None` if it never had a message. */
export const place = (agent: Address) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const rows = yield* sql`
      SELECT r.changes, r.tries, r.slot, r.address, i.slot AS next_slot, i.address AS next_address
      FROM pod_inbox_reader r
      LEFT JOIN pod_inbox i ON i.recipient = r.agent AND (i.slot, i.address) > (r.slot, r.address)
      WHERE r.agent = ${agent} ORDER BY i.slot, i.address LIMIT 1`
    const [found] = yield* Schema.decodeUnknown(Found)(rows)
    return found
  }).pipe(Effect.provideService(SqlClient.SafeIntegers, true))

/** Counts an attempt to handle the next message, before it starts. */
export const begin = (agent: Address, { address, slot, tries }: Place) =>
  Effect.flatMap(
    SqlClient.SqlClient,
    (sql) => sql`
      UPDATE pod_inbox_reader SET tries = ${tries + 1n}
      WHERE agent = ${agent} AND slot = ${slot} AND address = ${address} AND tries = ${tries}`
  )

/** Subtracts an interrupted attempt. */
export const withdraw = (agent: Address, { address, slot, tries }: Place) =>
  Effect.flatMap(
    SqlClient.SqlClient,
    (sql) => sql`
      UPDATE pod_inbox_reader SET tries = ${tries}
      WHERE agent = ${agent} AND slot = ${slot} AND address = ${address} AND tries = ${tries + 1n}`
  )

/** Advances to the next message. */
export const advance = (agent: Address, { address, next_address, next_slot, slot }: Place) =>
  Effect.flatMap(
    SqlClient.SqlClient,
    (sql) => sql`
      UPDATE pod_inbox_reader SET slot = ${next_slot}, address = ${next_address}, tries = 0
      WHERE agent = ${agent} AND slot = ${slot} AND address = ${address}`
  )

/** Marks the inbox as read, unless a message arrived since. */
export const settle = (agent: Address, { changes }: Place) =>
  Effect.flatMap(
    SqlClient.SqlClient,
    (sql) => sql`UPDATE pod_inbox_reader SET unread = ${false} WHERE agent = ${agent} AND changes = ${changes}`
  )

/** Makes the agent read again after some milliseconds. */
export const postpone = (agent: Address, millis: number) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const now = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
    yield* sql`UPDATE pod_inbox_reader SET due = ${now + millis} WHERE agent = ${agent}`
  })
