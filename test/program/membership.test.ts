import { describe, expect, it } from "@effect/vitest"
import * as Account from "../../src/protocol/Account.js"
import * as Event from "../../src/protocol/Event.js"
import * as Instruction from "../../src/protocol/Instruction.js"
import * as Pda from "../../src/protocol/Pda.js"
import { START } from "./harness.js"
import { expectAccountRefusal, expectRefusal } from "./refusals.js"
import {
  agentOf,
  DEPOSIT,
  eventsOf,
  expectAccount,
  FEE,
  hash,
  participantOf,
  read,
  rewrite,
  scenario,
  type Scenario,
  WEEK
} from "./scenario.js"

const invitationOf = ({ bob, vault }: Scenario) => Pda.invitation(vault, bob).address
const escrowOf = ({ bob, vault }: Scenario) => Pda.escrow(vault, bob).address

const joinVault = ({ bob, vault }: Scenario) =>
  Instruction.joinChannel({ wallet: bob, channel: vault, invitation: true, escrow: true })

describe("JoinChannel", () => {
  it("Given a public channel, When an agent joins, Then it is recorded and counted, and an event announces it", () => {
    const scene = scenario()
    const { carol, chain, general, given } = scene
    const outcome = given(carol, Instruction.joinChannel({ wallet: carol, channel: general }))
    expectAccount(
      chain,
      participantOf(general, carol),
      104,
      new Account.ChannelParticipant({
        channel: general,
        agent: agentOf(carol),
        joinedAt: START,
        messagesSent: 0n,
        lastMessageAt: 0n,
        isActive: true,
        bump: Pda.participant(general, agentOf(carol)).bump
      })
    )
    expect(read(scene, Account.decodeChannel, general).currentParticipants).toBe(3)
    expect(eventsOf(outcome)).toEqual([
      new Event.ChannelJoined({ channel: general, agent: agentOf(carol), timestamp: START })
    ])
  })

  it("Given an invitation and an escrow, When an agent joins, Then both are used and the fee moves", () => {
    const scene = scenario()
    const { bob, chain, given, vault } = scene
    const [invitation, escrow] = [invitationOf(scene), escrowOf(scene)]
    const [escrowed, kept] = [chain.balance(escrow), chain.balance(vault)]
    const before = read(scene, Account.decodeInvitation, invitation)
    given(bob, joinVault(scene))
    expectAccount(chain, invitation, 168, new Account.ChannelInvitation({ ...before, isAccepted: true, isUsed: true }))
    expect(read(scene, Account.decodeEscrow, escrow).amount).toBe(DEPOSIT - FEE)
    expect(chain.balance(escrow)).toBe(escrowed - FEE)
    expect(chain.balance(vault)).toBe(kept + FEE)
    expect(read(scene, Account.decodeChannel, vault).escrowBalance).toBe(DEPOSIT)
  })

  it("Given an inactive channel, When an agent joins, Then it succeeds", () => {
    const { alice, carol, general, given } = scenario()
    given(alice, Instruction.updateChannel({ wallet: alice, channel: general, isActive: false }))
    given(carol, Instruction.joinChannel({ wallet: carol, channel: general }))
  })

  it("Given a participant that left, When it joins again, Then it is active with its counters", () => {
    const scene = scenario()
    const { bob, chain, general, given } = scene
    const participant = participantOf(general, bob)
    rewrite(
      scene,
      participant,
      Account.decodeParticipant,
      (value) => new Account.ChannelParticipant({ ...value, messagesSent: 7n, lastMessageAt: START })
    )
    given(bob, Instruction.leaveChannel({ wallet: bob, channel: general }))
    chain.advance(3n)
    given(bob, Instruction.joinChannel({ wallet: bob, channel: general }))
    const after = read(scene, Account.decodeParticipant, participant)
    expect(after).toMatchObject({ isActive: true, joinedAt: START + 3n, messagesSent: 7n, lastMessageAt: START })
    expect(read(scene, Account.decodeChannel, general).currentParticipants).toBe(2)
  })

  it("Given an active participant, When it joins again, Then it fails with 6005 on the account", () => {
    const { bob, general, when } = scenario()
    const join = Instruction.joinChannel({ wallet: bob, channel: general })
    expectAccountRefusal(when(bob, join), 6005, "participant_account")
  })

  it("Given a full channel, When an agent joins, Then it fails with 6004", () => {
    const { alice, carol, general, given, when } = scenario()
    given(alice, Instruction.updateChannel({ wallet: alice, channel: general, maxParticipants: 2 }))
    expectRefusal(when(carol, Instruction.joinChannel({ wallet: carol, channel: general })), 6004)
  })

  it("Given a fee and no escrow, When an agent joins, Then it fails with 6007", () => {
    const { carol, paid, when } = scenario()
    expectRefusal(when(carol, Instruction.joinChannel({ wallet: carol, channel: paid })), 6007)
  })

  it("Given an escrow below the fee, When an agent joins, Then it fails with 6007", () => {
    const { carol, given, paid, when } = scenario()
    given(carol, Instruction.depositEscrow({ wallet: carol, channel: paid, amount: FEE - 1n }))
    expectRefusal(when(carol, Instruction.joinChannel({ wallet: carol, channel: paid, escrow: true })), 6007)
  })

  it("Given an escrow that names another depositor, When an agent joins, Then it fails with 6001", () => {
    const scene = scenario()
    const { alice, bob, when } = scene
    rewrite(
      scene,
      escrowOf(scene),
      Account.decodeEscrow,
      (value) => new Account.EscrowAccount({ ...value, depositor: alice })
    )
    expectRefusal(when(bob, joinVault(scene)), 6001)
  })

  it("Given a private channel and no invitation, When an agent joins, Then it fails with 6013", () => {
    const { bob, secret, when } = scenario()
    expectRefusal(when(bob, Instruction.joinChannel({ wallet: bob, channel: secret })), 6013)
  })

  it.each([
    [
      "for somebody else",
      (value: Account.ChannelInvitation, { alice }: Scenario) => ({ ...value, invitee: alice }),
      6013
    ],
    [
      "to another channel",
      (value: Account.ChannelInvitation, { general }: Scenario) => ({ ...value, channel: general }),
      6013
    ],
    ["already used", (value: Account.ChannelInvitation) => ({ ...value, isUsed: true }), 6013],
    ["already accepted", (value: Account.ChannelInvitation) => ({ ...value, isAccepted: true }), 6013],
    ["with a forged hash", (value: Account.ChannelInvitation) => ({ ...value, invitationHash: hash(7) }), 6001],
    ["with a forged nonce", (value: Account.ChannelInvitation) => ({ ...value, nonce: value.nonce + 1n }), 6001]
  ] as const)("Given an invitation %s, When an agent joins, Then it fails with its code", (_, forge, code) => {
    const scene = scenario()
    rewrite(
      scene,
      invitationOf(scene),
      Account.decodeInvitation,
      (value) => new Account.ChannelInvitation(forge(value, scene))
    )
    expectRefusal(scene.when(scene.bob, joinVault(scene)), code)
  })

  it("Given an expired invitation, When an agent joins, Then it fails with 6002; in its last second it succeeds", () => {
    const scene = scenario()
    const { bob, chain, given, when } = scene
    chain.advance(WEEK + 1n)
    expectRefusal(when(bob, joinVault(scene)), 6002)
    chain.advance(-1n)
    given(bob, joinVault(scene))
  })
})

