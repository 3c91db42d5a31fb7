import { describe, expect, it } from "@effect/vitest"
import type { Address } from "@solana/kit"
import * as Either from "effect/Either"
import * as Account from "../../src/protocol/Account.js"
import * as Instruction from "../../src/protocol/Instruction.js"
import * as Pda from "../../src/protocol/Pda.js"
import * as Addresses from "../../src/solana/Address.js"
import * as Hash from "../../src/solana/Hash.js"
import { START } from "./harness.js"
import { expectAccountRefusal, expectRefusal } from "./refusals.js"
import { agentOf, expectAccount, participantOf, read, scenario, WEEK } from "./scenario.js"

const hashOf = (channel: Address, inviter: Address, invitee: Address, nonce: bigint, at: bigint): Uint8Array => {
  const bytes = new Uint8Array(112)
  for (const [position, key] of [channel, inviter, invitee].entries()) bytes.set(Addresses.toBytes(key), position * 32)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(96, nonce, true)
  view.setBigInt64(104, at, true)
  return Hash.keccak256(bytes)
}

const invite = (wallet: Address, invitee: Address, channel: Address, participant: boolean) =>
  Instruction.inviteToChannel({ wallet, channel, invitee, nonce: 8n, participant })

describe("InviteToChannel", () => {
  it("Given a channel, When its creator invites, Then the invitation is valid for a week and the agent's count rises", () => {
    const scene = scenario()
    const { alice, chain, dave, given, secret } = scene
    const sent = read(scene, Account.decodeAgent, agentOf(alice)).invitesSent
    given(alice, invite(alice, dave, secret, false))
    const { address, bump } = Pda.invitation(secret, dave)
    expectAccount(
      chain,
      address,
      168,
      new Account.ChannelInvitation({
        channel: secret,
        inviter: alice,
        invitee: dave,
        invitationHash: hashOf(secret, alice, dave, 8n, START),
        createdAt: START,
        expiresAt: START + WEEK,
        nonce: 8n,
        isAccepted: false,
        isUsed: false,
        bump
      })
    )
    expect(read(scene, Account.decodeAgent, agentOf(alice))).toMatchObject({
      invitesSent: sent + 1,
      lastInviteAt: START
    })
  })

  it("Given an active participant, When it invites, Then it succeeds", () => {
    const scene = scenario()
    scene.given(scene.bob, invite(scene.bob, scene.dave, scene.general, true))
  })

  it("Given a participant that left, When it invites, Then it fails with 6006 on the account", () => {
    const scene = scenario()
    const { bob, dave, general, given, when } = scene
    given(bob, Instruction.leaveChannel({ wallet: bob, channel: general }))
    expectAccountRefusal(when(bob, invite(bob, dave, general, true)), 6006, "participant_account")
  })

  it("Given neither creator nor participant, When an agent invites, Then it fails with 6001", () => {
    const scene = scenario()
    const { bob, dave, general, when } = scene
    expectRefusal(when(bob, invite(bob, dave, general, false)), 6001)
  })

  it("Given a live invitation, When it is sent again, Then it fails with 6005 on the account", () => {
    const scene = scenario()
    const { alice, bob, vault, when } = scene
    expectAccountRefusal(when(alice, invite(alice, bob, vault, false)), 6005, "invitation_account")
  })

  it("Given an expired invitation, When it is sent again, Then it is valid again", () => {
    const scene = scenario()
    const { alice, bob, chain, given, vault } = scene
    chain.advance(WEEK + 1n)
    given(alice, invite(alice, bob, vault, false))
    expect(read(scene, Account.decodeInvitation, Pda.invitation(vault, bob).address)).toMatchObject({
      nonce: 8n,
      createdAt: START + WEEK + 1n,
      isUsed: false
    })
  })

  it("Given a used invitation, When its holder left and is invited again, Then the holder can join again", () => {
    const scene = scenario()
    const { alice, carol, given, secret } = scene
    const join = Instruction.joinChannel({ wallet: carol, channel: secret, invitation: true })
    given(carol, join)
    given(carol, Instruction.leaveChannel({ wallet: carol, channel: secret }))
    given(alice, invite(alice, carol, secret, false))
    given(carol, join)
    expect(read(scene, Account.decodeParticipant, participantOf(secret, carol)).isActive).toBe(true)
  })

  it("Given twenty invitations in an hour, When one more is sent, Then it fails with 6011 until the next hour", () => {
    const scene = scenario()
    const { alice, chain, general, given, when } = scene
    chain.advance(3600n - (START % 3600n))
    for (let seed = 100; seed < 120; seed++) {
      given(alice, invite(alice, Addresses.fromBytes(new Uint8Array(32).fill(seed)), general, false))
    }
    const next = invite(alice, scene.dave, general, false)
    expectRefusal(when(alice, next), 6011)
    chain.advance(3600n)
    given(alice, next)
  })

  it("Given the agent account readonly, When its wallet invites, Then it may, uncounted", () => {
    const scene = scenario()
    const { alice, dave, general, given } = scene
    const before = read(scene, Account.decodeAgent, agentOf(alice))
    const built = Either.getOrThrow(invite(alice, dave, general, false))
    const accounts = built.accounts.map((meta, position) => (position === 2 ? { ...meta, role: 0 as const } : meta))
    given(alice, { ...built, accounts })
    expect(read(scene, Account.decodeAgent, agentOf(alice))).toEqual(before)
  })
})
