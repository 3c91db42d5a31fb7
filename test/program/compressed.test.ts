import { describe, expect, it } from "@effect/vitest"
import { lamports } from "@solana/kit"
import * as Either from "effect/Either"
import * as Account from "../../src/protocol/Account.js"
import * as Event from "../../src/protocol/Event.js"
import * as Instruction from "../../src/protocol/Instruction.js"
import * as MessageType from "../../src/protocol/MessageType.js"
import * as Pda from "../../src/protocol/Pda.js"
import { PROGRAM_ID } from "../../src/protocol/Program.js"
import * as Hash from "../../src/solana/Hash.js"
import { START } from "./harness.js"
import { expectAccountRefusal, expectRefusal } from "./refusals.js"
import {
  agentOf,
  eventsOf,
  expectAccount,
  hash,
  participantOf,
  read,
  rewrite,
  scenario,
  type Scenario,
  WEEK
} from "./scenario.js"

const broadcast = ({ bob, general }: Scenario, overrides: Partial<Instruction.BroadcastMessageCompressedInput> = {}) =>
  Instruction.broadcastMessageCompressed({
    wallet: bob,
    channel: general,
    content: "hello, agents",
    type: MessageType.Data,
    ipfsHash: "QmX",
    ...overrides
  })

describe("BroadcastMessageCompressed", () => {
  it("Given a participant, When it broadcasts, Then only its counters change", () => {
    const scene = scenario()
    const { bob, general, given } = scene
    const outcome = given(bob, broadcast(scene))
    expect(read(scene, Account.decodeParticipant, participantOf(general, bob))).toMatchObject({
      messagesSent: 1n,
      lastMessageAt: START
    })
    expect(eventsOf(outcome)).toEqual([
      new Event.MessageBroadcast({ channel: general, sender: agentOf(bob), type: MessageType.Data, timestamp: START })
    ])
  })

  it.each([
    ["with a refused word", { content: "profile: me" }, 6012],
    ["that repeats itself", { content: "----------" }, 6012],
    ["with an empty identifier", { ipfsHash: "" }, 6000],
    ["with an identifier of 101 bytes", { ipfsHash: "Q".repeat(101) }, 6000],
    ["with a sign in the identifier", { ipfsHash: "Qm-X" }, 6000],
    ["without any", { content: "" }, 6015]
  ] as const)("Given content %s, When it is broadcast, Then it fails with its code", (_, overrides, code) => {
    const scene = scenario()
    expectRefusal(scene.when(scene.bob, broadcast(scene, overrides)), code)
  })

  it("Given a participant that left, When it broadcasts, Then it fails with 6006", () => {
    const scene = scenario()
    const { bob, general, given, when } = scene
    given(bob, Instruction.leaveChannel({ wallet: bob, channel: general }))
    expectRefusal(when(bob, broadcast(scene)), 6006)
  })

  it("Given a participant of another channel, When it is used, Then it fails with 6001", () => {
    const scene = scenario()
    const { alice, general, paid, when } = scene
    const foreign = { wallet: alice, channel: general, participant: participantOf(paid, alice) }
    expectRefusal(when(alice, broadcast(scene, foreign)), 6001)
  })

  it("Given a participant of another agent, When it is used, Then it fails with 6001", () => {
    const scene = scenario()
    const { alice, bob, general, when } = scene
    expectRefusal(when(alice, broadcast(scene, { wallet: alice, participant: participantOf(general, bob) })), 6001)
  })

  it("Given an inactive channel, When a participant broadcasts, Then it fails with 6001", () => {
    const scene = scenario()
    const { alice, bob, general, given, when } = scene
    given(alice, Instruction.updateChannel({ wallet: alice, channel: general, isActive: false }))
    expectRefusal(when(bob, broadcast(scene)), 6001)
  })

  it("Given the rate limit, When it is exceeded, Then it fails with 6011; the rule of bursts does not apply", () => {
    const scene = scenario()
    const { bob, chain, given, when } = scene
    given(bob, broadcast(scene))
    expectRefusal(when(bob, broadcast(scene)), 6011)
    for (let sent = 1; sent < 60; sent++) {
      chain.advance(1n)
      given(bob, broadcast(scene))
    }
    chain.advance(59n)
    expectRefusal(when(bob, broadcast(scene)), 6011)
    chain.advance(1n)
    given(bob, broadcast(scene))
  })
})

