/**
 * A sample application. It sends fifty messages to the node at a URL, then idles for two seconds. It prints its resident
 * megabytes before and after a garbage collection.
 */
import { setTimeout } from "node:timers/promises"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { Message, PayloadStore, Pod, WalletNode } from "@pod-protocol/effect"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"

const { runPromise } = ManagedRuntime.make(
  Layer.mergeAll(
    Pod.layer({ url: Redacted.make(process.argv[2] ?? ""), startCheck: false }).pipe(
      Layer.provide(PayloadStore.layerMemory)
    ),
    WalletNode.layerGenerated
  )
)

const megabytes = () => process.memoryUsage.rss() / 2 ** 20

await runPromise(
  Effect.gen(function* () {
    const messages = yield* Message.Message
    const { address: recipient } = yield* WalletNode.generate
    const texts = Array.from({ length: 50 }, (_, index) => `message ${index}`)
    yield* Effect.forEach(texts, (payload) => messages.send({ recipient, payload }), { concurrency: 10 })
  })
)
await setTimeout(2000)
const idle = megabytes()
setFlagsFromString("--expose-gc")
runInNewContext("gc()")
console.log(JSON.stringify({ idle, collected: megabytes() }))
process.exit()
