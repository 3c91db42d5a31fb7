/**
 * The agents of a runner, which send messages and react to received ones. An agent is in memory from its first request
 * until it has been idle for some time. In that time, its wallet is requested once.
 */
import * as Entity from "@effect/cluster/Entity"
import type { Sharding } from "@effect/cluster/Sharding"
import { SqlClient } from "@effect/sql/SqlClient"
import type { Address } from "@solana/kit"
import * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as FifoSemaphore from "../../services/internal/FifoSemaphore.js"
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
   * Returns the wallet of an agent, which is identified by the wallet's address. With a wallet of another address, the
   * send fails with `InvalidInput`. The scope closes if the request fails, or when the agent leaves this runner.
   */
  readonly wallet: (agent: Address) => Effect.Effect<WalletService, InvalidInput | WalletError, R>
  /**
   * Concurrent requests of one agent. Default 16. Too low: a message waits until earlier ones are confirmed. Too high:
   * one agent uses up the endpoint's rate limit.
   */
  readonly concurrency?: number | undefined
  /**
   * How long an idle agent stays in memory. Default 1 minute. Too low: wallets are requested repeatedly. Too high:
   * memory grows by about 33 kB for each used agent.
   */
  readonly maxIdleTime?: Duration.DurationInput | undefined
  /** Options of the transactions of all sends. Default: those of `Transactions`. */
  readonly transactions?: SendOptions | undefined
}

/**
 * The agents of a runner, which react to received messages.
 *
 * @since 0.1.0
 * @category models
 */
export interface ReadingOptions<R = never, H = never> extends Options<R> {
  /**
   * Handles a message to the agent, with the agent's `Wallet` in context: `Message.text(message)` reads its payload. An
   * agent's messages come in order, one at a time, and on one runner. Each message is handled at least once. A handler
   * that fails runs again after a pause, which doubles from a second to 5 minutes. After the end of a runner, it runs
   * again at once. `message.address` is the same each time, so a reply with the `id` `message.address` is sent once. A
   * handler that never returns blocks the agent's inbox: limit it with `Effect.timeout`.
   */
  readonly onMessage: (message: ProgramAccount<DirectMessage>) => Effect.Effect<void, unknown, H>
  /**
   * Maximum attempts to handle a message, including those that end the process. Then the message is skipped, with an
   * error in the log. Default 100, over 8 hours. Too low: an outage loses messages. Too high: a message that always
   * fails blocks the later ones.
   */
  readonly attempts?: number | undefined
  /**
   * Agents of this runner that read concurrently. Default 256. Too low: agents wait for slow ones. Too high: a burst of
   * messages to many agents uses up memory and the endpoint's rate limit.
   */
  readonly readers?: number | undefined
  /**
   * How often the runner looks for new messages. Default 1 second. Too low: load on the database. Too high: late
   * reactions.
   */
  readonly pollInterval?: Duration.DurationInput | undefined
}

const CONCURRENCY = 16
const IDLE = "1 minute"
const ATTEMPTS = 100
const READERS = 256
const POLL = "1 second"

type Wallets = Effect.Effect<WalletService, InvalidInput | WalletError>

/** Runs the agents of this runner's shards. `read` makes an agent read its inbox. */
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
      const turn = FifoSemaphore.make(1)
      const request = Effect.gen(function* () {
        if (known !== undefined) return known
        const agent = yield* Addresses.parse(entityId, "agent")
        // A request that fails must not hold anything until the agent leaves: it is repeated.
        const own = yield* Scope.fork(scope, ExecutionStrategy.sequential)
        known = yield* Scope.extend(
          Effect.suspend(() => options.wallet(agent)),
          own
        ).pipe(
          // An interruption that the wallet makes itself would repeat the request for ever, without a pause.
          Effect.catchAllCause((cause) =>
            Cause.isInterruptedOnly(cause)
              ? Effect.dieMessage(`the wallet of ${agent} interrupted itself`)
              : Effect.failCause(cause)
          ),
          Effect.filterOrFail(
            ({ address }) => address === agent,
            () => new InvalidInput({ field: "wallet", rule: `must be the wallet of the agent ${agent}` })
          ),
          Effect.onError((cause) => Scope.close(own, Exit.failCause(cause))),
          Effect.provide(context)
        )
        return known
      })
      const wallet = Effect.suspend(() => (known === undefined ? turn.withPermit(request) : Effect.succeed(known)))
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
            // A defect would be stored as the answer to all later requests.
            Effect.catchAllDefect((cause) => Effect.fail(new AgentClusterError({ reason: "Defect", cause }))),
            Effect.mapError((error) => ({ ask, error }))
          ),
        Where: () => Effect.succeed({ host, port }),
        Read: () =>
          Effect.suspend(() => {
            // The request may come from the runner that had the agent before.
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
      // The handling of a message may make the agent send.
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

/** Runs the agents of this runner's shards, which also react to their messages. */
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
