import * as ShardId from "@effect/cluster/ShardId"
/**
 * Agents that react to their inboxes.
 *
 * The index marks an agent when it writes a message to it. The runner that has the agent's shard looks for marked agents, and
 * has each read its messages in order, one at a time, until there is none. The reading is a request to the agent as any
 * other, so it happens on one runner; its place is in the database, so another runner goes on where this one stopped.
 *
 * A message is done when `onMessage` succeeded and the place has moved. Between the two a process may end: so each message is
 * given at least once. One that fails is tried again after a pause, and holds back what comes behind it.
 */
import { Sharding } from "@effect/cluster/Sharding"
import type { Address } from "@solana/kit"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { Service as MessageService } from "../../services/Message.js"
import type { ProgramAccount } from "../../services/ProgramAccount.js"
import type { Service as WalletService, WalletError } from "../../services/Wallet.js"
import type { InvalidInput } from "../../src/InvalidInput.js"
import type { DirectMessage } from "../../src/protocol/Account.js"
import * as InboxReader from "./InboxReader.js"
import { AgentEntity, GROUP } from "./Protocol.js"
import * as Shards from "./Shards.js"

export interface Reader {
  readonly messages: MessageService
  readonly onMessage: (message: ProgramAccount<DirectMessage>, wallet: WalletService) => Effect.Effect<void, unknown>
  /** After so many tries, a message is passed over. */
  readonly attempts: number
}

/** Messages that an agent reads before others have their turn. */
const TURN = 100

const SECOND = 1000

/** Tries after which a message that no node has is taken for one that was rolled back: about half a minute. */
const MISSING = 6n

/** The pause of an agent without its wallet. */
const AWAY = 30 * SECOND

/** The pause after a try that failed. */
const pauseAfter = (tries: bigint): number => Math.min(SECOND * 2 ** Math.min(Number(tries), 20), InboxReader.MAX_PAUSE)

/** What became of a message: `done` moves on, `again` waits. */
type Outcome = "again" | "done"

const passOver = (address: Address, agent: Address, cause: Cause.Cause<unknown>): Effect.Effect<Outcome> =>
  Effect.as(Effect.logError(`AgentCluster: the message ${address} to ${agent} was passed over`, cause), "done" as const)

/** Gives the next message to the agent. */
const give = (
  { attempts, messages, onMessage }: Reader,
  agent: Address,
  wallet: WalletService,
  place: InboxReader.Place,
  next: Address
) => {
  const tries = place.tries + 1n
  const again = (cause: Cause.Cause<unknown>): Effect.Effect<Outcome> => {
    if (tries >= BigInt(attempts)) return passOver(next, agent, cause)
    return Effect.as(
      Effect.logWarning(`AgentCluster: the message ${next} to ${agent} failed, and is tried again`, cause),
      "again" as const
    )
  }
  return messages.get(next).pipe(
    Effect.matchCauseEffect({
      onFailure: (cause): Effect.Effect<Outcome> => {
        const failed = Cause.failureOption(cause)
        if (failed._tag === "None") return again(cause)
        switch (failed.value._tag) {
          case "AccountDecodeError":
            return passOver(next, agent, cause)
          case "AccountNotFound":
            return tries >= MISSING ? passOver(next, agent, cause) : again(cause)
          default:
            return again(cause)
        }
      },
      onSuccess: (message) =>
        Effect.matchCauseEffect(onMessage(message, wallet), {
          onFailure: again,
          onSuccess: () => Effect.succeed<Outcome>("done")
        })
    }),
    Effect.onInterrupt(() => Effect.ignore(InboxReader.withdraw(agent, place)))
  )
}

/** Reads until there is no message, or the turn is over. */
const readAll = (reader: Reader, agent: Address, wallet: WalletService) =>
  Effect.gen(function* () {
    for (let turn = 0; turn < TURN; turn++) {
      const place = yield* InboxReader.place(agent)
      if (place === undefined) return
      if (place.next_address === null) return yield* InboxReader.settle(agent, place)
      if (place.tries >= BigInt(reader.attempts)) {
        // The process ended each time.
        yield* passOver(place.next_address, agent, Cause.empty)
      } else {
        yield* InboxReader.begin(agent, place)
        const outcome = yield* give(reader, agent, wallet, place, place.next_address)
        if (outcome === "again") return yield* InboxReader.postpone(agent, pauseAfter(place.tries))
      }
      yield* InboxReader.advance(agent, place)
    }
    // Behind the others.
    yield* InboxReader.postpone(agent, 0)
  })

/** An agent that is none of this cluster: its messages wait until a new one comes, and it is looked for again. */
const refuse = (agent: Address) =>
  Effect.flatMap(InboxReader.place(agent), (place) =>
    place === undefined ? Effect.void : InboxReader.settle(agent, place)
  )

/** Has an agent read. What fails here is tried again at the next look. */
export const read = (
  reader: Reader,
  agent: Address,
  wallet: Effect.Effect<WalletService, InvalidInput | WalletError>
) =>
  wallet.pipe(
    Effect.matchEffect({
      onSuccess: (wallet) => readAll(reader, agent, wallet),
      onFailure: (error) =>
        error._tag === "InvalidInput"
          ? Effect.zipRight(Effect.logDebug(`AgentCluster: ${agent} is no agent of this cluster`, error), refuse(agent))
          : Effect.zipRight(
              Effect.logWarning(`AgentCluster: the wallet of ${agent} is away`, error),
              InboxReader.postpone(agent, AWAY)
            )
    }),
    Effect.catchAllCause((cause) => Effect.logWarning(`AgentCluster: ${agent} could not read its inbox`, cause))
  )

/** The shards that this runner has. */
const ownShards = (sharding: Sharding["Type"], count: number): ReadonlyArray<number> => {
  const own: Array<number> = []
  for (let id = 1; id <= count; id++) if (sharding.hasShardId(ShardId.make(GROUP, id))) own.push(id)
  return own
}

/** Has the agents of this runner read, `readers` of them at a time. */
export const run = (readers: number, pollInterval: number) =>
  Effect.gen(function* () {
    const sharding = yield* Sharding
    const clientOf = yield* AgentEntity.client
    const count = yield* Shards.count
    const reading = new Set<Address>()
    const once = Effect.gen(function* () {
      const own = ownShards(sharding, count)
      if (own.length === 0 || reading.size >= readers) return
      for (const agent of yield* InboxReader.due(own, readers)) {
        if (reading.size >= readers || reading.has(agent)) continue
        reading.add(agent)
        yield* clientOf(agent)
          .Read()
          .pipe(
            Effect.catchAllCause((cause) =>
              Cause.isInterruptedOnly(cause)
                ? Effect.void
                : Effect.logWarning(`AgentCluster: ${agent} could not read its inbox`, cause)
            ),
            Effect.ensuring(Effect.sync(() => reading.delete(agent))),
            Effect.forkScoped
          )
      }
    })
    yield* once.pipe(
      Effect.catchAllCause((cause) => Effect.logWarning("AgentCluster: inboxes were not looked for", cause)),
      Effect.repeat(Schedule.spaced(pollInterval)),
      Effect.forkScoped
    )
  })
