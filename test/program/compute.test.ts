/** What each instruction costs, against the table in program/README.md. */
import { readFileSync } from "node:fs"
import { describe, expect, it } from "@effect/vitest"
import * as Instruction from "../../src/protocol/Instruction.js"
import * as MessageType from "../../src/protocol/MessageType.js"
import { call, tags } from "./calls.js"
import { hash, scenario } from "./scenario.js"

/** Each further try of a bump costs this much; addresses in these tests need the same tries on each run. */
const TOLERANCE = 100

const README = readFileSync(new URL("../../program/README.md", import.meta.url), "utf8")

const listed = (name: string): number => {
  const row = new RegExp(`^\\| ${name} +\\| +([\\d ]+) \\|`, "m").exec(README)
  return Number(row?.[1]?.replaceAll(" ", ""))
}

const expectListed = (name: string, computeUnits: bigint): void => {
  const units = Number(computeUnits)
  expect(
    Math.abs(listed(name) - units),
    `${name} took ${units} units; program/README.md says ${listed(name)}`
  ).toBeLessThan(TOLERANCE)
}

describe("compute units", () => {
  it.each(tags)("Given %s, When it succeeds, Then it costs what the README says", (tag) => {
    const { instruction, scene, sponsor } = call(tag)
    expectListed(tag, scene.given(sponsor, instruction).computeUnits)
  })

  it("Given the longest content, When it is broadcast, Then it costs what the README says", () => {
    const { bob, general, given } = scenario()
    const content = "The quick brown fox jumps over the lazy dog. ".repeat(20).slice(0, 874)
    const broadcast = { wallet: bob, channel: general, content, type: MessageType.Text, nonce: 1n }
    expectListed("BroadcastMessage, 874 bytes", given(bob, Instruction.broadcastMessage(broadcast)).computeUnits)
  })

  it("Given the largest batch, When it is synced, Then it costs what the README says", () => {
    const { alice, chain, general, given } = scenario()
    const messageHashes = Array.from({ length: 22 }, (_, index) => hash(index + 1))
    const batch = { wallet: alice, channel: general, messageHashes, syncTimestamp: chain.now() }
    const outcome = given(alice, Instruction.batchSyncCompressedMessages(batch))
    expectListed("BatchSyncCompressedMessages, 22 hashes", outcome.computeUnits)
  })
})
