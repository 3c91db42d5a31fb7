/**
 * The agents of a runner. An agent lives in memory from its first request until it has been idle for a while. Its wallet is
 * asked for once in that time.
 */
import * as Entity from "@effect/cluster/Entity"
import type { Sharding } from "@effect/cluster/Sharding"
import type { Address } from "@solana/kit"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Message from "../../services/Message.js"
import type { SendOptions } from "../../services/Transactions.js"
import { type Service as WalletService, Wallet, type WalletError } from "../../services/Wallet.js"
import * as Check from "../../src/internal/check.js"
import { InvalidInput } from "../../src/InvalidInput.js"
import * as Addresses from "../../src/solana/Address.js"
import { AgentEntity } from "./Protocol.js"

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

const CONCURRENCY = 16
const IDLE = "1 minute"

/** Runs the agents of this runner's shards. */
export const layer = <R>(
  options: Options<R>
): Layer.Layer<never, InvalidInput, Exclude<R, Scope.Scope> | Message.Message | Sharding> =>
  Layer.unwrapEffect(
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
            ).pipe(Effect.mapError((error) => ({ ask, error }))),
          Where: () => Effect.succeed({ host, port })
        })
      })
      return AgentEntity.toLayer(make, { concurrency, maxIdleTime, disableFatalDefects: true })
    })
  )
