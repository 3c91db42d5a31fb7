/** Seals a text to a wallet: `node --import tsx examples/two-machines/send.ts <address> <text>`. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Message } from "@pod-protocol/effect"
import * as Addresses from "@pod-protocol/effect/solana/Address"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { Live, registered } from "./agent.js"

const [recipient = "", payload = ""] = process.argv.slice(2)

Effect.gen(function* () {
  const messages = yield* Message.Message
  yield* registered
  const receipt = yield* messages.send({ recipient: yield* Addresses.parse(recipient), payload, seal: true })
  yield* Console.log(`Sent       ${receipt.address}`)
}).pipe(Effect.provide(Live), NodeRuntime.runMain)
