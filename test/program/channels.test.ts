import { describe, expect, it } from "@effect/vitest"
import { lamports } from "@solana/kit"
import * as Account from "../../src/protocol/Account.js"
import * as Event from "../../src/protocol/Event.js"
import * as Instruction from "../../src/protocol/Instruction.js"
import * as Pda from "../../src/protocol/Pda.js"
import { START } from "./harness.js"
import { expectAccountRefusal, expectRefusal, expectSystemRefusal } from "./refusals.js"
import {
  agentOf,
  channel,
  channelOf,
  eventsOf,
  expectAccount,
  FEE,
  participantOf,
  read,
  rewrite,
  scenario
} from "./scenario.js"

const versions = [
  ["CreateChannel", Instruction.createChannel],
  ["CreateChannelV2", Instruction.createChannelV2]
] as const

describe.each(versions)("%s", (name, create) => {
  it("Given a creator, When a channel is created, Then it is active and an event announces it", () => {
    const scene = scenario()
    const { alice, chain, given } = scene
    const input = channel(alice, "n".repeat(32), {
      description: "d".repeat(200),
      visibility: "Private",
      maxParticipants: 1000,
      feePerMessage: 1_000_000_000n
    })
    const outcome = given(alice, create(input))
    const address = channelOf(alice, input.name)
    const { bump } = read(scene, Account.decodeChannel, address)
    expectAccount(
      chain,
      address,
      362,
      new Account.ChannelAccount({
        creator: alice,
        name: input.name,
        description: input.description,
        visibility: "Private",
        maxParticipants: 1000,
        feePerMessage: lamports(1_000_000_000n),
        currentParticipants: name === "CreateChannelV2" ? 1 : 0,
        escrowBalance: lamports(0n),
        createdAt: START,
        isActive: true,
        lastSyncTimestamp: 0n,
        totalCompressedMessages: 0n,
        compressedDataSize: 0n,
        bump
      })
    )
    expect(eventsOf(outcome)).toEqual([
      new Event.ChannelCreated({
        channel: address,
        creator: alice,
        name: input.name,
        visibility: "Private",
        timestamp: START
      })
    ])
  })

  it("Given a channel, When its name is taken again, Then the System program refuses", () => {
    const { alice, when } = scenario()
    expectSystemRefusal(when(alice, create(channel(alice, "general"))), 0)
  })

  it.each(["", " ", " padded", "padded\u0085", "x".repeat(33)])(
    "Given the name %j, When a channel is created, Then it fails with 6008",
    (refused) => {
      const { alice, general, when } = scenario()
      expectRefusal(when(alice, create({ ...channel(alice, refused), channel: general })), 6008)
    }
  )

  it.each([
    ["a description of 201 bytes", { description: "d".repeat(201) }, 6009],
    ["no room", { maxParticipants: 0 }, 6004],
    ["room for 1001", { maxParticipants: 1001 }, 6004],
    ["a fee above 1 SOL", { feePerMessage: 1_000_000_001n }, 6007]
  ] as const)("Given %s, When a channel is created, Then it fails with its code", (_, refused, code) => {
    const { alice, when } = scenario()
    expectRefusal(when(alice, create(channel(alice, "new", refused))), code)
  })
})

describe("CreateChannel", () => {
  it("Given a wallet without an agent, When it creates a channel, Then it succeeds", () => {
    const { dave, given } = scenario()
    given(dave, Instruction.createChannel(channel(dave, "free")))
  })

  it("Given a padded description, When a channel is created, Then it is stored trimmed", () => {
    const scene = scenario()
    const { alice, given } = scene
    given(alice, Instruction.createChannel(channel(alice, "new", { description: "  words " })))
    expect(read(scene, Account.decodeChannel, channelOf(alice, "new")).description).toBe("words")
  })

  it("Given a first channel, When its creator joins and broadcasts, Then the creator is counted once", () => {
    const scene = scenario()
    const { alice, given } = scene
    given(alice, Instruction.createChannel(channel(alice, "new")))
    const created = channelOf(alice, "new")
    given(alice, Instruction.joinChannel({ wallet: alice, channel: created }))
    expect(read(scene, Account.decodeChannel, created).currentParticipants).toBe(1)
  })
})

