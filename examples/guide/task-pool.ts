/**
 * A task pool: reads many agents with bounded concurrency, each with a timeout.
 *
 *     npx tsx examples/guide/task-pool.ts
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Agent, Pod, TaskPool, TestWallets, Wallet } from "@pod-protocol/effect"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

const AGENTS = 12

const program = Effect.gen(function* () {
  const agents = yield* Agent.Agent
  const pool = yield* TaskPool.TaskPool

  // Register some agents
  const wallets = yield* Effect.replicateEffect(TestWallets.funded, AGENTS)
  yield* pool.all(
    wallets.map((wallet, index) =>
      agents
        .register({ capabilities: BigInt(index), metadataUri: `https://example.com/${index}` })
        .pipe(Effect.provideService(Wallet.Wallet, wallet))
    )
  )

  // Read them concurrently; the first failure interrupts the others
  const accounts = yield* pool.all(wallets.map(({ address }) => agents.get(address)))
  yield* Console.log(`Read ${accounts.length} agents in order: ${accounts.map(({ account }) => account.capabilities)}`)

  // A task that hangs ends at its timeout and frees its place in the pool
  const late = yield* Effect.flip(pool.run(Effect.never, { timeout: "50 millis" }))
  yield* Console.log(late.message)
  yield* Console.log(`Running now: ${(yield* pool.stats).running}`)
})

program.pipe(
  Effect.provide(Layer.merge(Pod.layerTest, TaskPool.layer({ concurrency: 4, timeout: "30 seconds" }))),
  NodeRuntime.runMain
)
