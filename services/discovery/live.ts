/**
 * The tables that the searches read, and the fiber that keeps them up to date.
 *
 * The fiber lists all tables, then follows one stream of events from the lowest slot of the lists. After a failure it
 * lists them again, from a node that has reached the known slot: this also covers events that the stream lost. If the
 * cluster's slot has decreased far, or if the cluster is another one, the known accounts are discarded.
 *
 * With a store, the tables start with their saved state. They are saved at an interval, and when the scope closes.
 */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { constVoid } from "effect/Function"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Check from "../../src/internal/check.js"
import { InvalidInput } from "../../src/InvalidInput.js"
import type { AgentAccount, ChannelAccount, ChannelParticipant, EscrowAccount } from "../../src/protocol/Account.js"
import type { Kind as EventKind } from "../../src/protocol/ProtocolEvent.js"
import type { Service as CacheStore } from "../CacheStore.js"
import * as Deadline from "../Deadline.js"
import * as Backoff from "../internal/backoff.js"
import { CredibleSlots } from "../internal/CredibleSlots.js"
import * as FalseSlot from "../internal/falseSlot.js"
import { SLOT_NOT_REACHED } from "../internal/verdict.js"
import * as Accounts from "../program/accounts.js"
import * as ProtocolEvents from "../ProtocolEvents.js"
import { RpcPool } from "../RpcPool.js"
import type { RpcError } from "../RpcTransport.js"
import * as Kinds from "./kinds.js"
import type { KindName, PersistedOptions } from "./models.js"
import * as Saved from "./Saved.js"
import { type Sources, Table } from "./Table.js"

/** Slots, about a minute, that a node may lag behind the known slot. */
const MAX_BEHIND = 150n

const MIN_INTERVAL = 1000
const MAX_INTERVAL = 3_600_000
const MAX_NAME = 64

/** Bounds of the random wait before the endpoints are asked again, in milliseconds. */
const BACKOFF = { base: 500, cap: 30_000 }

/** Maximum time for the pool to return its slot. */
const BELIEF = "10 seconds"

/** The retry policy for lagging nodes. */
const WAIT = {
  while: ({ code }: RpcError) => code === SLOT_NOT_REACHED,
  schedule: Schedule.jittered(Schedule.union(Schedule.exponential("250 millis"), Schedule.spaced("5 seconds")))
}

const KINDS: ReadonlyArray<KindName> = ["agents", "channels", "messages"]

export interface Live {
  readonly program: Accounts.Accounts["programId"]
  /** The indexed kinds. */
  readonly kinds: ReadonlySet<KindName>
  readonly agents: Table<AgentAccount, Kinds.AgentOrder>
  readonly channels: Table<ChannelAccount, Kinds.ChannelOrder>
  readonly participants: Table<ChannelParticipant, "recent">
  readonly escrows: Table<EscrowAccount, "recent">
  readonly messages: Table<Kinds.AnyMessage, "recent">
  /** The slot up to which the tables contain all changes. */
  readonly asOf: () => bigint
}

