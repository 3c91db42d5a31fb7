/**
 * A memory pool: messages reuse the same buffers, which return to the pool automatically.
 *
 *     npx tsx examples/guide/memory-pool.ts
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Agent, MemoryPool, Message, Pod, TestWallets, Wallet } from "@pod-protocol/effect"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"

const MESSAGES = 20

const program = Effect.gen(function* () {
  const messages = yield* Message.Message
  const agents = yield* Agent.Agent
  const sender = yield* TestWallets.funded
  yield* agents
    .register({ metadataUri: "https://example.com/sender" })
    .pipe(Effect.provideService(Wallet.Wallet, sender))
  const recipient = yield* TestWallets.funded

  // 4 KiB each, at most 1000 idle, removed after five idle minutes
  const buffers = yield* MemoryPool.make({
    create: () => new Uint8Array(4096),
    maxPooled: 1000,
    idleTimeout: "5 minutes",
    name: "message buffers",
    bytesEach: 4096
  })

  const send = (content: string) =>
    buffers.use((buffer) => {
      const { written } = new TextEncoder().encodeInto(content, buffer)
      // Returns to the pool when the message has landed, has failed, or was interrupted
      return messages.send({ recipient: recipient.address, payload: buffer.subarray(0, written) })
    })

  yield* Effect.forEach(
    Array.from({ length: MESSAGES }, (_, index) => `Message ${index}`),
    send,
    { concurrency: 4 }
  ).pipe(Effect.provideService(Wallet.Wallet, sender))

  const { hits, idle, inUse, misses } = yield* buffers.stats
  yield* Console.log(`Buffers made: ${misses}, used again: ${hits}`)
  yield* Console.log(`In use: ${inUse}, idle: ${idle}`)
})

program.pipe(Effect.scoped, Effect.provide(Pod.layerTest), NodeRuntime.runMain)
