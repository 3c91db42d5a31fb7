/**
 * The agents of a runner, which send, and react to what they get. An agent lives in memory from its first request until it has been idle for a while. Its wallet is
 * asked for once in that time.
 */
import * as Entity from "@effect/cluster/Entity"
import type { Sharding } from "@effect/cluster/Sharding"
import { SqlClient } from "@effect/sql/SqlClient"
import type { Address } from "@solana/kit"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Message from "../../services/Message.js"
import type { ProgramAccount } from "../../services/ProgramAccount.js"
import type { SendOptions } from "../../services/Transactions.js"
import { type Service as WalletService, Wallet, type WalletError } from "../../services/Wallet.js"
import * as Check from "../../src/internal/check.js"
import { InvalidInput } from "../../src/InvalidInput.js"
import type { DirectMessage } from "../../src/protocol/Account.js"
import * as Addresses from "../../src/solana/Address.js"
import { AgentClusterError } from "./AgentClusterError.js"
import * as InboxIndex from "./InboxIndex.js"
import { AgentEntity } from "./Protocol.js"
import * as Reading from "./Reading.js"

/**
 * The agents of a runner.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options<R = never> {
  /**
   * The wallet of an agent, which is named by the wallet's address. A wallet with another address is refused: the send fails
   * with `InvalidInput`. Its scope closes when the agent leaves this runner.
   */
  readonly wallet: (agent: Address) => Effect.Effect<WalletService, InvalidInput | WalletError, R>
  /**
   * Requests that one agent does at a time. Default 16. Too low: a message waits until earlier ones are confirmed. Too high:
   * one agent takes the endpoint's rate from the others.
   */
  readonly concurrency?: number | undefined
  /**
   * How long an agent stays in memory without a request. Default 1 minute. Too low: wallets are asked for again and again.
   * Too high: memory grows by about 33 kB for each agent that was used.
   */
  readonly maxIdleTime?: Duration.DurationInput | undefined
  /** Options of the transactions of all sends. */
  readonly transactions?: SendOptions | undefined
}

/**
 * The agents of a runner, which react to the messages that they get.
 *
 * @since 0.1.0
 * @category models
 */
export interface ReadingOptions<R = never, H = never> extends Options<R> {
  /**
   * What an agent does with a message to it, with the agent's `Wallet`: `Message.text(message)` reads its payload. An agent's
   * messages come in order, one at a time, and on one runner. Each is given at least once: again, after a pause that doubles
   * from a second to 5 minutes, when this fails, and at once when the runner ended. `message.address` is the same each
   * time, so a reply with the `id` `message.address` is sent once. What never returns holds back the agent's inbox: bound it
   * by `Effect.timeout`.
   */
  readonly onMessage: (message: ProgramAccount<DirectMessage>) => Effect.Effect<void, unknown, H>
  /**
   * How often a message is given to `onMessage` that fails, or with which the process ends, before it is passed over with an
   * error in the log. Default 100, over 8 hours. Too low: an outage loses messages. Too high: a message that always fails
   * holds back those behind it.
   */
  readonly attempts?: number | undefined
  /**
   * Agents of this runner that read at a time. Default 256. Too low: agents wait for the slow ones. Too high: a burst of
   * messages to many agents takes the memory and the endpoint's rate.
   */
  readonly readers?: number | undefined
  /** How often the runner looks for new messages. Default 1 second. Too low loads the database. Too high: late reactions. */
  readonly pollInterval?: Duration.DurationInput | undefined
}

const CONCURRENCY = 16
const IDLE = "1 minute"
const ATTEMPTS = 100
const READERS = 256
const POLL = "1 second"

type Wallets = Effect.Effect<WalletService, InvalidInput | WalletError>

