/**
 * Runs a mixed load: agents send messages, read accounts and update them. Shows a progress bar with live figures, and a
 * report at the end. In a pipe, it prints the figures as one line per second.
 *
 *     npx tsx examples/performance_test.ts                    400 operations on the embedded cluster, some seconds
 *         [--operations 400] [--agents 8] [--concurrency 8]
 *         [--url URL [--ws URL]]                              any cluster that has the program and a faucet
 *
 * Ctrl-C ends the load and prints the report of the finished operations. The exit code is 1 if an operation failed.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Agent, Message, Metrics, PayloadStore, Pod, RpcPool, Wallet } from "@pod-protocol/effect"
import { lamports } from "@solana/kit"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as Arguments from "./arguments.js"
import * as Signals from "./demo/signals.js"

class OperationsFailed extends Data.TaggedError("OperationsFailed")<{ readonly message: string }> {}

const FUNDS = lamports(100_000_000_000n)
const BATCH = 10
const INBOX = 10

const registered = (number: number) =>
  Effect.gen(function* () {
    const [agents, rpc] = yield* Effect.all([Agent.Agent, RpcPool.RpcPool])
    const wallet = yield* Wallet.generate
    yield* rpc.requestAirdrop(wallet.address, FUNDS)
    yield* agents
      .register({ capabilities: 1n, metadataUri: `https://example.com/agents/${number}.json` })
      .pipe(Effect.provideService(Wallet.Wallet, wallet))
    return wallet
  })

/** The kinds of operations, with their counts in twenty operations. */
const mix = Effect.gen(function* () {
  const [agents, messages] = yield* Effect.all([Agent.Agent, Message.Message])
  type Act = (own: Wallet.Service, other: Wallet.Service, index: number) => Effect.Effect<unknown, Error, Wallet.Wallet>
  const kinds: ReadonlyArray<readonly [count: number, act: Act]> = [
    [10, (_, { address }, index) => messages.send({ recipient: address, payload: `message ${index}` })],
    [
      1,
      (_, { address }, index) =>
        messages.sendAll(
          Array.from({ length: BATCH }, (_, nth) => ({ recipient: address, payload: `message ${index}.${nth}` }))
        )
    ],
    [5, (_, { address }) => agents.get(address)],
    [2, ({ address }) => Stream.runDrain(Stream.take(messages.inbox(address), INBOX))],
    [2, (_own, _other, index) => agents.update({ metadataUri: `https://example.com/versions/${index}.json` })]
  ]
  return kinds.flatMap(([count, act]) => Array.from({ length: count }, () => act))
})

/** The number of finished and of failed operations. */
interface Progress {
  done: number
  failed: number
}

const WIDTH = 24

const lineOf = ({ done, failed }: Progress, of: number, seconds: number): string => {
  const filled = Math.round((WIDTH * done) / of)
  const bar = "█".repeat(filled) + "░".repeat(WIDTH - filled)
  const rate = seconds > 0 ? done / seconds : 0
  return `${bar} ${done}/${of}  ${rate.toFixed(0)} operations/s  ${failed} failed  ${seconds.toFixed(1)} s`
}

const ERASE = "\r\u001b[K"

/** Shows the progress until it is interrupted: a terminal has one line, a pipe gets a new line every second. */
const shown = (progress: Progress, of: number, started: number) => {
  const line = Effect.map(Clock.currentTimeMillis, (now) => lineOf(progress, of, (now - started) / 1000))
  return process.stdout.isTTY
    ? Effect.repeat(
        Effect.flatMap(line, (text) => Effect.sync(() => process.stdout.write(`${ERASE}${text}`))),
        Schedule.spaced("100 millis")
      ).pipe(
        Effect.ensuring(Effect.flatMap(line, (text) => Effect.sync(() => process.stdout.write(`${ERASE}${text}\n`))))
      )
    : Effect.repeat(Effect.flatMap(line, Console.log), Schedule.spaced("1 second")).pipe(
        Effect.ensuring(Effect.flatMap(line, Console.log))
      )
}

const options = Effect.gen(function* () {
  const values = yield* Arguments.parse({
    operations: { type: "string", default: "400" },
    agents: { type: "string", default: "8" },
    concurrency: { type: "string", default: "8" },
    url: { type: "string" },
    ws: { type: "string" }
  })
  return {
    operations: yield* Arguments.wholeNumber("--operations", values.operations, 1, 1_000_000),
    agents: yield* Arguments.wholeNumber("--agents", values.agents, 2, 1000),
    concurrency: yield* Arguments.wholeNumber("--concurrency", values.concurrency, 1, 1000),
    url: values.url,
    ws: values.ws
  }
})

type Options = Effect.Effect.Success<typeof options>

const load = ({ agents: count, concurrency, operations }: Options) =>
  Effect.gen(function* () {
    const metrics = yield* Metrics.Metrics
    const wallets = yield* Effect.forEach(Array.from({ length: count }).keys(), registered, { concurrency })
    yield* Console.log(`${count} agents are registered`)
    const acts = yield* mix
    const progress: Progress = { done: 0, failed: 0 }
    const operation = (index: number) => {
      const [own, other] = [wallets[index % count], wallets[(index + 1) % count]]
      // Steps of 7 visit all twenty, in an order that mixes the kinds.
      const act = acts[(index * 7) % acts.length]
      if (own === undefined || other === undefined || act === undefined) return Effect.void
      return act(own, other, index).pipe(
        Effect.provideService(Wallet.Wallet, own),
        Effect.catchAll((error) =>
          Effect.suspend(() =>
            progress.failed++ === 0 ? Console.log(`\nThe first failure: ${error.message}`) : Effect.void
          )
        ),
        Effect.zipRight(Effect.sync(() => progress.done++))
      )
    }
    const started = yield* Clock.currentTimeMillis
    yield* Effect.forEach(Array.from({ length: operations }).keys(), operation, { concurrency, discard: true }).pipe(
      Effect.raceFirst(shown(progress, operations, started)),
      Effect.ensuring(Effect.flatMap(metrics.report("text"), (report) => Console.log(`\n${report}`)))
    )
    if (progress.failed > 0) return yield* new OperationsFailed({ message: `${progress.failed} operations failed` })
  })

const podOf = ({ url, ws }: Options): Layer.Layer<PayloadStore.PayloadStore | Pod.Services | RpcPool.RpcPool, Error> =>
  url === undefined
    ? Pod.layerEmbedded
    : Pod.layer({
        url: Redacted.make(url),
        ...(ws === undefined ? {} : { wsUrl: Redacted.make(ws) })
      }).pipe(Layer.provideMerge(PayloadStore.layerMemory))

Signals.endWithReader()

Effect.gen(function* () {
  const asked = yield* options
  yield* Effect.provide(load(asked), Layer.provideMerge(podOf(asked), Metrics.layer()))
}).pipe(
  Effect.tapError(({ message }) => Console.error(message)),
  NodeRuntime.runMain({ disableErrorReporting: true, teardown: Signals.teardown })
)
