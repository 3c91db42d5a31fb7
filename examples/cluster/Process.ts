/** The common parts of the example's processes. */
import type { Sharding } from "@effect/cluster/Sharding"
import { InvalidInput } from "@pod-protocol/effect/InvalidInput"
import * as AgentCluster from "@pod-protocol/effect/layers/AgentCluster"
import type { Service as WalletService } from "@pod-protocol/effect/services/Wallet"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { Line, sendOf, walletsOf } from "./Task.js"

/** Logs to standard error: the parent reads standard output. */
export const logToStderr = Layer.merge(
  Logger.replace(Logger.defaultLogger, Logger.withConsoleError(Logger.logfmtLogger)),
  Logger.minimumLogLevel(LogLevel.Warning)
)

export const report = (line: typeof Line.Type) => Effect.flatMap(Effect.orDie(Schema.encode(Line)(line)), Console.log)

const told = (_tag: "Alive" | "Gone", agent: string) =>
  Effect.flatMap(Clock.currentTimeMillis, (at) => report({ _tag, agent, at }))

/** The wallets of the agents. An agent is reported as active while its wallet is in use. */
export const agents = (count: number): Effect.Effect<AgentCluster.Options<Scope.Scope>["wallet"]> =>
  Effect.map(walletsOf(count), (wallets) => {
    const known = new Map(wallets.map((wallet) => [wallet.address, wallet]))
    return (agent) => {
      const wallet = known.get(agent)
      return wallet === undefined
        ? Effect.fail(new InvalidInput({ field: "agent", rule: "is not an agent of this example" }))
        : Effect.acquireRelease(Effect.as(told("Alive", agent), wallet), () => told("Gone", agent))
    }
  })

/** Retries a send until it returns a receipt. The id makes each retry the same message. */
export const send = (
  wallets: ReadonlyArray<WalletService>,
  index: number,
  onFailed: () => void = () => {}
): Effect.Effect<void, InvalidInput, Sharding> => {
  const { id, payload, recipient, sender } = sendOf(index, wallets.length)
  const [from, to] = [wallets[sender], wallets[recipient]]
  if (from === undefined || to === undefined) {
    return Effect.fail(new InvalidInput({ field: "agents", rule: "must be at least 1" }))
  }
  return AgentCluster.client(from.address)
    .send({ id, recipient: to.address, payload }, { timeout: "5 minutes" })
    .pipe(
      Effect.tapError((error) =>
        Effect.zipRight(Effect.sync(onFailed), Effect.logWarning(`send ${index}: ${error.message}`))
      ),
      Effect.retry({ times: 20, schedule: Schedule.spaced("500 millis") }),
      Effect.orDie,
      Effect.asVoid
    )
}