/** Runs the agents of this runner's shards. `read` has an agent read its inbox. */
const agentsOf = <R>(options: Options<R>, read?: (agent: Address, wallet: Wallets) => Effect.Effect<void>) =>
  Effect.gen(function* () {
    const concurrency = yield* Check.integer("concurrency", options.concurrency ?? CONCURRENCY, 1, 10_000)
    const maxIdleTime = yield* Check.millis("maxIdleTime", options.maxIdleTime ?? IDLE, "unlimited")
    const messages = yield* Message.Message
    const context = yield* Effect.context<Exclude<R, Scope.Scope>>()

    const make = Effect.gen(function* () {
      const { entityId } = yield* Entity.CurrentAddress
      const { host, port } = yield* Entity.CurrentRunnerAddress
      const scope = yield* Effect.scope
      let known: WalletService | undefined
      let isReading = false
      const wallet = Effect.gen(function* () {
        if (known !== undefined) return known
        const agent = yield* Addresses.parse(entityId, "agent")
        const found = yield* Effect.provide(Scope.extend(options.wallet(agent), scope), context)
        if (found.address !== agent) {
          return yield* new InvalidInput({ field: "wallet", rule: `must be the wallet of the agent ${agent}` })
        }
        known = found
        return found
      })
      return AgentEntity.of({
        Send: ({ payload: { ask, createdAt, id, payload, recipient, seal, sealTo, type } }) =>
          Effect.flatMap(wallet, (wallet) =>
            messages
              .send(
                { recipient, payload, type, id, createdAt, seal, sealTo, zeroCopy: true },
                { ...options.transactions, resend: true }
              )
              .pipe(Effect.provideService(Wallet, wallet))
          ).pipe(
            // A defect would be stored as the answer of all later asks.
            Effect.catchAllDefect((cause) => Effect.fail(new AgentClusterError({ reason: "Defect", cause }))),
            Effect.mapError((error) => ({ ask, error }))
          ),
        Where: () => Effect.succeed({ host, port }),
        Read: () =>
          Effect.suspend(() => {
            // Another runner may have asked, which had the agent before.
            if (isReading || read === undefined) return Effect.void
            isReading = true
            return Addresses.parse(entityId, "agent").pipe(
              Effect.flatMap((agent) => read(agent, wallet)),
              Effect.orDie,
              Effect.ensuring(Effect.sync(() => (isReading = false)))
            )
          })
      })
    })
    return AgentEntity.toLayer(make, {
      // What an agent reads may have it send.
      concurrency: read === undefined ? concurrency : concurrency + 1,
      maxIdleTime,
      disableFatalDefects: true
    })
  })

/** Runs the agents of this runner's shards, which only send. */
export const layer = <R>(
  options: Options<R>
): Layer.Layer<never, InvalidInput, Exclude<R, Scope.Scope> | Message.Message | Sharding> =>
  Layer.unwrapEffect(agentsOf(options))

/** Runs the agents of this runner's shards, which react to their messages. */
export const layerReading = <R, H>(
  options: ReadingOptions<R, H>
): Layer.Layer<
  never,
  AgentClusterError | InvalidInput,
  Exclude<Exclude<H, Wallet>, Scope.Scope> | Exclude<R, Scope.Scope> | Message.Message | Sharding | SqlClient
> =>
  Layer.unwrapEffect(
    Effect.gen(function* () {
      if (typeof options.onMessage !== "function") {
        return yield* new InvalidInput({ field: "onMessage", rule: "must be a function" })
      }
      const attempts = yield* Check.integer("attempts", options.attempts ?? ATTEMPTS, 1, 1_000_000)
      const readers = yield* Check.integer("readers", options.readers ?? READERS, 1, 100_000)
      const pollInterval = yield* Check.millis("pollInterval", options.pollInterval ?? POLL)
      const messages = yield* Message.Message
      const context = yield* Effect.context<Exclude<Exclude<H, Wallet>, Scope.Scope>>()
      const sql = yield* SqlClient
      yield* InboxIndex.tables
      const reader: Reading.Reader = {
        messages,
        attempts,
        onMessage: (message, wallet) =>
          Effect.suspend(() => options.onMessage(message)).pipe(
            Effect.provideService(Wallet, wallet),
            Effect.scoped,
            Effect.provide(context)
          )
      }
      const agents = yield* agentsOf(options, (agent, wallet) =>
        Effect.provideService(Reading.read(reader, agent, wallet), SqlClient, sql)
      )
      return Layer.scopedDiscard(Reading.run(readers, pollInterval)).pipe(Layer.provideMerge(agents))
    })
  )
