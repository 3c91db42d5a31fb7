/**
 * CPU profiling: shows the functions that take the time of sending messages, as a table, a flamegraph and a page.
 *
 *     npx tsx examples/guide/cpu-profile.ts [FOLDER]
 */
import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Agent, Message, Pod, Profiler, ProfilerNode, RpcPool, Wallet } from "@pod-protocol/effect"
import * as ProfilePage from "@pod-protocol/effect/observe/ProfilePage"
import { lamports } from "@solana/kit"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

const program = Effect.gen(function* () {
  const profiler = yield* Profiler.Profiler
  const agents = yield* Agent.Agent
  const messages = yield* Message.Message
  const rpc = yield* RpcPool.RpcPool
  const wallet = yield* Wallet.generate
  yield* rpc.requestAirdrop(wallet.address, lamports(1_000_000_000n))
  yield* agents
    .register({ capabilities: 1n, metadataUri: "https://example.com/ada" })
    .pipe(Effect.provideService(Wallet.Wallet, wallet))

  // Run the operation being profiled
  const operation = Effect.forEach(
    Array.from({ length: 30 }, (_, index) => `hello ${index}`),
    (payload) => messages.send({ recipient: wallet.address, payload }),
    { concurrency: 10 }
  ).pipe(Effect.provideService(Wallet.Wallet, wallet))
  const [receipts, cpu] = yield* profiler.cpu(operation)

  // Generate the report
  yield* Console.log(`Sent ${receipts.length} messages`)
  yield* Console.log(ProfilePage.spansText(cpu))
  const folder = process.argv[2] ?? mkdtempSync(path.join(tmpdir(), "pod-profile-"))
  for (const file of yield* ProfilerNode.write(folder, { title: "Thirty messages", cpu }))
    yield* Console.log(path.join(folder, file))
})

program.pipe(Effect.provide(Layer.merge(Pod.layerEmbedded, ProfilerNode.layer())), NodeRuntime.runMain)
