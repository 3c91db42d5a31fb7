/**
 * A process that writes to a store until it ends or is killed: `payloads directory`, or the name of a layer of `Journal`
 * and a directory.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeKeyValueStore from "@effect/platform-node/NodeKeyValueStore"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Journal from "../../services/Journal.js"
import * as PayloadStore from "../../services/PayloadStore.js"
import { SignedTransaction } from "../../services/SignedTransaction.js"
import * as Blockhash from "../../src/solana/Blockhash.js"
import * as Signature from "../../src/solana/Signature.js"

const [task = "", directory = ""] = process.argv.slice(2)

const payloads = Effect.gen(function* () {
  const store = yield* PayloadStore.PayloadStore
  yield* Effect.forEach(
    Array.from({ length: 100_000 }, (_, index) => index),
    (index) => {
      const bytes = new Uint8Array(50_000)
      new DataView(bytes.buffer).setUint32(0, index)
      return Effect.zipRight(store.put(bytes), Console.log(`put ${index}`))
    },
    { concurrency: 8, discard: true }
  )
}).pipe(Effect.provide(Layer.provide(PayloadStore.layerFileSystem(directory), NodeFileSystem.layer)))

const ENTRIES = 400

const entries = Array.from({ length: ENTRIES }, (_, index) => {
  const wire = new Uint8Array(200)
  new DataView(wire.buffer).setUint32(1, index)
  const lifetime = { blockhash: Blockhash.fromBytes(new Uint8Array(32)), lastValidBlockHeight: 1n }
  const signed = SignedTransaction.make({ signature: Signature.fromBytes(wire, 1), wire, lifetime, fee: 5000n })
  return Journal.JournalEntry.make({ signed, creates: [] })
})

const journal =
  task === "layerFileSystem"
    ? Layer.provide(Journal.layerFileSystem(directory, { maxEntries: ENTRIES }), NodeFileSystem.layer)
    : Layer.provide(Journal.layerKeyValueStore({ maxEntries: ENTRIES }), NodeKeyValueStore.layerFileSystem(directory))

const records = Effect.gen(function* () {
  const { record } = yield* Journal.Journal
  const [refused, recorded] = yield* Effect.partition(entries, record, { concurrency: "unbounded" })
  yield* Console.log(`recorded ${recorded.length}, refused ${refused.length}`)
}).pipe(Effect.provide(journal))

if (task === "payloads") NodeRuntime.runMain(payloads)
else NodeRuntime.runMain(records)
