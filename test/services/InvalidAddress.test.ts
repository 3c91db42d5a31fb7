import { expect, layer } from "@effect/vitest"
import type { Address } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Agent from "../../services/Agent.js"
import * as Channel from "../../services/Channel.js"
import * as DurableNonce from "../../services/DurableNonce.js"
import * as Escrow from "../../services/Escrow.js"
import * as Message from "../../services/Message.js"
import * as Addresses from "../../src/solana/Address.js"
import * as Offline from "../support/offline.js"
import { STRANGER } from "../support/transfers.js"

/** What a caller may take for an address. */
const unchecked = (value: unknown): Address => value as Address

const NONE = ["nope", "", "1".repeat(31), "0".repeat(44), `${STRANGER} `, STRANGER.slice(1), 5, null].map(unchecked)

const fails = <A, E, R>(field: string, call: Effect.Effect<A, E, R>) => ({
  field,
  failure: Effect.matchEffect(call, {
    onFailure: (error): Effect.Effect<unknown> => Effect.succeed(error),
    onSuccess: () => Effect.dieMessage("it did not fail")
  })
})

layer(Offline.layer)("addresses that are none", (it) => {
  it.effect(
    "Given a text that is no address, When it is passed to a method, Then InvalidInput names the parameter before any call",
    () =>
      Effect.gen(function* () {
        const messages = yield* Message.Message
        const agents = yield* Agent.Agent
        const channels = yield* Channel.Channel
        const escrows = yield* Escrow.Escrow
        const nonces = yield* DurableNonce.DurableNonce
        const bytes = new Uint8Array(32).fill(1)
        const broadcast = { content: "hello", ipfsHash: "Qm" }
        for (const none of NONE) {
          const calls = [
            fails("recipient", messages.send({ recipient: none, payload: "x" })),
            fails("address", messages.get(none)),
            fails("message", messages.payload(none)),
            fails("message", messages.markRead(none)),
            fails("wallet", Stream.runDrain(messages.inbox(none))),
            fails("wallet", Stream.runDrain(messages.inbox(none, { follow: true }))),
            fails("walletOrAgent", Stream.runDrain(messages.outbox(none))),
            fails("walletOrAgent", agents.get(none)),
            fails("walletOrAgent", agents.exists(none)),
            fails("channel", channels.update(none, { isActive: true })),
            fails("channel", channels.join(none)),
            fails("channel", channels.leave(none)),
            fails("channel", channels.invite(none, STRANGER)),
            fails("invitee", channels.invite(STRANGER, none)),
            fails("channel", channels.broadcast(none, broadcast)),
            fails("channel", channels.get(none)),
            fails("channel", channels.participants(none)),
            fails("channel", channels.participant(none, STRANGER)),
            fails("walletOrAgent", channels.participant(STRANGER, none)),
            fails("channel", Stream.runDrain(channels.messages(none))),
            fails("channel", Stream.runDrain(channels.messages(none, { follow: true }))),
            fails("channel", channels.invitation(none, STRANGER)),
            fails("invitee", channels.invitation(STRANGER, none)),
            fails("channel", channels.broadcastCompressed(none, broadcast)),
            fails("channel", channels.joinCompressed(none, { metadataHash: bytes })),
            fails("channel", channels.syncCompressed(none, { messageHashes: [bytes] })),
            fails("channel", escrows.deposit(none, 1n)),
            fails("channel", escrows.withdraw(none, 1n)),
            fails("channel", escrows.get(none, STRANGER)),
            fails("depositor", escrows.get(STRANGER, none)),
            fails("account", nonces.get(none)),
            fails("account", nonces.advance(none)),
            fails("account", nonces.withdraw(none, 1n)),
            fails("account", nonces.close(none)),
            fails("newAuthority", nonces.authorize(STRANGER, none))
          ]
          for (const { failure, field } of calls) {
            expect(yield* failure).toMatchObject({ _tag: "InvalidInput", field })
          }
        }
        for (const none of NONE.filter((none) => none !== null)) {
          const calls = [
            fails("replyTo", channels.broadcast(STRANGER, { ...broadcast, replyTo: none })),
            fails("replyTo", channels.broadcastCompressed(STRANGER, { ...broadcast, replyTo: none })),
            fails("authority", nonces.create({ authority: none })),
            fails("to", nonces.withdraw(STRANGER, 1n, { to: none })),
            fails("to", nonces.close(STRANGER, { to: none }))
          ]
          for (const { failure, field } of calls) {
            expect(yield* failure).toMatchObject({ _tag: "InvalidInput", field })
          }
        }
        const [outcome] = yield* messages.sendAll([{ recipient: unchecked("nope"), payload: "x" }])
        expect(outcome).toMatchObject(Either.left({ _tag: "InvalidInput", field: "recipient" }))
        expect(yield* Offline.rpcCalls).toBe(0)
      })
  )

  it.effect("Given a text, When it is decoded with the schema, Then it is an address or an error", () =>
    Effect.gen(function* () {
      const decode = Schema.decodeUnknown(Addresses.Schema)
      expect(yield* decode(STRANGER)).toBe(STRANGER)
      for (const none of NONE) expect((yield* Effect.flip(decode(none)))._tag).toBe("ParseError")
    })
  )
})
