/**
 * Interning of capability names: your own vocabulary, an agent that registers with it, and names read back from the
 * chain. It runs on the embedded cluster.
 *
 *     npx tsx examples/guide/capabilities.ts
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Agent, Capabilities, Pod, RpcPool, Wallet } from "@pod-protocol/effect"
import { lamports } from "@solana/kit"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"

const program = Effect.gen(function* () {
  const agents = yield* Agent.Agent
  const rpc = yield* RpcPool.RpcPool
  const wallet = yield* Wallet.generate
  yield* rpc.requestAirdrop(wallet.address, lamports(1_000_000_000n))

  const skills = yield* Capabilities.make({ AI_CHAT: 0, TRANSLATION: 1, IMAGES: 7 })
  const capabilities = yield* skills.encode(["AI_CHAT", "IMAGES"])
  yield* agents
    .register({ capabilities, metadataUri: "https://example.com/ada" })
    .pipe(Effect.provideService(Wallet.Wallet, wallet))

  const { account } = yield* agents.get(wallet.address)
  yield* Console.log(`Bits on the chain: ${account.capabilities}`)
  yield* Console.log(`Its names: ${skills.decode(account.capabilities).join(", ")}`)
  yield* Console.log(`In the SDK for TypeScript: ${Capabilities.sdk.decode(account.capabilities).join(", ")}`)
  yield* Console.log(`Can chat: ${Capabilities.hasAll(account.capabilities, skills.bits.AI_CHAT)}`)
  yield* Console.log(`The same array each time: ${skills.decode(capabilities) === skills.decode(account.capabilities)}`)
})

program.pipe(Effect.provide(Pod.layerEmbedded), NodeRuntime.runMain)
