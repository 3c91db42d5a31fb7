/** Prints its address, then each message to it: `node --import tsx examples/two-machines/receive.ts`. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Envelope, Message } from "@pod-protocol/effect"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Stream from "effect/Stream"
import { Live, registered } from "./agent.js"

Effect.gen(function* () {
  const messages = yield* Message.Message
  const address = yield* registered
  yield* Console.log(`Address    ${address}`)
  yield* Stream.runForEach(
    messages.inbox(address, { follow: true, payloads: { wait: "10 seconds" } }),
    ({ message, payload }) =>
      Either.match(Either.flatMap(payload, Envelope.text), {
        onLeft: (error) => Console.log(`${message.account.sender}: ${error.message}`),
        onRight: (text) =>
          Effect.zipRight(Console.log(`${message.account.sender}: ${text}`), messages.markDelivered(message))
      })
  )
}).pipe(Effect.provide(Live), NodeRuntime.runMain)
