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

it.effect("given services of stubs, when a method has none, then it dies with its name; one that has answers", () =>
  Effect.gen(function* () {
    const agents = yield* Agent.Agent
    const channels = yield* Channel.Channel
    const escrows = yield* Escrow.Escrow
    const messages = yield* Message.Message
    expect(yield* agents.exists(SYSTEM_PROGRAM)).toBe(true)
    const calls = [
      ["get", Effect.exit(agents.get(SYSTEM_PROGRAM))],
      ["join", Effect.exit(channels.join(SYSTEM_PROGRAM))],
      ["deposit", Effect.exit(escrows.deposit(SYSTEM_PROGRAM, 1n))],
      ["send", Effect.exit(messages.send({ recipient: SYSTEM_PROGRAM, payload: "hi" }))],
      ["inbox", Effect.exit(Stream.runDrain(messages.inbox(SYSTEM_PROGRAM)))]
    ] as const
    for (const [name, call] of calls) {
      const exit = yield* call
      const cause = Exit.isFailure(exit) ? exit.cause : Cause.empty
      expect(Cause.isDie(cause)).toBe(true)
      expect(Cause.pretty(cause)).toContain(name)
    }
  }).pipe(Effect.provide(stubs))
)
