import { expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as EmbeddedCluster from "../../layers/EmbeddedCluster.js"
import * as Pod from "../../layers/Pod.js"
import * as TestWallets from "../../layers/TestWallets.js"
import * as Agent from "../../services/Agent.js"
import { Wallet } from "../../services/Wallet.js"
import * as Pda from "../../src/protocol/Pda.js"
import { PROGRAM_ID } from "../../src/protocol/Program.js"
import { SYSTEM_PROGRAM } from "../../src/solana/Address.js"
import { as, METADATA_URI, registered } from "../support/agents.js"
import * as Offline from "../support/offline.js"

layer(Pod.layerTest)("Agent", (it) => {
  it.effect("Given a funded wallet, When it registers, Then wallet and agent address both name the agent", () =>
    Effect.gen(function* () {
      const agents = yield* Agent.Agent
      const wallet = yield* TestWallets.funded
      const receipt = yield* agents.register({ capabilities: 3n, metadataUri: METADATA_URI }).pipe(as(wallet))
      const byWallet = yield* agents.get(wallet.address)
      expect(byWallet.address).toBe(receipt.address)
      expect(byWallet.account).toMatchObject({
        wallet: wallet.address,
        capabilities: 3n,
        metadataUri: METADATA_URI,
        reputation: 100n
      })
      expect(yield* agents.get(receipt.address)).toEqual(byWallet)
      expect(receipt.fee).toBe(5000n)
      expect(receipt.slot).toBeGreaterThan(0n)
    })
  )

  it.effect("Given a registered wallet, When it registers again, Then it fails with AlreadyRegistered", () =>
    Effect.gen(function* () {
      const agents = yield* Agent.Agent
      const { wallet } = yield* registered
      const error = yield* agents.register({ metadataUri: METADATA_URI }).pipe(as(wallet), Effect.flip)
      expect(error).toMatchObject({ _tag: "ProgramError", reason: "AlreadyRegistered", instruction: "RegisterAgent" })
    })
  )

  it.effect("Given a wallet that cannot pay the rent, When it registers, Then it fails with InsufficientFunds", () =>
    Effect.gen(function* () {
      const agents = yield* Agent.Agent
      const wallet = yield* Effect.flatMap(TestWallets.TestWallets, ({ fundedWith }) => fundedWith(1_000_000n))
      const error = yield* agents.register({ metadataUri: METADATA_URI }).pipe(as(wallet), Effect.flip)
      expect(error).toMatchObject({ _tag: "ProgramError", reason: "InsufficientFunds" })
    })
  )

  it.effect("Given an agent, When one field is updated, Then the other stays unchanged", () =>
    Effect.gen(function* () {
      const agents = yield* Agent.Agent
      const { agent, wallet } = yield* registered
      const receipt = yield* agents.update({ capabilities: 7n }).pipe(as(wallet))
      expect(receipt.address).toBe(agent)
      yield* agents.update({ metadataUri: "https://example.com/second.json" }).pipe(as(wallet))
      expect((yield* agents.get(agent)).account).toMatchObject({
        capabilities: 7n,
        metadataUri: "https://example.com/second.json"
      })
    })
  )

  it.effect("Given no agent, When it is read, Then it does not exist and AccountNotFound names the address", () =>
    Effect.gen(function* () {
      const agents = yield* Agent.Agent
      const wallet = yield* TestWallets.funded
      const { address } = Pda.agent(wallet.address)
      expect(yield* agents.exists(wallet.address)).toBe(false)
      expect(yield* Effect.flip(agents.get(wallet.address))).toMatchObject({
        _tag: "AccountNotFound",
        account: "AgentAccount",
        address
      })
      expect(yield* agents.update({ capabilities: 1n }).pipe(as(wallet), Effect.flip)).toMatchObject({
        _tag: "ProgramError",
        reason: "AccountNotInitialized"
      })
    })
  )

  it.effect("Given an agent, When it is looked up by wallet and by agent address, Then it exists", () =>
    Effect.gen(function* () {
      const agents = yield* Agent.Agent
      const { agent, wallet } = yield* registered
      expect(yield* Effect.forEach([agent, wallet.address], agents.exists)).toEqual([true, true])
    })
  )

  it.effect("Given lamports at an agent's address, When read, Then there is no agent; and it can still register", () =>
    Effect.gen(function* () {
      const agents = yield* Agent.Agent
      const cluster = yield* EmbeddedCluster.EmbeddedCluster
      const wallet = yield* TestWallets.funded
      const { address } = Pda.agent(wallet.address)
      yield* cluster.setAccount({ address, lamports: 1_000_000n, owner: SYSTEM_PROGRAM, data: new Uint8Array(0) })
      expect((yield* Effect.flip(agents.get(wallet.address)))._tag).toBe("AccountNotFound")
      yield* agents.register({ metadataUri: METADATA_URI }).pipe(as(wallet))
      expect(yield* agents.exists(wallet.address)).toBe(true)
    })
  )

  it.effect("Given bytes at the address that are no agent, When read, Then AccountDecodeError says why", () =>
    Effect.gen(function* () {
      const agents = yield* Agent.Agent
      const cluster = yield* EmbeddedCluster.EmbeddedCluster
      const wallet = yield* TestWallets.funded
      const { address } = Pda.agent(wallet.address)
      yield* cluster.setAccount({ address, lamports: 10_000_000n, owner: PROGRAM_ID, data: new Uint8Array(64) })
      expect(yield* agents.exists(wallet.address)).toBe(false)
      expect(yield* Effect.flip(agents.get(wallet.address))).toMatchObject({
        _tag: "AccountDecodeError",
        reason: "Discriminator"
      })
    })
  )
})

layer(Offline.layer)("Agent without a network", (it) => {
  it.effect(
    "Given input that breaks a rule, When it is written, Then InvalidInput names the field before any call",
    () =>
      Effect.gen(function* () {
        const agents = yield* Agent.Agent
        const wallet = yield* Wallet
        const calls = [
          [agents.register({ metadataUri: "ipfs://a-long-enough-cid" }), "metadataUri"],
          [agents.register({ metadataUri: `https://${"x".repeat(193)}` }), "metadataUri"],
          [agents.register({ metadataUri: METADATA_URI, capabilities: 2n ** 63n }), "capabilities"],
          [agents.update({}), "input"],
          [agents.update({ metadataUri: "" }), "metadataUri"],
          [agents.update({ capabilities: -1n }), "capabilities"]
        ] as const
        for (const [call, field] of calls) {
          expect(yield* call.pipe(as(wallet), Effect.flip)).toMatchObject({ _tag: "InvalidInput", field })
        }
        expect(yield* Offline.rpcCalls).toBe(0)
      })
  )
})
