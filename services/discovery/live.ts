/**
 * The tables that the searches read, and the fiber that keeps them up to date.
 *
 * All tables are listed, then follow one stream of events from the lowest slot of their lists. After a failure they are
 * listed again, from a node that has reached what is known: this also covers what a stream has lost.
 */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Check from "../../src/internal/check.js"
import { InvalidInput } from "../../src/InvalidInput.js"
import type { AgentAccount, ChannelAccount, ChannelParticipant } from "../../src/protocol/Account.js"
import type { Kind as EventKind } from "../../src/protocol/ProtocolEvent.js"
import * as Backoff from "../internal/backoff.js"
import * as Accounts from "../program/accounts.js"
import * as ProtocolEvents from "../ProtocolEvents.js"
import { RpcPool } from "../RpcPool.js"
import type { RpcError } from "../RpcTransport.js"
import * as Kinds from "./kinds.js"
import type { KindName, Options } from "./models.js"
import { Table } from "./Table.js"

/** Milliseconds before the endpoints are asked again. */
const BACKOFF = { base: 500, cap: 30_000 }

const KINDS: ReadonlyArray<KindName> = ["agents", "channels", "messages"]

export interface Live {
  readonly program: Accounts.Accounts["programId"]
  /** The kinds that are indexed. */
  readonly kinds: ReadonlySet<KindName>
  readonly agents: Table<AgentAccount, Kinds.AgentOrder>
  readonly channels: Table<ChannelAccount, Kinds.ChannelOrder>
  readonly participants: Table<ChannelParticipant, "recent">
  readonly messages: Table<Kinds.AnyMessage, "recent">
  /** The slot up to which all changes are in the tables. */
  readonly asOf: () => bigint
}

const EVENTS: Readonly<Record<KindName, ReadonlyArray<EventKind>>> = {
  agents: ["AgentRegistered", "AgentUpdated"],
  channels: [
    "ChannelCreated",
    "ChannelUpdated",
    "ChannelJoined",
    "ChannelLeft",
    "CompressedJoined",
    "CompressedSynced",
    "EscrowDeposited",
    "EscrowWithdrawn"
  ],
  messages: ["MessageSent", "MessageStatusChanged", "MessageBroadcast"]
}

const checkKinds = (kinds: ReadonlyArray<KindName>): Either.Either<ReadonlySet<KindName>, InvalidInput> => {
  const index = kinds.findIndex((kind) => !KINDS.includes(kind))
  if (kinds.length === 0) return Either.left(new InvalidInput({ field: "kinds", rule: "must name at least one kind" }))
  return index === -1
    ? Either.right(new Set(kinds))
    : Either.left(new InvalidInput({ field: `kinds[${index}]`, rule: `must be one of: ${KINDS.join(", ")}` }))
}

export const make = (
  options: Options
): Effect.Effect<Live, InvalidInput | RpcError, ProtocolEvents.ProtocolEvents | RpcPool | Scope.Scope> =>
  Effect.gen(function* () {
    const kinds = yield* checkKinds(options.kinds ?? KINDS)
    const maxEntries = yield* Check.integer("maxEntries", options.maxEntries ?? 1_000_000, 1)
    const pool = yield* RpcPool
    const events = yield* ProtocolEvents.ProtocolEvents
    const accounts = yield* Accounts.make
    const { programId: program } = accounts
    const genesis = yield* pool.getGenesisHash
    const sources = { accounts, pool, maxEntries }

    const agents = new Table(Kinds.agents, sources)
    const channels = new Table(Kinds.channels, sources)
    const participants = new Table(Kinds.participants, sources)
    const messages = new Table(Kinds.messages, sources)
    const tables = [
      ...(kinds.has("agents") ? [agents] : []),
      ...(kinds.has("channels") ? [channels, participants] : []),
      ...(kinds.has("messages") ? [messages] : [])
    ]
    let cursor = new ProtocolEvents.Cursor({ program, genesis, slot: 0n })
    const asOf = (): bigint => (cursor.position === undefined ? cursor.slot : cursor.slot - 1n)

    const load = Effect.gen(function* () {
      const least = asOf() === 0n ? undefined : asOf()
      let slot: bigint | undefined
      for (const table of tables) {
        const listed = yield* table.load(least)
        if (slot === undefined || listed < slot) slot = listed
      }
      if (slot !== undefined && slot > asOf()) cursor = new ProtocolEvents.Cursor({ program, genesis, slot })
    })

    const update = (items: Chunk.Chunk<ProtocolEvents.Item>) =>
      Effect.gen(function* () {
        const last = Chunk.last(items)
        if (last._tag === "None") return
        for (const table of tables) {
          yield* table.refresh(
            Chunk.map(items, ({ event }) => event),
            last.value.cursor.slot
          )
        }
        cursor = last.value.cursor
      })

    const wanted = [...kinds].flatMap((kind) => EVENTS[kind])
    const follow = Effect.suspend(() => Stream.runForEachChunk(events.stream({ from: cursor, kinds: wanted }), update))

    /** Follows for ever. */
    const keepUp = Effect.gen(function* () {
      let failures = 0
      let following: typeof follow = follow
      while (true) {
        const before = asOf()
        const error = yield* Effect.flip(following)
        if (asOf() > before) failures = 0
        const millis = yield* Backoff.fullJitter(BACKOFF.base, BACKOFF.cap, failures++)
        yield* Effect.logWarning(`Discovery reads all accounts again after ${Math.ceil(millis)} ms: ${error.message}`)
        yield* Effect.sleep(millis)
        following = Effect.zipRight(load, follow)
      }
    })

    yield* load
    yield* Effect.forkScoped(keepUp)
    return { program, kinds, agents, channels, participants, messages, asOf }
  })
