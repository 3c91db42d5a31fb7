/**
 * Agents that react to their inboxes.
 *
 * The index marks an agent when it writes a message to it. The runner of the agent's shard looks for marked agents, and
 * makes each read its messages in order, one at a time, until there are none. Reading is a request to the agent like
 * any other, so it happens on one runner. Its position is in the database, so another runner continues there.
 *
 * A message is finished when `onMessage` has succeeded and the position has advanced. A process may end between the
 * two, so each message is handled at least once. A failed message is tried again after a pause, and blocks the later
 * ones.
 */
import * as ShardId from "@effect/cluster/ShardId"
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
  /** Attempts after which a message is skipped. */
  readonly attempts: number
}

/** Messages that an agent reads before other agents get their turn. */
const TURN = 100

const SECOND = 1000

/** Attempts after which a message that no node has counts as rolled back: about half a minute. */
const MISSING = 6n

/** The pause of an agent whose wallet is not available. */
const AWAY = 30 * SECOND

/** The pause after a failed attempt. */
const pauseAfter = (tries: bigint): number => Math.min(SECOND * 2 ** Math.min(Number(tries), 20), InboxReader.MAX_PAUSE)

/** The outcome of a message: `done` advances, `again` waits. */
type Outcome = "again" | "done"

const passOver = (address: Address, agent: Address, cause: Cause.Cause<unknown>): Effect.Effect<Outcome> =>
  Effect.as(Effect.logError(`AgentCluster: the message ${address} to ${agent} was skipped`, cause), "done" as const)

/** Handles the agent's next message. */
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
      Effect.logWarning(`AgentCluster: the message ${next} to ${agent} failed and will be tried again`, cause),
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

/** Reads until the inbox is empty, or the turn is over. */
const readAll = (reader: Reader, agent: Address, wallet: WalletService) =>
  Effect.gen(function* () {
    for (let turn = 0; turn < TURN; turn++) {
      const place = yield* InboxReader.place(agent)
      if (place === undefined) return
      if (place.next_address === null) return yield* InboxReader.settle(agent, place)
      if (place.tries >= BigInt(reader.attempts)) {
        // The process ended in each attempt.
        yield* passOver(place.next_address, agent, Cause.empty)
      } else {
        yield* InboxReader.begin(agent, place)
        const outcome = yield* give(reader, agent, wallet, place, place.next_address)
        if (outcome === "again") return yield* InboxReader.postpone(agent, pauseAfter(place.tries))
      }
      yield* InboxReader.advance(agent, place)
    }
    // Moves the agent behind the other waiting ones.
    yield* InboxReader.postpone(agent, 0)
  })

/** Refuses an address that is not an agent of this cluster. Its messages wait until a new one arrives. */
const refuse = (agent: Address) =>
  Effect.flatMap(InboxReader.place(agent), (place) =>
    place === undefined ? Effect.void : InboxReader.settle(agent, place)
  )

/** Makes an agent read. After a failure, the next poll tries again. */
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
          ? Effect.zipRight(
              Effect.logDebug(`AgentCluster: ${agent} is not an agent of this cluster`, error),
              refuse(agent)
            )
          : Effect.zipRight(
              Effect.logWarning(`AgentCluster: the wallet of ${agent} is not available`, error),
              InboxReader.postpone(agent, AWAY)
            )
    }),
    Effect.catchAllCause((cause) => Effect.logWarning(`AgentCluster: ${agent} could not read its inbox`, cause))
  )

/** The shards of this runner. */
const ownShards = (sharding: Sharding["Type"], count: number): ReadonlyArray<number> => {
  const own: Array<number> = []
  for (let id = 1; id <= count; id++) if (sharding.hasShardId(ShardId.make(GROUP, id))) own.push(id)
  return own
}

/** Makes the agents of this runner read, at most `readers` of them concurrently. */
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
      Effect.catchAllCause((cause) => Effect.logWarning("AgentCluster: the poll for inboxes failed", cause)),
      Effect.repeat(Schedule.spaced(pollInterval)),
      Effect.forkScoped
    )
  })
