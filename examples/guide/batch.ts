/**
 * Request batching: messages are sent in batches of ten. A batch that fails affects only its own messages.
 *
 *     npx tsx examples/guide/batch.ts
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Agent, Message, Pod, TaskPool, TestWallets, Wallet } from "@pod-protocol/effect"
import * as Arr from "effect/Array"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"

const MESSAGES = 35

const program = Effect.gen(function* () {
  const messages = yield* Message.Message
  const pool = yield* TaskPool.TaskPool
  const agents = yield* Agent.Agent
  const sender = yield* TestWallets.funded
  yield* agents
    .register({ metadataUri: "https://example.com/sender" })
    .pipe(Effect.provideService(Wallet.Wallet, sender))
  const recipient = yield* TestWallets.funded

  const requests = Arr.makeBy(MESSAGES, (index) => ({
    recipient: recipient.address,
    // An id must be 16 bytes or a text, so the SDK refuses this one
    id: index === 30 ? new Uint8Array(3) : `message ${index}`,
    payload: `Message ${index}`
  }))

  const results = yield* pool
    .batch(requests, { size: 10, concurrency: 2 }, (batch) =>
      Effect.forEach(batch, (request) => messages.send(request), { concurrency: "unbounded" })
    )
    .pipe(Effect.provideService(Wallet.Wallet, sender))

  const [failures, receipts] = Arr.separate(results)
  yield* Console.log(`Landed: ${receipts.length}, failed: ${failures.length}`)
  yield* Console.log(`The first failure: ${failures[0]?.message}`)
  yield* Console.log(`In order: ${results.slice(0, 30).every((result) => Either.isRight(result))}`)
})

program.pipe(Effect.provide(Layer.merge(Pod.layerTest, TaskPool.layer())), NodeRuntime.runMain)
