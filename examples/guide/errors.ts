/**
 * Error handling: an error is a value with a tag, a reason and `isRetryable`. The types list all errors of a call.
 *
 *     npx tsx examples/guide/errors.ts
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Agent, Channel, Message, Pda, Pod, TestWallets, Wallet } from "@pod-protocol/effect"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"

const program = Effect.gen(function* () {
  const agents = yield* Agent.Agent
  const channels = yield* Channel.Channel
  const messages = yield* Message.Message
  const wallet = yield* TestWallets.funded
  const stranger = yield* TestWallets.funded

  const asWallet = Effect.provideService(Wallet.Wallet, wallet)

  // Bad input is refused before any I/O, with the field and the rule
  yield* messages.send({ recipient: Pda.agent(stranger.address).address, payload: "Hello" }).pipe(
    Effect.catchTag("InvalidInput", ({ field, rule }) => Console.log(`InvalidInput: ${field} ${rule}`)),
    asWallet
  )

  // An error of the program has a name
  yield* messages.send({ recipient: stranger.address, payload: "Hello" }).pipe(
    Effect.catchTag("ProgramError", (error) => Console.log(`ProgramError: ${error.message}`)),
    asWallet
  )

  yield* agents.register({ metadataUri: "https://example.com/ada" }).pipe(asWallet)

  // A missing account is a separate error
  yield* channels
    .get(stranger.address)
    .pipe(Effect.catchTag("AccountNotFound", (error) => Console.log(`AccountNotFound: ${error.message}`)))

  // `isRetryable` is true if a retry can help, so one policy serves all errors
  const attempts = yield* messages
    .send({ recipient: stranger.address, payload: "Hello" })
    .pipe(
      Effect.retry({ times: 3, while: (error) => "isRetryable" in error && error.isRetryable === true }),
      Effect.as("The message landed"),
      asWallet
    )
  yield* Console.log(attempts)
})

program.pipe(Effect.provide(Pod.layerTest), NodeRuntime.runMain)
