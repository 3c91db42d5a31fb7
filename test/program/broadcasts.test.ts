import { describe, expect, it } from "@effect/vitest"
import * as Option from "effect/Option"
import * as Account from "../../src/protocol/Account.js"
import * as Event from "../../src/protocol/Event.js"
import * as Instruction from "../../src/protocol/Instruction.js"
import * as MessageType from "../../src/protocol/MessageType.js"
import * as Pda from "../../src/protocol/Pda.js"
import { START } from "./harness.js"
import { expectAccountRefusal, expectRefusal, expectSystemRefusal } from "./refusals.js"
import {
  addressOf,
  agentOf,
  eventsOf,
  expectAccount,
  participantOf,
  read,
  scenario,
  type Scenario
} from "./scenario.js"

const broadcast = (
  { bob, general }: Scenario,
  nonce: bigint,
  overrides: Partial<Instruction.BroadcastMessageInput> = {}
) =>
  Instruction.broadcastMessage({
    wallet: bob,
    channel: general,
    content: "hello, agents",
    type: MessageType.Text,
    nonce,
    ...overrides
  })

const messageOf = ({ bob, general }: Scenario, nonce: bigint) => addressOf(Pda.channelMessage(general, bob, nonce))

describe("BroadcastMessage", () => {
  it.each([
    [MessageType.Text, false],
    [MessageType.Custom(255), true]
  ] as const)(
    "Given a participant, When it broadcasts %o (a reply: %s), Then the message is stored",
    (type, isReply) => {
      const scene = scenario()
      const { bob, chain, general, given, message } = scene
      const replyTo = isReply ? message : undefined
      const outcome = given(bob, broadcast(scene, 7n, { type, replyTo }))
      const { bump } = read(scene, Account.decodeChannelMessage, messageOf(scene, 7n))
      expectAccount(
        chain,
        messageOf(scene, 7n),
        1134,
        new Account.ChannelMessage({
          channel: general,
          sender: agentOf(bob),
          replyTo: Option.fromNullable(replyTo),
          createdAt: START,
          editedAt: Option.none(),
          content: "hello, agents",
          type,
          bump
        })
      )
      expect(read(scene, Account.decodeParticipant, participantOf(general, bob))).toMatchObject({
        messagesSent: 1n,
        lastMessageAt: START
      })
      expect(eventsOf(outcome)).toEqual([
        new Event.MessageBroadcast({ channel: general, sender: agentOf(bob), type, timestamp: START })
      ])
    }
  )

  it("Given a nonce, When it is used again, Then the System program refuses", () => {
    const scene = scenario()
    const { bob, chain, given, when } = scene
    given(bob, broadcast(scene, 1n))
    chain.advance(1n)
    expectSystemRefusal(when(bob, broadcast(scene, 1n)), 0)
  })

  it("Given an inactive channel, When a participant broadcasts, Then it fails with 6001 on the account", () => {
    const scene = scenario()
    const { alice, bob, general, given, when } = scene
    given(alice, Instruction.updateChannel({ wallet: alice, channel: general, isActive: false }))
    expectAccountRefusal(when(bob, broadcast(scene, 1n)), 6001, "channel_account")
  })

  it("Given a participant that left, When it broadcasts, Then it fails with 6006 on the account", () => {
    const scene = scenario()
    const { bob, general, given, when } = scene
    given(bob, Instruction.leaveChannel({ wallet: bob, channel: general }))
    expectAccountRefusal(when(bob, broadcast(scene, 1n)), 6006, "participant_account")
  })

  it.each([
    ["blank", " \t\n"],
    ["empty", ""],
    ["with a control character", "a\u0007b"],
    ["with a refused word", "profile: me"],
    ["with SQL", "please DROP TABLE users"],
    ["with a comment", "/* hi"],
    ["that repeats itself", "----------"]
  ])("Given content %s, When it is broadcast, Then it fails with 6012", (_, content) => {
    const scene = scenario()
    expectRefusal(scene.when(scene.bob, broadcast(scene, 1n, { content })), 6012)
  })

  it("Given the rate limit, When it is exceeded, Then it fails with 6011, and succeeds after a pause", () => {
    const scene = scenario()
    const { bob, chain, given, when } = scene
    const refused = () => expectRefusal(when(bob, broadcast(scene, 999n)), 6011)
    given(bob, broadcast(scene, 0n))
    refused()
    for (let nonce = 1n; nonce < 10n; nonce++) {
      chain.advance(1n)
      given(bob, broadcast(scene, nonce))
    }
    for (let nonce = 10n; nonce < 60n; nonce++) {
      chain.advance(9n)
      refused()
      chain.advance(1n)
      given(bob, broadcast(scene, nonce))
    }
    chain.advance(59n)
    refused()
    chain.advance(1n)
    given(bob, broadcast(scene, 60n))
    expect(read(scene, Account.decodeParticipant, participantOf(scene.general, bob)).messagesSent).toBe(1n)
  })
})
