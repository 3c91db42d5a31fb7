import { expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as WalletNode from "../../layers/WalletNode.js"
import * as Agent from "../../services/Agent.js"
import * as Channel from "../../services/Channel.js"
import * as Escrow from "../../services/Escrow.js"
import * as Message from "../../services/Message.js"
import { SYSTEM_PROGRAM } from "../../src/solana/Address.js"

const stubs = Layer.mergeAll(
  Agent.layerTest({ exists: () => Effect.succeed(true) }),
  Channel.layerTest({}),
  Escrow.layerTest({}),
  Message.layerTest({}),
  WalletNode.layerGenerated
)

/** How a call dies; empty if it does not. */
const death = <A, E, R>(call: Effect.Effect<A, E, R>): Effect.Effect<string, never, R> =>
  Effect.map(
    Effect.exit(call),
    Exit.match({ onSuccess: () => "", onFailure: (cause) => (Cause.isDie(cause) ? Cause.pretty(cause) : "") })
  )

it.effect(
  "Given stub services, When a method is called, Then its stub answers; without a stub it dies and names itself",
  () =>
    Effect.gen(function* () {
      const agents = yield* Agent.Agent
      const channels = yield* Channel.Channel
      const escrows = yield* Escrow.Escrow
      const messages = yield* Message.Message
      expect(yield* agents.exists(SYSTEM_PROGRAM)).toBe(true)
      const calls = [
        ["get", death(agents.get(SYSTEM_PROGRAM))],
        ["join", death(channels.join(SYSTEM_PROGRAM))],
        ["deposit", death(escrows.deposit(SYSTEM_PROGRAM, 1n))],
        ["send", death(messages.send({ recipient: SYSTEM_PROGRAM, payload: "hi" }))],
        ["inbox", death(Stream.runDrain(messages.inbox(SYSTEM_PROGRAM)))]
      ] as const
      for (const [name, call] of calls) {
        expect(yield* call).toContain(name)
      }
    }).pipe(Effect.provide(stubs))
)
