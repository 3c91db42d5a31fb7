/**
 * A process that sends numbered messages with a journal: `url seed count directory`. It is killed and started again. It
 * writes a line when it starts to send, and one for each message with a known outcome.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as RpcPoolUndici from "../../layers/RpcPoolUndici.js"
import * as Journal from "../../services/Journal.js"
import * as Transactions from "../../services/Transactions.js"
import { Wallet } from "../../services/Wallet.js"
import { message } from "./messages.js"
import { walletOf } from "./transfers.js"

const [url = "", seed = "", count = "", directory = ""] = process.argv.slice(2)

const main = Effect.gen(function* () {
  const { recover, send } = yield* Transactions.Transactions
  const wallet = yield* walletOf(Number(seed))
  yield* Stream.runForEach(recover, ({ outcome, signed }) => Console.log("recovered", signed.signature, outcome._tag))
  yield* Console.log("sending")
  yield* Effect.forEach(
    Array.from({ length: Number(count) }, (_, index) => index),
    (index) =>
      Effect.gen(function* () {
        const { address, instruction } = yield* message(wallet.address, index)
        // Without preflight, a second sending would land, fail and be visible.
        const options = { creates: address, resend: true, preflight: false, retryExpired: 3 }
        const { signature } = yield* send([instruction], options)
        yield* Console.log("sent", index, signature)
      }),
    { concurrency: 32, discard: true }
  ).pipe(Effect.provideService(Wallet, wallet))
})

const live = Transactions.layer({ pollInterval: "40 millis", rebroadcastInterval: "200 millis" }).pipe(
  Layer.provide(Journal.layerFileSystem(directory, { maxEntries: 64 })),
  Layer.provide(NodeFileSystem.layer),
  Layer.provide(RpcPoolUndici.layer({ url: Redacted.make(url) }))
)

NodeRuntime.runMain(Effect.provide(main, live))
