/** Conformance of the embedded cluster: accounts, statuses, the ledger and wrong parameters. */
import { assert, type Vitest } from "@effect/vitest"
import { lamports } from "@solana/kit"
import { Keypair, SystemProgram } from "@solana/web3.js"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as RpcPool from "../../../services/RpcPool.js"
import { PROGRAM_ID } from "../../../src/protocol/Program.js"
import * as Signature from "../../../src/solana/Signature.js"
import { addressOf, funded, refusal, send, SOL, transfer } from "../support.js"

const pool = RpcPool.RpcPool

export const reads = (it: Vitest.MethodsNonLive<RpcPool.RpcPool, true>): void => {
  it.effect("Given an airdrop, When it is looked up everywhere, Then balance, status, history and block agree", () =>
    Effect.gen(function* () {
      const rpc = yield* pool
      const address = addressOf(Keypair.generate())
      const signature = yield* rpc.requestAirdrop(address, lamports(3n * SOL))
      assert.strictEqual((yield* rpc.getBalance(address)).value, 3n * SOL)
      const [status] = (yield* rpc.getSignatureStatuses([signature])).value
      const { slot, err, confirmationStatus } = Option.getOrThrow(status ?? Option.none())
      assert.isNull(err)
      assert.deepStrictEqual(confirmationStatus, Option.some("finalized"))
      const [newest] = yield* rpc.getSignaturesForAddress(address)
      assert.strictEqual(newest?.signature, signature)
      const transaction = Option.getOrThrow(yield* rpc.getTransaction(signature))
      assert.strictEqual(transaction.slot, slot)
      const meta = Option.getOrThrow(transaction.meta)
      assert.strictEqual(meta.fee, 5000n)
      assert.deepStrictEqual([meta.preBalances[1], meta.postBalances[1]], [0n, 3n * SOL])
      const block = Option.getOrThrow(yield* rpc.getBlock(slot))
      assert.deepStrictEqual(
        block.transactions.map(({ wire }) => Signature.fromBytes(wire, 1)),
        [signature]
      )
      const signatures = Option.getOrThrow(yield* rpc.getBlock(slot, { transactionDetails: "signatures" }))
      assert.deepStrictEqual(signatures.signatures, [signature])
      assert.deepStrictEqual(yield* rpc.getBlockTime(slot), block.blockTime)
      assert.include(yield* rpc.getBlocks(slot - 1n, slot), slot)
    })
  )

  it.effect("Given the node, When asked about itself, Then it answers", () =>
    Effect.gen(function* () {
      const rpc = yield* pool
      assert.strictEqual(yield* rpc.getHealth, "ok")
      assert.strictEqual((yield* rpc.getVersion).solanaCore, "4.2.0")
      assert.lengthOf(yield* rpc.getIdentity, (yield* rpc.getIdentity).length)
      assert.strictEqual(yield* rpc.getFirstAvailableBlock, 0n)
      assert.strictEqual(yield* rpc.minimumLedgerSlot, 0n)
      assert.strictEqual(Option.getOrThrow(yield* rpc.getBlock(0n)).blockhash, yield* rpc.getGenesisHash)
      assert.strictEqual((yield* rpc.getEpochSchedule).slotsPerEpoch, 432_000n)
      assert.isAtMost(Number(yield* rpc.getSlot()), Number((yield* rpc.getEpochInfo()).absoluteSlot))
      assert.isAbove(Number((yield* rpc.getSupply()).value.total), 0)
      assert.isAtLeast(Number(yield* rpc.getTransactionCount()), 0)
      assert.isArray(yield* rpc.getRecentPerformanceSamples())
      assert.isNotEmpty(yield* rpc.getRecentPrioritizationFees())
      assert.strictEqual(yield* rpc.getMinimumBalanceForRentExemption(100), 228n * 6960n)
      const program = Option.getOrThrow(
        (yield* rpc.getAccountInfo(PROGRAM_ID, { dataSlice: { offset: 0, length: 4 } })).value
      )
      assert.isTrue(program.executable)
    })
  )

  it.effect("Given accounts of a program, When filtered, sliced and missing, Then only what matches is answered", () =>
    Effect.gen(function* () {
      const rpc = yield* pool
      const payer = yield* funded()
      const program = Keypair.generate().publicKey
      const keys = [Keypair.generate(), Keypair.generate(), Keypair.generate()]
      for (const [index, key] of keys.entries()) {
        yield* send(
          [payer, key],
          SystemProgram.createAccount({
            fromPubkey: payer.publicKey,
            newAccountPubkey: key.publicKey,
            lamports: 2_000_000,
            space: index === 0 ? 8 : 16,
            programId: program
          })
        )
      }
      const all = (yield* rpc.getProgramAccounts(addressOf(program))).value
      assert.sameMembers(
        all.map(({ address }) => address),
        keys.map(addressOf)
      )
      const sized = yield* rpc.getProgramAccounts(addressOf(program), {
        filters: [{ dataSize: 16 }, { memcmp: { offset: 8, bytes: new Uint8Array(8) } }],
        dataSlice: { offset: 0, length: 2 }
      })
      assert.lengthOf(sized.value, 2)
      assert.deepStrictEqual(
        sized.value.map(({ data, space }) => [data.length, space]),
        [
          [2, 16n],
          [2, 16n]
        ]
      )
      const none = yield* rpc.getProgramAccounts(addressOf(program), {
        filters: [{ memcmp: { offset: 0, bytes: Uint8Array.of(1) } }]
      })
      assert.isEmpty(none.value)
      const [first, missing] = keys
      assert.isDefined(first)
      assert.isDefined(missing)
      const absent = addressOf(Keypair.generate())
      const many = yield* rpc.getMultipleAccounts([...keys.map(addressOf), absent])
      assert.deepStrictEqual(many.value.map(Option.isSome), [true, true, true, false])
      assert.deepInclude(
        yield* refusal(rpc.request("getMultipleAccounts", [Array.from({ length: 101 }, () => absent)])),
        {
          code: -32602,
          detail: "Too many inputs provided; max 100"
        }
      )
      const tooLong = yield* refusal(rpc.request("getAccountInfo", [PROGRAM_ID, { encoding: "jsonParse" }]))
      assert.strictEqual(tooLong.code, -32602)
      const base58 = yield* refusal(
        rpc.request("getProgramAccounts", ["Sysvar1111111111111111111111111111111111111", { encoding: "base58" }])
      )
      assert.strictEqual(base58.code, -32600)
    })
  )

  it.effect("Given wrong parameters, When called, Then the codes and messages are a node's", () =>
    Effect.gen(function* () {
      const rpc = yield* pool
      const cases: ReadonlyArray<readonly [string, ReadonlyArray<unknown>, number, RegExp]> = [
        ["nonsense", [], -32601, /^Method not found$/],
        ["constructor", [], -32601, /^Method not found$/],
        ["getBalance", [], -32602, /should have at least 1 argument/],
        ["getBalance", ["short"], -32602, /^Invalid param: WrongSize$/],
        ["getBalance", ["0".repeat(44)], -32602, /^Invalid param: Invalid$/],
        ["getBalance", [{}], -32602, /^Invalid params: /],
        ["getBalance", [PROGRAM_ID, { commitment: "soon" }], -32602, /^Invalid params: /],
        ["getSlot", [{ minContextSlot: 4_000_000_000 }], -32016, /^Minimum context slot has not been reached$/],
        ["getBlock", [4_000_000_000], -32004, /^Block not available for slot 4000000000$/],
        ["getBlock", [0, { commitment: "processed" }], -32602, /does not support commitment below/],
        ["getSignatureStatuses", [Array.from({ length: 257 }, () => "1")], -32602, /max 256/],
        ["getSignaturesForAddress", [PROGRAM_ID, { limit: 1001 }], -32602, /^Invalid limit; max 1000$/],
        ["sendTransaction", ["0"], -32602, /^invalid base58 encoding/],
        ["sendTransaction", ["*", { encoding: "base64" }], -32602, /^invalid base64 encoding/],
        [
          "getProgramAccounts",
          [PROGRAM_ID, { filters: Array.from({ length: 5 }, () => ({ dataSize: 1 })) }],
          -32602,
          /max 4/
        ]
      ]
      for (const [method, params, code, message] of cases) {
        const error = yield* refusal(rpc.request(method, params))
        assert.strictEqual(error.code, code, method)
        assert.match(error.detail, message, method)
      }
    })
  )

  it.effect("Given several calls in an array, When one is wrong, Then the others are answered in order", () =>
    Effect.gen(function* () {
      const rpc = yield* pool
      const answers = yield* rpc.batch([
        { method: "getHealth", params: [] },
        { method: "nonsense", params: [] },
        { method: "getFirstAvailableBlock", params: [] }
      ])
      assert.deepStrictEqual(answers.map(Either.isRight), [true, false, true])
      assert.deepStrictEqual(answers[0], Either.right("ok"))
    })
  )

  it.effect("Given a ledger, When statuses in it are read, Then they come with the slot where it begins", () =>
    Effect.gen(function* () {
      const rpc = yield* pool
      const payer = yield* funded()
      const signature = yield* send([payer], transfer(payer, payer.publicKey, 1n))
      const { firstSlot, slot, value } = yield* rpc.getLedgerStatuses([signature])
      assert.isTrue(firstSlot <= slot)
      assert.deepStrictEqual(value.map(Option.isSome), [true])
    })
  )

  it.effect("Given a history, When paged, Then before, until and limit cut it", () =>
    Effect.gen(function* () {
      const rpc = yield* pool
      const payer = yield* funded()
      const sent = yield* Effect.forEach([1n, 2n, 3n, 4n], (amount) =>
        send([payer], transfer(payer, payer.publicKey, amount))
      )
      const [one, two, three, four] = sent
      assert.isDefined(one)
      assert.isDefined(four)
      const signatures = (options: RpcPool.HistoryOptions) =>
        Effect.map(rpc.getSignaturesForAddress(addressOf(payer), options), (page) =>
          page.map(({ signature }) => signature)
        )
      assert.deepStrictEqual(yield* signatures({ limit: 4 }), [four, three, two, one])
      assert.deepStrictEqual(yield* signatures({ before: four, until: one }), [three, two])
      assert.deepStrictEqual(yield* signatures({ before: four, limit: 1 }), [three])
    })
  )
}
