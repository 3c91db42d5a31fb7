import { describe, expect, it } from "@effect/vitest"
import * as Account from "../../src/protocol/Account.js"
import * as Event from "../../src/protocol/Event.js"
import * as Instruction from "../../src/protocol/Instruction.js"
import * as Pda from "../../src/protocol/Pda.js"
import { SYSTEM_PROGRAM } from "../../src/solana/Address.js"
import { START } from "./harness.js"
import { expectAccountRefusal, expectRefusal, expectSystemRefusal } from "./refusals.js"
import { agentOf, eventsOf, expectAccount, read, rewrite, scenario, URI } from "./scenario.js"

const URI_REFUSALS: ReadonlyArray<readonly [what: string, uri: string]> = [
  ["blank", " ".repeat(20)],
  ["of 9 bytes", "http://a."],
  ["of 201 bytes", `https://example.com/${"x".repeat(181)}`],
  ["without http", "ipfs://QmAnything"],
  ["with a refused word", "https://example.com/JavaScript:x"],
  ["with a control character", "https://example.com/\r\n"],
  ["with NUL", "https://example.com/\0"],
  ["climbing up", "https://example.com/../x"]
]

describe("RegisterAgent", () => {
  it("Given a wallet, When it registers, Then its agent has reputation 100 and an event announces it", () => {
    const { chain, dave, given } = scenario()
    const outcome = given(dave, Instruction.registerAgent({ wallet: dave, capabilities: 7n, metadataUri: URI }))
    const { address, bump } = Pda.agent(dave)
    expectAccount(
      chain,
      address,
      286,
      new Account.AgentAccount({
        wallet: dave,
        capabilities: 7n,
        reputation: 100n,
        lastUpdated: START,
        metadataUri: URI,
        invitesSent: 0,
        lastInviteAt: 0n,
        bump
      })
    )
    expect(chain.balance(address)).toBe(2_881_440n)
    expect(eventsOf(outcome)).toEqual([
      new Event.AgentRegistered({ wallet: dave, capabilities: 7n, metadataUri: URI, timestamp: START })
    ])
    expect(outcome.logs).toContain("Program log: Instruction: RegisterAgent")
  })

  it("Given an address that already holds lamports, When its wallet registers, Then only the missing rent is paid", () => {
    const { chain, dave, given } = scenario()
    chain.put(agentOf(dave), { lamports: 1_000_000n, owner: SYSTEM_PROGRAM })
    given(dave, Instruction.registerAgent({ wallet: dave, capabilities: 7n, metadataUri: URI }))
    expect(chain.balance(agentOf(dave))).toBe(2_881_440n)
  })

  it("Given an agent, When its wallet registers again, Then the System program refuses", () => {
    const { alice, when } = scenario()
    expectSystemRefusal(
      when(alice, Instruction.registerAgent({ wallet: alice, capabilities: 1n, metadataUri: URI })),
      0
    )
  })

  it("Given a wallet that cannot pay the rent, When it registers, Then the System program refuses", () => {
    const { alice, chain, when } = scenario()
    const poor = chain.wallet(5)
    chain.put(poor, { lamports: 2_000_000n, owner: SYSTEM_PROGRAM })
    expectSystemRefusal(when(alice, Instruction.registerAgent({ wallet: poor, capabilities: 1n, metadataUri: URI })), 1)
  })

  it.each(URI_REFUSALS)("Given a URI %s, When a wallet registers, Then it fails with 6000", (_, metadataUri) => {
    const { dave, when } = scenario()
    expectRefusal(when(dave, Instruction.registerAgent({ wallet: dave, capabilities: 1n, metadataUri })), 6000)
  })

  it("Given capabilities above 2^63 - 1, When a wallet registers, Then it fails with 6001", () => {
    const { dave, when } = scenario()
    expectRefusal(
      when(dave, Instruction.registerAgent({ wallet: dave, capabilities: 2n ** 63n, metadataUri: URI })),
      6001
    )
  })
})

describe("UpdateAgent", () => {
  it("Given an agent, When it is updated, Then only the given fields change", () => {
    const scene = scenario()
    const { alice, chain, given } = scene
    chain.advance(5n)
    const before = read(scene, Account.decodeAgent, agentOf(alice))
    const outcome = given(alice, Instruction.updateAgent({ wallet: alice, capabilities: 9n }))
    const after = new Account.AgentAccount({ ...before, capabilities: 9n, lastUpdated: START + 5n })
    expectAccount(chain, agentOf(alice), 286, after)
    given(alice, Instruction.updateAgent({ wallet: alice, metadataUri: "https://example.org/b" }))
    expect(read(scene, Account.decodeAgent, agentOf(alice))).toEqual(
      new Account.AgentAccount({ ...after, metadataUri: "https://example.org/b" })
    )
    expect(eventsOf(outcome)).toEqual([])
  })

  it.each(URI_REFUSALS)("Given a URI %s, When an agent is updated, Then it fails with 6000", (_, metadataUri) => {
    const { alice, when } = scenario()
    expectRefusal(when(alice, Instruction.updateAgent({ wallet: alice, metadataUri })), 6000)
  })

  it("Given capabilities above 2^63 - 1, When an agent is updated, Then it fails with 6001", () => {
    const { alice, when } = scenario()
    expectRefusal(when(alice, Instruction.updateAgent({ wallet: alice, capabilities: 2n ** 64n - 1n })), 6001)
  })

  it("Given an account that names another wallet, When it is updated, Then it fails with 6001 on the account", () => {
    const scene = scenario()
    const { alice, bob, when } = scene
    rewrite(scene, agentOf(alice), Account.decodeAgent, (agent) => new Account.AgentAccount({ ...agent, wallet: bob }))
    expectAccountRefusal(
      when(alice, Instruction.updateAgent({ wallet: alice, capabilities: 1n })),
      6001,
      "agent_account"
    )
  })
})
