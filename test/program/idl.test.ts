/** The interface description says what the program does, as a coder that is not ours reads it. */
import { readFileSync } from "node:fs"
import { BorshCoder, type Idl } from "@coral-xyz/anchor"
import { describe, expect, it } from "@effect/vitest"
import type { Address } from "@solana/kit"
import * as Instruction from "../../src/protocol/Instruction.js"
import * as Pda from "../../src/protocol/Pda.js"
import { call, tags } from "./calls.js"
import { agentOf, participantOf, scenario, type Scenario } from "./scenario.js"

const idl: Idl = JSON.parse(readFileSync(new URL("../../program/idl.json", import.meta.url), "utf8"))
const coder = new BorshCoder(idl)

const snakeCase = (name: string): string => name.replace(/(?<!^)[A-Z]/g, (letter) => `_${letter}`).toLowerCase()

const accountsOf: ReadonlyArray<readonly [name: string, address: (scene: Scenario) => Address]> = [
  ["AgentAccount", ({ alice }) => agentOf(alice)],
  ["MessageAccount", ({ message }) => message],
  ["ChannelAccount", ({ vault }) => vault],
  ["ChannelParticipant", ({ alice, vault }) => participantOf(vault, alice)],
  ["ChannelInvitation", ({ bob, vault }) => Pda.invitation(vault, bob).address],
  ["EscrowAccount", ({ bob, vault }) => Pda.escrow(vault, bob).address]
]

describe("idl.json", () => {
  it.each(tags)("Given %s, When Anchor's coder reads it, Then it knows the instruction", (tag) => {
    const { data } = call(tag).instruction
    const decoded = coder.instruction.decode(Buffer.from(data))
    expect(decoded?.name).toBe(snakeCase(tag))
  })

  it.each(tags)("Given %s, When its accounts are listed, Then they are those that clients send", (tag) => {
    const described = idl.instructions.find(({ name }) => name === snakeCase(tag))?.accounts
    expect(
      described?.map((account) => ({
        name: account.name,
        writable: "writable" in account && account.writable === true,
        signer: "signer" in account && account.signer === true,
        optional: "optional" in account && account.optional === true
      }))
    ).toEqual(
      Instruction.accounts(tag).map(({ isOptional, name, role }) => ({
        name: snakeCase(name),
        writable: role % 2 === 1,
        signer: role >= 2,
        optional: isOptional
      }))
    )
  })

  it.each(accountsOf)("Given a %s on the chain, When Anchor's coder reads it, Then it is one", (name, address) => {
    const scene = scenario()
    const bytes = Buffer.from(scene.chain.data(address(scene)))
    expect(coder.accounts.decodeAny(bytes)).toEqual(coder.accounts.decode(name, bytes))
  })

  it.each([
    "RegisterAgent",
    "SendMessage",
    "CreateChannelV2",
    "JoinChannel",
    "BroadcastMessage",
    "DepositEscrow",
    "WithdrawEscrow",
    "BatchSyncCompressedMessages"
  ] as const)("Given what %s announces, When Anchor's coder reads it, Then every event is known", (tag) => {
    const { instruction, scene, sponsor } = call(tag)
    const { events } = scene.given(sponsor, instruction)
    expect(events.length).toBeGreaterThan(0)
    for (const event of events) expect(coder.events.decode(Buffer.from(event).toString("base64"))).not.toBeNull()
  })
})
