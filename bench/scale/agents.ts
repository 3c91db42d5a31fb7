/**
 * The cost of an agent in a cluster: its memory on a runner, the CPU time of its activation, and the CPU time of a send
 * that is stored before it runs, compared with a plain send.
 */
import { randomBytes } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import type { Address } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as AgentCluster from "../../layers/AgentCluster.js"
import * as Pod from "../../layers/Pod.js"
import * as TestWallets from "../../layers/TestWallets.js"
import * as Agent from "../../services/Agent.js"
import * as Benchmark from "../../services/Benchmark.js"
import * as Message from "../../services/Message.js"
import { type Service as WalletService, Wallet } from "../../services/Wallet.js"
import * as BenchmarkTarget from "../../src/observe/BenchmarkTarget.js"
import * as Statistics from "../../src/observe/Statistics.js"
import * as Addresses from "../../src/solana/Address.js"
import * as Curve from "../../src/solana/Curve.js"
import * as Embedded from "../embedded.js"

const AT_ONCE = 20

/** Rent of half a million messages. */
const LAMPORTS = 10n ** 15n

const ROUNDS = 5

const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(path.join(tmpdir(), "pod-scale-"))),
  (made) => Effect.sync(() => rmSync(made, { recursive: true, force: true }))
)

const registered = Effect.gen(function* () {
  const agents = yield* Agent.Agent
  const wallet = yield* Effect.flatMap(TestWallets.TestWallets, ({ fundedWith }) => fundedWith(LAMPORTS))
  yield* agents.register({ metadataUri: "https://example.com/agent.json" }).pipe(Effect.provideService(Wallet, wallet))
  return wallet
})

/** Sends of one agent, plain and through the client. Each figure includes the CPU time of the chain in this process. */
export const sends = Effect.gen(function* () {
  const file = path.join(yield* directory, "sends.sqlite")
  const from = yield* registered
  const to = yield* registered
  const input = () => ({ recipient: to.address, payload: randomBytes(100) })
  const some = <A, E, R>(send: Effect.Effect<A, E, R>) =>
    Benchmark.effect(
      Effect.all(
        Array.from({ length: AT_ONCE }, () => send),
        { concurrency: "unbounded", discard: true }
      ),
      {
        operations: AT_ONCE
      }
    )
  const plain = Effect.flatMap(Message.Message, (messages) => Effect.suspend(() => messages.send(input())))
  const asked = Effect.suspend(() => AgentCluster.client(from.address).send(input()))
  const agents = AgentCluster.layer({ wallet: () => Effect.succeed(from) })
  return yield* Benchmark.run(
    Benchmark.make({
      name: `CPU of a send, ${AT_ONCE} at once, embedded cluster in process`,
      base: "Message.send",
      cases: {
        "Message.send": some(Effect.provideService(plain, Wallet, from)),
        "AgentCluster.client, memory": Benchmark.withSetup(
          some(asked),
          AgentCluster.layerTest({ wallet: () => Effect.succeed(from) })
        ),
        "AgentCluster.client, SQLite": Benchmark.withSetup(
          some(asked),
          Layer.provideMerge(agents, AgentCluster.layerSingle({ file, entityTerminationTimeout: "1 second" }))
        )
      }
    })
  )
}).pipe(
  Effect.provide(Layer.provideMerge(TestWallets.layer, Pod.layerEmbeddedWith(Embedded.withProgram()))),
  Effect.scoped
)

const gc = (): void => {
  setFlagsFromString("--expose-gc")
  runInNewContext("gc")()
}

/** Bytes in use after a garbage collection. */
const held = Effect.sync(() => {
  gc()
  gc()
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return heapUsed + arrayBuffers
})

const cpuMicros = Effect.sync(() => {
  const { system, user } = process.cpuUsage()
  return system + user
})

const addressesOf = (count: number): ReadonlyArray<Address> => {
  const found: Array<Address> = []
  while (found.length < count) {
    const address = Addresses.fromBytes(new Uint8Array(randomBytes(32)))
    if (Curve.isKey(address)) found.push(address)
  }
  return found
}

/** The wallet of an agent that never signs. */
const walletOf = (address: Address): WalletService => ({ address, sign: () => Effect.succeed([]) })

const ask = (some: ReadonlyArray<Address>) =>
  Effect.forEach(some, (agent) => AgentCluster.client(agent).where(), { concurrency: 64, discard: true })

/** Activates agents on one runner over SQLite. Returns kilobytes and microseconds for each agent, and those of a second request. */
const wake = (agents: ReadonlyArray<Address>) =>
  Effect.gen(function* () {
    const file = path.join(yield* directory, "agents.sqlite")
    const runner = AgentCluster.layer({
      wallet: (agent) => Effect.succeed(walletOf(agent)),
      maxIdleTime: Infinity
    }).pipe(Layer.provideMerge(AgentCluster.layerSingle({ file, entityTerminationTimeout: "1 second" })))
    return yield* Effect.gen(function* () {
      // The first requests load and compile modules.
      yield* ask(addressesOf(200))
      const measured = Effect.gen(function* () {
        const bytes = yield* held
        const micros = yield* cpuMicros
        yield* ask(agents)
        const took = (yield* cpuMicros) - micros
        return { kilobytes: ((yield* held) - bytes) / agents.length / 1000, micros: took / agents.length }
      })
      return { woken: yield* measured, again: yield* measured }
    }).pipe(Effect.provide(runner))
  }).pipe(Effect.provide(Message.layerTest({})), Effect.scoped)

const median = (values: ReadonlyArray<number>) => Option.getOrElse(Statistics.median(values), () => Number.NaN)

/** The memory of an agent. A second request to the same agents is the control. */
export const memory = (count: number) =>
  Effect.gen(function* () {
    const known = addressesOf(count)
    const rounds = yield* Effect.replicateEffect(wake(known), ROUNDS)
    const [kilobytes, micros] = (["kilobytes", "micros"] as const).map((figure) => ({
      woken: median(rounds.map(({ woken }) => woken[figure])).toFixed(1),
      again: median(rounds.map(({ again }) => again[figure])).toFixed(1)
    }))
    const note = `heap and buffers of ${count} agents on one runner; asked again they add ${kilobytes?.again} kB. An agent becomes active in ${micros?.woken} µs of CPU, of which the question takes ${micros?.again}`
    return Statistics.bootstrap(
      rounds.map(({ woken }) => woken.kilobytes),
      median,
      { random: Statistics.seeded(1) }
    ).pipe(
      Option.map((estimate) => BenchmarkTarget.make("memory of an agent", estimate, { below: 40, unit: "kB", note })),
      Option.toArray
    )
  })