describe("CreateChannelV2", () => {
  it("Given an agent, When it creates a channel, Then it is the first participant", () => {
    const { alice, chain, given } = scenario()
    given(alice, Instruction.createChannelV2(channel(alice, "new")))
    const created = channelOf(alice, "new")
    expectAccount(
      chain,
      participantOf(created, alice),
      104,
      new Account.ChannelParticipant({
        channel: created,
        agent: agentOf(alice),
        joinedAt: START,
        messagesSent: 0n,
        lastMessageAt: 0n,
        isActive: true,
        bump: Pda.participant(created, agentOf(alice)).bump
      })
    )
  })

  it("Given reputation below 50, When an agent creates a channel, Then it fails with 6010", () => {
    const scene = scenario()
    const { alice, when } = scene
    rewrite(
      scene,
      agentOf(alice),
      Account.decodeAgent,
      (agent) => new Account.AgentAccount({ ...agent, reputation: 49n })
    )
    expectRefusal(when(alice, Instruction.createChannelV2(channel(alice, "new"))), 6010)
  })
})

describe("UpdateChannel", () => {
  it("Given a channel, When its creator updates it, Then only the given fields change", () => {
    const scene = scenario()
    const { alice, chain, general, given } = scene
    const before = read(scene, Account.decodeChannel, general)
    const one = { name: "renamed", feePerMessage: lamports(5n) }
    given(alice, Instruction.updateChannel({ wallet: alice, channel: general, ...one }))
    expect(read(scene, Account.decodeChannel, general)).toEqual(new Account.ChannelAccount({ ...before, ...one }))
    const two = { description: "d".repeat(200), maxParticipants: 2, isActive: false }
    const outcome = given(alice, Instruction.updateChannel({ wallet: alice, channel: general, ...two }))
    expectAccount(chain, general, 362, new Account.ChannelAccount({ ...before, ...one, ...two }))
    expect(eventsOf(outcome)).toEqual([])
  })

  it("Given a channel, When another wallet updates it, Then it fails with 6001 on the account", () => {
    const { bob, general, when } = scenario()
    const update = Instruction.updateChannel({ wallet: bob, channel: general, isActive: false })
    expectAccountRefusal(when(bob, update), 6001, "channel_account")
  })

  it.each([
    ["a blank name", { name: " " }, 6008],
    ["a name of 33 bytes", { name: "x".repeat(33) }, 6008],
    ["a description of 201 bytes", { description: "d".repeat(201) }, 6009],
    ["no room", { maxParticipants: 0 }, 6004],
    ["room for fewer than are there", { maxParticipants: 1 }, 6004],
    ["room for 1001", { maxParticipants: 1001 }, 6004],
    ["a fee above 1 SOL", { feePerMessage: 1_000_000_001n }, 6007]
  ] as const)("Given %s, When a channel is updated, Then it fails with its code", (_, refused, code) => {
    const { alice, general, when } = scenario()
    expectRefusal(when(alice, Instruction.updateChannel({ wallet: alice, channel: general, ...refused })), code)
  })

  it("Given an account of the published program's size, When its texts outgrow it, Then it fails with 3004", () => {
    const { alice, chain, general, when } = scenario()
    chain.edit(general, (data) => data.slice(0, 338))
    const update = { wallet: alice, channel: general, name: "x".repeat(32), description: "d".repeat(195) }
    expectAccountRefusal(when(alice, Instruction.updateChannel(update)), 3004, "channel_account")
  })
})

describe("GetChannelParticipants", () => {
  it("Given an active channel, When its participants are read, Then the program returns an empty list", () => {
    const { alice, given, paid } = scenario()
    const { returnData } = given(alice, Instruction.getChannelParticipants({ channel: paid }))
    expect([...returnData, 0, 0, 0, 0].slice(0, 4)).toEqual([0, 0, 0, 0])
  })

  it("Given an inactive channel, When its participants are read, Then the log names 6006 and a line of the source", () => {
    const { alice, general, given, when } = scenario()
    given(alice, Instruction.updateChannel({ wallet: alice, channel: general, isActive: false, feePerMessage: FEE }))
    const outcome = when(alice, Instruction.getChannelParticipants({ channel: general }))
    expect(outcome.code).toBe(6006)
    expect(outcome.logs.join("\n")).toMatch(
      /Program log: AnchorError thrown in src\/instructions\/channel\.rs:\d+\. Error Code: NotInChannel\. Error Number: 6006\. Error Message: Not in channel\./
    )
  })
})
