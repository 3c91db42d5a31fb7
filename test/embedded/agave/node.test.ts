/** What clients ask about the node: one test for each finding of other clients' suites. */
import { assert, layer } from "@effect/vitest"
import { Keypair } from "@solana/web3.js"
import * as Effect from "effect/Effect"
import * as EmbeddedCluster from "../../../layers/EmbeddedCluster.js"
import * as Addresses from "../../../src/solana/Address.js"
import { addressOf, SOL } from "../support.js"
import { call, field, payer, refusalOf, value } from "./support.js"

const INVALID_PARAMS = -32602
const SLOTS_PER_EPOCH = 432_000

layer(EmbeddedCluster.layer(), { excludeTestServices: true })("a node", (it) => {
  const identity = Effect.map(call("getIdentity"), (reply) => String(field(reply, "identity")))

  it.effect("getLeaderSchedule: one leader for all slots, null for an unknown epoch, {} for another identity", () =>
    Effect.gen(function* () {
      const leader = yield* identity
      const schedule = yield* call("getLeaderSchedule")
      assert.deepStrictEqual(
        [0, 1, SLOTS_PER_EPOCH - 1, SLOTS_PER_EPOCH].map((index) => field(schedule, leader, index)),
        [0, 1, SLOTS_PER_EPOCH - 1, undefined]
      )
      assert.isNull(yield* call("getLeaderSchedule", 10 * SLOTS_PER_EPOCH))
      assert.isNull(yield* call("getLeaderSchedule", 2n ** 64n - 1n))
      const stranger = addressOf(Keypair.generate())
      assert.deepStrictEqual(yield* call("getLeaderSchedule", null, { identity: stranger }), {})
      assert.strictEqual((yield* refusalOf("getLeaderSchedule", null, { identity: "x" })).code, INVALID_PARAMS)
    })
  )

  it.effect("getSlotLeader and getSlotLeaders: the identity, once or limit times", () =>
    Effect.gen(function* () {
      const leader = yield* identity
      assert.strictEqual(yield* call("getSlotLeader"), leader)
      assert.deepStrictEqual(yield* call("getSlotLeaders", 1, 3), [leader, leader, leader])
      assert.deepStrictEqual(yield* refusalOf("getSlotLeaders", 0, 5001), {
        code: INVALID_PARAMS,
        message: "Invalid limit; max 5000",
        data: undefined
      })
      const far = yield* refusalOf("getSlotLeaders", 3 * SLOTS_PER_EPOCH, 1)
      assert.match(far.message, /^Invalid slot range: leader schedule for epoch 3 is unavailable$/)
    })
  )

  it.effect("getBlockProduction: slots and blocks by identity, -32602 past the last slot", () =>
    Effect.gen(function* () {
      const leader = yield* identity
      yield* payer
      const slot = Number(yield* call("getSlot"))
      const production = yield* value("getBlockProduction", { range: { firstSlot: 0, lastSlot: slot } })
      assert.deepStrictEqual(production, {
        byIdentity: { [leader]: [slot + 1, slot + 1] },
        range: { firstSlot: 0, lastSlot: slot }
      })
      const beyond = yield* refusalOf("getBlockProduction", { range: { firstSlot: 0, lastSlot: 1e9 } })
      assert.strictEqual(beyond.code, INVALID_PARAMS)
      assert.match(beyond.message, /^lastSlot, 1000000000, is too large; max \d+$/)
    })
  )

  it.effect("getVoteAccounts, getClusterNodes, getInflation*, getStakeMinimumDelegation: constants of one node", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* call("getVoteAccounts"), { current: [], delinquent: [] })
      assert.deepInclude(yield* call("getInflationRate"), { total: 0, validator: 0, foundation: 0 })
      assert.deepInclude(yield* call("getInflationGovernor"), { initial: 0.08, terminal: 0.015 })
      assert.deepStrictEqual(yield* call("getInflationReward", [yield* identity]), [null])
      assert.strictEqual((yield* refusalOf("getInflationReward", [yield* identity], { epoch: 9 })).code, -32004)
      assert.strictEqual(yield* value("getStakeMinimumDelegation"), 1_000_000_000)
      const [node] = [yield* call("getClusterNodes")].flat()
      assert.deepInclude(node, { pubkey: yield* identity, version: "4.2.0" })
    })
  )

  it.effect(
    "getMaxRetransmitSlot, getMaxShredInsertSlot, getBlockCommitment, getHighestSnapshotSlot, getAgGenesisCert",
    () =>
      Effect.gen(function* () {
        const slot = yield* call("getSlot", { commitment: "processed" })
        assert.strictEqual(yield* call("getMaxRetransmitSlot"), slot)
        assert.strictEqual(yield* call("getMaxShredInsertSlot"), slot)
        assert.deepStrictEqual(yield* call("getBlockCommitment", 0), { commitment: null, totalStake: 0 })
        assert.strictEqual((yield* refusalOf("getHighestSnapshotSlot")).code, -32008)
        assert.isNull(yield* call("getAgGenesisCert"))
      })
  )

  it.effect("getBlocksWithLimit: the first blocks from a slot", () =>
    Effect.gen(function* () {
      yield* payer
      assert.deepStrictEqual(yield* call("getBlocksWithLimit", 0, 2), [0, 1])
      assert.deepStrictEqual(yield* call("getBlocksWithLimit", 0, 0), [])
      assert.strictEqual((yield* refusalOf("getBlocksWithLimit", 0, 500_001)).code, INVALID_PARAMS)
    })
  )

  it.effect("getLargestAccounts: at most 20, richest first, the faucet among them", () =>
    Effect.gen(function* () {
      yield* payer
      const largest = yield* value("getLargestAccounts")
      assert.isArray(largest)
      const balances = [largest].flat().map((account) => Number(field(account, "lamports")))
      assert.isAtMost(balances.length, 20)
      assert.deepStrictEqual(
        balances,
        balances.toSorted((left, right) => right - left)
      )
      assert.strictEqual(field(largest, 0, "address"), yield* identity)
      assert.deepStrictEqual(yield* value("getLargestAccounts", { filter: "nonCirculating" }), [])
      assert.strictEqual((yield* refusalOf("getLargestAccounts", { filter: "all" })).code, INVALID_PARAMS)
    })
  )

  it.effect(
    "getFeeCalculatorForBlockhash and getStakeActivation: -32601, as the node's client does not know them",
    () =>
      Effect.gen(function* () {
        assert.strictEqual((yield* refusalOf("getFeeCalculatorForBlockhash", "x")).code, -32601)
        assert.strictEqual((yield* refusalOf("getStakeActivation", "x")).code, -32601)
      })
  )

  it.effect("feature-set: not 0, which clients take for unknown", () =>
    Effect.gen(function* () {
      const set = Number(field(yield* call("getVersion"), "feature-set"))
      assert.isAbove(set, 0)
      assert.isBelow(set, 2 ** 32)
    })
  )

  it.effect("slots above 2^53: printed exactly", () =>
    Effect.gen(function* () {
      const { code, message } = yield* refusalOf("getBlockTime", 9_223_372_036_854_775_807n)
      assert.deepStrictEqual([code, message], [-32004, "Block not available for slot 9223372036854775807"])
      const block = yield* refusalOf("getBlock", 2n ** 64n - 1n)
      assert.strictEqual(block.message, "Block not available for slot 18446744073709551615")
    })
  )

  it.effect("wrong base64: the words of the node's decoder", () =>
    Effect.gen(function* () {
      const messages = yield* Effect.forEach(["someInvalidMessage", "a!", "aaaaa", "ab=="], (text) =>
        Effect.map(refusalOf("getFeeForMessage", text), ({ message }) => message)
      )
      assert.deepStrictEqual(messages, [
        "invalid base64 encoding: InvalidPadding",
        "invalid base64 encoding: InvalidByte(1, 33)",
        "invalid base64 encoding: InvalidLength(5)",
        "invalid base64 encoding: InvalidLastSymbol(1, 98)"
      ])
    })
  )

  it.effect("sysvars: rent-exempt amounts", () =>
    Effect.gen(function* () {
      const clock = "SysvarC1ock11111111111111111111111111111111"
      assert.strictEqual(yield* value("getBalance", clock), 1_169_280)
      const sysvars = yield* call("getProgramAccounts", "Sysvar1111111111111111111111111111111111111", {
        encoding: "base64"
      })
      for (const entry of [sysvars].flat()) {
        const minimum = yield* call("getMinimumBalanceForRentExemption", Number(field(entry, "account", "space")))
        assert.strictEqual(field(entry, "account", "lamports"), minimum)
      }
    })
  )

  it.effect("setAccount: executable and rentEpoch are kept, and an executable that does not load is refused", () =>
    Effect.gen(function* () {
      const cluster = yield* EmbeddedCluster.EmbeddedCluster
      const address = addressOf(Keypair.generate())
      const owner = addressOf(Keypair.generate())
      yield* cluster.setAccount({ address, lamports: SOL, owner, data: new Uint8Array(3), rentEpoch: 0n })
      assert.deepInclude(yield* value("getAccountInfo", address), { rentEpoch: 0, executable: false })
      const program = "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr"
      const loader = field(yield* value("getAccountInfo", program, { encoding: "base64" }), "owner")
      const data = Buffer.from(
        String(field(yield* value("getAccountInfo", program, { encoding: "base64" }), "data", 0)),
        "base64"
      )
      const image = { address: addressOf(Keypair.generate()), lamports: SOL, executable: true, rentEpoch: 7n }
      yield* cluster.setAccount({ ...image, owner: Addresses.known(String(loader)), data })
      assert.deepInclude(yield* value("getAccountInfo", image.address, { encoding: "base64" }), {
        executable: true,
        rentEpoch: 7
      })
      const bad = addressOf(Keypair.generate())
      const refused = yield* Effect.flip(
        cluster.setAccount({
          ...image,
          address: bad,
          owner: Addresses.known(String(loader)),
          data: data.subarray(0, 100)
        })
      )
      assert.strictEqual(refused.field, "account")
      assert.isNull(yield* value("getAccountInfo", bad))
      yield* cluster.setAccount({ address: bad, lamports: 1n, owner, data: new Uint8Array(1) })
    })
  )
})
