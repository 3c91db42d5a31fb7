/**
 * Zero-copy operations: a file is read into memory once. Neither the message nor the store copies its bytes.
 *
 *     npx tsx examples/guide/zero-copy.ts
 */
import { readFile } from "node:fs/promises"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Agent, Message, PayloadStore, Pod, TestWallets, Wallet } from "@pod-protocol/effect"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"

const LARGE_FILE = new URL("../../package-lock.json", import.meta.url)

const program = Effect.gen(function* () {
  const messages = yield* Message.Message
  const agents = yield* Agent.Agent
  const store = yield* PayloadStore.PayloadStore
  const sender = yield* TestWallets.funded
  const recipient = yield* TestWallets.funded
  yield* agents
    .register({ metadataUri: "https://example.com/sender" })
    .pipe(Effect.provideService(Wallet.Wallet, sender))

  const file = yield* Effect.promise(() => readFile(LARGE_FILE))

  const send = (zeroCopy: boolean) =>
    messages
      .send({ recipient: recipient.address, payload: file, raw: true, zeroCopy }, { resend: true })
      .pipe(Effect.provideService(Wallet.Wallet, sender))

  // The store keeps the array itself. A later write to it would damage the payload, and its hash would no longer match
  const { payloadHash } = yield* send(true)
  const stored = yield* store.get(payloadHash)
  yield* Console.log(`Sent ${file.length} bytes; the store shares their memory: ${stored.buffer === file.buffer}`)

  yield* store.remove(payloadHash)
  yield* send(false)
  const copied = yield* store.get(payloadHash)
  yield* Console.log(`Without zeroCopy it shares their memory: ${copied.buffer === file.buffer}`)
})

program.pipe(Effect.provide(Pod.layerTest), NodeRuntime.runMain)
