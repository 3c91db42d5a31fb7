import { describe, expect, it } from "@effect/vitest"
import type { Address } from "@solana/kit"
import * as Account from "../../src/protocol/Account.js"
import * as Event from "../../src/protocol/Event.js"
import * as Instruction from "../../src/protocol/Instruction.js"
import * as MessageType from "../../src/protocol/MessageType.js"
import * as Pda from "../../src/protocol/Pda.js"
import { START } from "./harness.js"
import { expectAccountRefusal, expectRefusal, expectSuccess, expectSystemRefusal } from "./refusals.js"
import { addressOf, agentOf, eventsOf, expectAccount, hash, read, rewrite, scenario, WEEK } from "./scenario.js"

const status = (wallet: Address, message: Address, status: MessageType.MessageStatus) =>
  Instruction.updateMessageStatus({ wallet, message, status })

describe("SendMessage", () => {
  it.each([MessageType.Text, MessageType.Data, MessageType.Command, MessageType.Response, MessageType.Custom(251)])(
    "Given two agents, When one sends a %o to the other's wallet, Then its hash is stored, pending for a week",
    (type) => {
      const { alice, carol, chain, given } = scenario()
      const sent = { recipient: carol, payloadHash: hash(9), type }
      const outcome = given(alice, Instruction.sendMessage({ wallet: alice, ...sent }))
      const derived = Pda.message({ ...sent, sender: agentOf(alice) })
      const message = addressOf(derived)
      const { bump } = read({ ...scenario(), chain }, Account.decodeDirectMessage, message)
      expectAccount(
        chain,
        message,
        129,
        new Account.DirectMessage({
          ...sent,
          sender: agentOf(alice),
          createdAt: START,
          expiresAt: START + WEEK,
          status: "Pending",
          bump
        })
      )
      expect(eventsOf(outcome)).toEqual([
        new Event.MessageSent({ sender: agentOf(alice), recipient: carol, type, timestamp: START })
      ])
    }
  )

  it("Given a sent message, When the same is sent again, Then the System program refuses", () => {
    const { alice, bob, when } = scenario()
    const again = { wallet: alice, recipient: bob, payloadHash: hash(1), type: MessageType.Text }
    expectSystemRefusal(when(alice, Instruction.sendMessage(again)), 0)
  })

  it("Given a custom value without a seed byte of its own, When it is sent, Then it fails with 6017", () => {
    const { alice, bob, message, when } = scenario()
    const custom = { wallet: alice, recipient: bob, payloadHash: hash(1), type: MessageType.Custom(252), message }
    expectRefusal(when(alice, Instruction.sendMessage(custom)), 6017)
  })

  it("Given an agent account that names another wallet, When it sends, Then it fails with 6001 on the account", () => {
    const scene = scenario()
    const { alice, bob, when } = scene
    rewrite(scene, agentOf(alice), Account.decodeAgent, (agent) => new Account.AgentAccount({ ...agent, wallet: bob }))
    const sent = { wallet: alice, recipient: bob, payloadHash: hash(2), type: MessageType.Text }
    expectAccountRefusal(when(alice, Instruction.sendMessage(sent)), 6001, "sender_agent")
  })
})

describe("UpdateMessageStatus", () => {
  it("Given a pending message, When its recipient confirms, Then it is delivered and then read", () => {
    const scene = scenario()
    const { bob, chain, given, message } = scene
    const before = read(scene, Account.decodeDirectMessage, message)
    const outcome = given(bob, status(bob, message, "Delivered"))
    expectAccount(chain, message, 129, new Account.DirectMessage({ ...before, status: "Delivered" }))
    given(bob, status(bob, message, "Read"))
    expectAccount(chain, message, 129, new Account.DirectMessage({ ...before, status: "Read" }))
    expect(eventsOf(outcome)).toEqual([])
  })

  it.each(["alice", "bob"] as const)(
    "Given a pending message, When %s marks it as failed, Then its status is Failed",
    (who) => {
      const scene = scenario()
      scene.given(scene[who], status(scene[who], scene.message, "Failed"))
      expect(read(scene, Account.decodeDirectMessage, scene.message).status).toBe("Failed")
    }
  )

  it("Given a message to an agent address, When its wallet confirms, Then it is delivered", () => {
    const scene = scenario()
    const { alice, bob, given } = scene
    const sent = { recipient: agentOf(bob), payloadHash: hash(3), type: MessageType.Text }
    given(alice, Instruction.sendMessage({ wallet: alice, ...sent }))
    const message = addressOf(Pda.message({ ...sent, sender: agentOf(alice) }))
    given(bob, status(bob, message, "Delivered"))
    expect(read(scene, Account.decodeDirectMessage, message).status).toBe("Delivered")
  })

  it("Given the last second of a message, When it is confirmed, Then it succeeds; a second later it fails with 6002", () => {
    const { bob, chain, message, when } = scenario()
    chain.advance(WEEK)
    expectSuccess(when(bob, status(bob, message, "Delivered")))
    chain.advance(1n)
    expectRefusal(when(bob, status(bob, message, "Read")), 6002)
  })

  it.each([
    ["alice", "Delivered"],
    ["alice", "Read"],
    ["carol", "Delivered"],
    ["carol", "Read"],
    ["carol", "Failed"]
  ] as const)("Given a message to Bob, When %s sets %s, Then it fails with 6001", (who, next) => {
    const scene = scenario()
    expectRefusal(scene.when(scene[who], status(scene[who], scene.message, next)), 6001)
  })

  it.each([
    [[], "Pending"],
    [[], "Read"],
    [["Delivered"], "Pending"],
    [["Delivered"], "Delivered"],
    [["Delivered", "Read"], "Delivered"],
    [["Delivered", "Read"], "Failed"],
    [["Failed"], "Delivered"],
    [["Failed"], "Read"],
    [["Failed"], "Failed"]
  ] as const)("Given a message that went %o, When it is set to %s, Then it fails with 6003", (path, next) => {
    const { bob, given, message, when } = scenario()
    for (const step of path) given(bob, status(bob, message, step))
    expectRefusal(when(bob, status(bob, message, next)), 6003)
  })
})