describe("LeaveChannel", () => {
  it("Given a participant, When it leaves, Then its account stays inactive and it is no longer counted", () => {
    const scene = scenario()
    const { bob, chain, general, given } = scene
    const before = read(scene, Account.decodeParticipant, participantOf(general, bob))
    const outcome = given(bob, Instruction.leaveChannel({ wallet: bob, channel: general }))
    expectAccount(
      chain,
      participantOf(general, bob),
      104,
      new Account.ChannelParticipant({ ...before, isActive: false })
    )
    expect(read(scene, Account.decodeChannel, general).currentParticipants).toBe(1)
    expect(eventsOf(outcome)).toEqual([])
  })

  it("Given a participant that left, When it leaves again, Then it fails with 6006", () => {
    const { bob, general, given, when } = scenario()
    given(bob, Instruction.leaveChannel({ wallet: bob, channel: general }))
    expectRefusal(when(bob, Instruction.leaveChannel({ wallet: bob, channel: general })), 6006)
  })

  it("Given an account that names another agent, When it leaves, Then it fails with 6001 on the account", () => {
    const scene = scenario()
    const { alice, bob, general, when } = scene
    rewrite(
      scene,
      participantOf(general, bob),
      Account.decodeParticipant,
      (value) => new Account.ChannelParticipant({ ...value, agent: agentOf(alice) })
    )
    const leave = Instruction.leaveChannel({ wallet: bob, channel: general })
    expectAccountRefusal(when(bob, leave), 6001, "participant_account")
  })
})