const EVENTS: Readonly<Record<KindName, ReadonlyArray<EventKind>>> = {
  agents: ["AgentRegistered", "AgentUpdated", "Invited"],
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

const checkName = (name: string): Either.Either<string, InvalidInput> =>
  typeof name === "string" && name.length > 0 && name.length <= MAX_NAME
    ? Either.right(name)
    : Either.left(new InvalidInput({ field: "name", rule: `must be a text of 1 to ${MAX_NAME} characters` }))

/** Makes the tables. `store`: where to save them, if at all. */
export const make = (
  options: PersistedOptions,
  store?: CacheStore
): Effect.Effect<Live, InvalidInput | RpcError, ProtocolEvents.ProtocolEvents | RpcPool | Scope.Scope> =>
  Effect.gen(function* () {
    const kinds = yield* checkKinds(options.kinds ?? KINDS)
    const maxEntries = yield* Check.integer("maxEntries", options.maxEntries ?? 1_000_000, 1)
    const name = yield* checkName(options.name ?? "default")
    const interval = yield* Check.millisBetween(
      "saveInterval",
      options.saveInterval ?? "30 seconds",
      MIN_INTERVAL,
      MAX_INTERVAL
    )
    const pool = yield* RpcPool
    const events = yield* ProtocolEvents.ProtocolEvents
    const accounts = yield* Accounts.make
    const { programId: program } = accounts
    let genesis = yield* pool.getGenesisHash
    const current = Effect.suspend(() => pool.getSlot())
    const slots = new CredibleSlots(Deadline.within(BELIEF)(current))
    const from: Sources["from"] = (least, read) =>
      FalseSlot.readFrom(least, (least) => Effect.retry(read(least), WAIT), { current, onFalse: constVoid })
    const sources = { accounts, pool, slots, from, maxEntries }

    const agents = new Table(Kinds.agents, sources)
    const channels = new Table(Kinds.channels, sources)
    const participants = new Table(Kinds.participants, sources)
    const escrows = new Table(Kinds.escrows, sources)
    const messages = new Table(Kinds.messages, sources)
    const tables = [
      ...(kinds.has("agents") ? [agents] : []),
      ...(kinds.has("channels") ? [channels, participants, escrows] : []),
      ...(kinds.has("messages") ? [messages] : [])
    ]
    const at = (slot: bigint) => new ProtocolEvents.Cursor({ program, genesis, slot })
    let cursor = at(0n)
    const asOf = (): bigint => (cursor.position === undefined ? cursor.slot : cursor.slot - 1n)
    const savedOf = () => (store === undefined ? undefined : Saved.make(store, { genesis, program, name }, tables))
    let saved = savedOf()
    let isReplacing = false
    const exclusive = Effect.unsafeMakeSemaphore(1).withPermits(1)

    const load = (least: bigint | undefined) =>
      Effect.gen(function* () {
        let slot: bigint | undefined
        yield* slots.ask
        for (const table of tables) {
          const listed = yield* table.load(least)
          if (slot === undefined || listed < slot) slot = listed
        }
        if (slot !== undefined && (least === undefined || slot > least)) cursor = at(slot)
      })

    const hasReached = (slot: bigint): Effect.Effect<boolean, RpcError> =>
      pool.getSlot({ minContextSlot: slot }).pipe(
        Effect.as(true),
        Effect.catchIf(
          ({ code }) => code === SLOT_NOT_REACHED,
          () => Effect.succeed(false)
        )
      )

    const begin = Effect.gen(function* () {
      const slot = saved === undefined ? undefined : yield* saved.restore(hasReached)
      if (slot === undefined) return yield* load(undefined)
      yield* slots.ask
      cursor = at(slot)
    })

    /**
     * Discards all accounts and lists them again. Until the end nothing is saved, because the tables contain accounts
     * of both clusters.
     */
    const replace = (current: typeof genesis) =>
      exclusive(
        Effect.gen(function* () {
          isReplacing = true
          saved = undefined
          genesis = current
          yield* load(undefined)
          saved = savedOf()
          isReplacing = false
        })
      )

    const reload = Effect.gen(function* () {
      const current = yield* pool.getGenesisHash
      const hasGoneBack = (yield* pool.getSlot()) + MAX_BEHIND < asOf()
      if (current === genesis && !hasGoneBack && !isReplacing) return yield* load(asOf())
      yield* Effect.logWarning(
        "Discovery lists all accounts again: the cluster is another one, or its slot has decreased"
      )
      yield* replace(current)
    })

    const save = exclusive(Effect.suspend(() => saved?.save(asOf) ?? Effect.void))

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
        // A cursor far in the future would end the next stream that starts there.
        if (yield* slots.believes(last.value.cursor.slot)) cursor = last.value.cursor
      })

    const wanted = [...kinds].flatMap((kind) => EVENTS[kind])
    const follow = Effect.suspend(() => Stream.runForEachChunk(events.stream({ from: cursor, kinds: wanted }), update))

    /** Follows the events for ever. */
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
        following = Effect.zipRight(reload, follow)
      }
    })

    yield* begin
    // The finalizer runs after the fibers have ended.
    yield* Effect.addFinalizer(() => save)
    // Interruptible even if the layer is built in an uninterruptible region, because the scope waits for the fibers.
    yield* Effect.forkScoped(Effect.interruptible(keepUp))
    if (store !== undefined) {
      yield* Effect.forkScoped(Effect.interruptible(Effect.forever(Effect.zipRight(save, Effect.sleep(interval)))))
    }
    return { program, kinds, agents, channels, participants, escrows, messages, asOf }
  })