const join = (
  { carol, general }: Scenario,
  overrides: Partial<Instruction.JoinChannelCompressedInput> = {}
): Instruction.ProgramInstruction =>
  Either.getOrThrow(
    Instruction.joinChannelCompressed({ wallet: carol, channel: general, metadataHash: hash(2), ...overrides })
  )

/** The account list of the published program, which knows no participant account. */
const withoutParticipant = (instruction: Instruction.ProgramInstruction): Instruction.ProgramInstruction => ({
  ...instruction,
  accounts: instruction.accounts.slice(0, -1)
})

describe("JoinChannelCompressed", () => {
  it("Given its participant account, When an agent joins, Then it is recorded, counted and announced", () => {
    const scene = scenario()
    const { carol, chain, general, given } = scene
    const outcome = given(carol, join(scene))
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

  it.each([
    ["missing", withoutParticipant],
    [
      "the program's id",
      (instruction: Instruction.ProgramInstruction) => ({
        ...instruction,
        accounts: [...withoutParticipant(instruction).accounts, { address: PROGRAM_ID, role: 0 as const }]
      })
    ]
  ])(
    "Given a participant account that is %s, When an agent joins, Then it is announced and not counted",
    (_, leave) => {
      const scene = scenario()
      const { carol, general, given } = scene
      const outcome = given(carol, leave(join(scene)))
      expect(eventsOf(outcome)).toHaveLength(1)
      expect(read(scene, Account.decodeChannel, general).currentParticipants).toBe(2)
    }
  )

  it("Given a participant, When it joins again, Then it fails with 6005 on the account", () => {
    const scene = scenario()
    expectAccountRefusal(scene.when(scene.bob, join(scene, { wallet: scene.bob })), 6005, "participant_account")
  })

  it("Given an agent of another wallet, When it joins, Then it fails with 6001", () => {
    const scene = scenario()
    expectRefusal(scene.when(scene.dave, join(scene, { wallet: scene.dave, agent: agentOf(scene.carol) })), 6001)
  })

  it("Given a full channel, When an agent joins, Then it fails with 6004", () => {
    const scene = scenario()
    const { alice, carol, general, given, when } = scene
    given(alice, Instruction.updateChannel({ wallet: alice, channel: general, maxParticipants: 2 }))
    expectRefusal(when(carol, join(scene)), 6004)
    expectRefusal(when(carol, withoutParticipant(join(scene))), 6004)
  })

  it("Given a channel with a fee, When an agent joins without paying, Then it fails with 6007", () => {
    const scene = scenario()
    expectRefusal(scene.when(scene.carol, join(scene, { channel: scene.paid })), 6007)
  })

  it("Given a private channel, When the invited agent joins, Then its invitation is used up", () => {
    const scene = scenario()
    const { carol, given, secret, when } = scene
    given(carol, join(scene, { channel: secret, invitation: true }))
    expect(read(scene, Account.decodeInvitation, Pda.invitation(secret, carol).address)).toMatchObject({
      isAccepted: true,
      isUsed: true
    })
    const again = withoutParticipant(join(scene, { channel: secret, invitation: true }))
    expectRefusal(when(carol, again), 6013)
  })

  it("Given a private channel, When an agent joins without an invitation, Then it fails with 6013", () => {
    const scene = scenario()
    expectRefusal(scene.when(scene.carol, join(scene, { channel: scene.secret })), 6013)
  })

  it("Given an invitation to another channel, When an agent joins, Then it fails with 6013", () => {
    const scene = scenario()
    const { alice, carol, given, secret, vault, when } = scene
    given(alice, Instruction.updateChannel({ wallet: alice, channel: vault, feePerMessage: 0n }))
    const invitation = Pda.invitation(secret, carol).address
    expectRefusal(when(carol, join(scene, { channel: vault, invitation })), 6013)
  })

  it("Given an invitation of another agent, When an agent joins, Then it fails with 6001", () => {
    const scene = scenario()
    const { bob, carol, secret, when } = scene
    const invitation = Pda.invitation(secret, carol).address
    expectRefusal(when(bob, join(scene, { wallet: bob, channel: secret, invitation })), 6001)
  })

  it("Given an expired invitation, When an agent joins, Then it fails with 6002", () => {
    const scene = scenario()
    scene.chain.advance(WEEK + 1n)
    expectRefusal(scene.when(scene.carol, join(scene, { channel: scene.secret, invitation: true })), 6002)
  })

  it("Given a forged invitation, When an agent joins, Then it fails with 6001", () => {
    const scene = scenario()
    const { carol, secret, when } = scene
    rewrite(
      scene,
      Pda.invitation(secret, carol).address,
      Account.decodeInvitation,
      (value) => new Account.ChannelInvitation({ ...value, invitationHash: hash(9) })
    )
    expectRefusal(when(carol, join(scene, { channel: secret, invitation: true })), 6001)
  })
})

const sync = (
  { alice, general }: Scenario,
  overrides: Partial<Instruction.BatchSyncCompressedMessagesInput> = {}
): Instruction.ProgramInstruction =>
  Either.getOrThrow(
    Instruction.batchSyncCompressedMessages({
      wallet: alice,
      channel: general,
      messageHashes: [hash(17), hash(34)],
      syncTimestamp: START,
      ...overrides
    })
  )

describe("BatchSyncCompressedMessages", () => {
  it("Given a channel, When its creator syncs, Then each hash is announced and counted", () => {
    const scene = scenario()
    const { alice, chain, general, given } = scene
    const before = read(scene, Account.decodeChannel, general)
    const outcome = given(alice, sync(scene, { syncTimestamp: START + 3600n }))
    expectAccount(
      chain,
      general,
      362,
      new Account.ChannelAccount({
        ...before,
        feePerMessage: lamports(before.feePerMessage),
        lastSyncTimestamp: START + 3600n,
        totalCompressedMessages: 2n,
        compressedDataSize: 64n
      })
    )
    expect(eventsOf(outcome)).toEqual(
      [17, 34].map(
        (byte, batchIndex) =>
          new Event.CompressedMessageSynced({
            channel: general,
            messageHash: hash(byte),
            compressedHash: Hash.blake3(hash(byte)),
            batchIndex,
            syncTimestamp: START + 3600n
          })
      )
    )
  })

  it("Given counters at their maximum, When a batch is synced, Then they stay there", () => {
    const scene = scenario()
    const { alice, general, given } = scene
    const end = { totalCompressedMessages: 2n ** 64n - 1n, compressedDataSize: 2n ** 64n - 1n }
    rewrite(scene, general, Account.decodeChannel, (value) => new Account.ChannelAccount({ ...value, ...end }))
    given(alice, sync(scene))
    expect(read(scene, Account.decodeChannel, general)).toMatchObject(end)
  })

  it("Given 22 hashes, When they are synced, Then one transaction carries them", () => {
    const scene = scenario()
    const outcome = scene.given(
      scene.alice,
      sync(scene, { messageHashes: Array.from({ length: 22 }, (_, index) => hash(index + 1)) })
    )
    expect(outcome.events).toHaveLength(22)
  })

  it("Given a wallet that is not the creator, When it syncs, Then it fails with 6001", () => {
    const scene = scenario()
    expectRefusal(scene.when(scene.bob, sync(scene, { wallet: scene.bob })), 6001)
  })

  it.each([-3601n, 3601n, -(2n ** 62n), 2n ** 62n])(
    "Given a time %d seconds away, When it is synced, Then it fails with 6016",
    (away) => {
      const scene = scenario()
      expectRefusal(scene.when(scene.alice, sync(scene, { syncTimestamp: START + away })), 6016)
    }
  )

  it("Given an all-zero hash, When it is synced, Then it fails with 6017 and nothing is announced", () => {
    const scene = scenario()
    const outcome = scene.when(scene.alice, sync(scene, { messageHashes: [hash(1), hash(0)] }))
    expectRefusal(outcome, 6017)
    expect(outcome.events).toEqual([])
  })
})
