import { assert, describe, it } from "@effect/vitest"
import { type Commitment, lamports } from "@solana/kit"
import { Keypair, SYSVAR_CLOCK_PUBKEY } from "@solana/web3.js"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as EmbeddedCluster from "../../layers/EmbeddedCluster.js"
import * as RpcPoolEmbedded from "../../layers/RpcPoolEmbedded.js"
import * as RpcPool from "../../services/RpcPool.js"
import { addressOf, send, signedNow, SOL, transfer } from "./support.js"

const cluster = RpcPoolEmbedded.layer.pipe(
  Layer.provideMerge(EmbeddedCluster.layer({ blockMode: "interval", genesisTime: 1_700_000_000n, podProgram: false }))
)

const slots = (count: number) => TestClock.adjust(400 * count)

const slotAt = (commitment: Commitment) => Effect.flatMap(RpcPool.RpcPool, (rpc) => rpc.getSlot({ commitment }))

const throwing = () => {
  throw new Error("of the application")
}

const balanceAt = (key: Keypair, commitment: Commitment) =>
  Effect.flatMap(RpcPool.RpcPool, (rpc) =>
    Effect.map(rpc.getBalance(addressOf(key), { commitment }), ({ value }) => value)
  )

describe("interval mode", () => {
  it.effect("Given 100 slots of time, When asked, Then the commitments lag 1 and 32 slots and the clock moved", () =>
    Effect.gen(function* () {
      yield* slots(100)
      assert.strictEqual(yield* slotAt("processed"), 101n)
      assert.strictEqual(yield* slotAt("confirmed"), 100n)
      assert.strictEqual(yield* slotAt("finalized"), 69n)
      const rpc = yield* RpcPool.RpcPool
      const { value } = yield* rpc.getAccountInfo(addressOf(SYSVAR_CLOCK_PUBKEY), { commitment: "processed" })
      const view = new DataView(Option.getOrThrow(value).data.slice().buffer)
      assert.strictEqual(view.getBigUint64(0, true), 101n)
      assert.strictEqual(view.getBigInt64(32, true), 1_700_000_040n)
      const old = yield* rpc.getAccountInfo(addressOf(SYSVAR_CLOCK_PUBKEY), { commitment: "finalized" })
      assert.strictEqual(new DataView(Option.getOrThrow(old.value).data.slice().buffer).getBigUint64(0, true), 69n)
      assert.deepStrictEqual(yield* rpc.getBlockTime(50n), Option.some(1_700_000_019n))
    }).pipe(Effect.provide(cluster))
  )

  it.effect("Given a transfer, When slots pass, Then balances and status reach one commitment after another", () =>
    Effect.gen(function* () {
      const rpc = yield* RpcPool.RpcPool
      const [payer, to] = [Keypair.generate(), Keypair.generate()]
      yield* rpc.requestAirdrop(addressOf(payer), lamports(10n * SOL))
      yield* slots(40)
      const signature = yield* send([payer], transfer(payer, to.publicKey, SOL))
      const status = Effect.map(rpc.getSignatureStatuses([signature]), ({ value: [status] }) => {
        const { confirmations, confirmationStatus } = Option.getOrThrow(status ?? Option.none())
        return [Option.getOrNull(confirmationStatus), Option.getOrNull(confirmations)]
      })
      const balances = Effect.all([balanceAt(to, "processed"), balanceAt(to, "confirmed"), balanceAt(to, "finalized")])
      assert.deepStrictEqual(yield* status, ["processed", 0n])
      assert.deepStrictEqual(yield* balances, [SOL, 0n, 0n])
      assert.isTrue(Option.isNone(yield* rpc.getTransaction(signature, { commitment: "confirmed" })))
      yield* slots(1)
      assert.deepStrictEqual(yield* status, ["confirmed", 1n])
      assert.deepStrictEqual(yield* balances, [SOL, SOL, 0n])
      assert.isTrue(Option.isSome(yield* rpc.getTransaction(signature, { commitment: "confirmed" })))
      assert.isTrue(Option.isNone(yield* rpc.getTransaction(signature, { commitment: "finalized" })))
      yield* slots(30)
      assert.deepStrictEqual(yield* status, ["confirmed", 31n])
      assert.deepStrictEqual(yield* balances, [SOL, SOL, 0n])
      yield* slots(1)
      assert.deepStrictEqual(yield* status, ["finalized", null])
      assert.deepStrictEqual(yield* balances, [SOL, SOL, SOL])
    }).pipe(Effect.provide(cluster))
  )

  it.effect("Given an older bank, When a transaction is preflighted there, Then it sees that bank's accounts", () =>
    Effect.gen(function* () {
      const rpc = yield* RpcPool.RpcPool
      const payer = Keypair.generate()
      yield* slots(40)
      const { value } = yield* rpc.getLatestBlockhash({ commitment: "finalized" })
      yield* rpc.requestAirdrop(addressOf(payer), lamports(10n * SOL))
      const wire = yield* signedNow([payer], transfer(payer, payer.publicKey, 1n))
      assert.notStrictEqual(
        value.blockhash,
        (yield* rpc.getLatestBlockhash({ commitment: "processed" })).value.blockhash
      )
      const early = yield* Effect.flip(rpc.sendTransaction(wire, { preflightCommitment: "finalized" }))
      assert.deepNestedInclude(early, { "data.err": "BlockhashNotFound" })
      const simulated = yield* rpc.simulateTransaction(wire, { commitment: "finalized", replaceRecentBlockhash: true })
      assert.strictEqual(simulated.value.err, "AccountNotFound")
      assert.strictEqual(yield* balanceAt(payer, "processed"), 10n * SOL)
      yield* rpc.sendTransaction(wire, { preflightCommitment: "processed" })
    }).pipe(Effect.provide(cluster))
  )

  it.effect("Given a blockhash, When 150 blocks have passed, Then it is valid for the last time", () =>
    Effect.gen(function* () {
      const rpc = yield* RpcPool.RpcPool
      const payer = Keypair.generate()
      yield* rpc.requestAirdrop(addressOf(payer), lamports(10n * SOL))
      const { value } = yield* rpc.getLatestBlockhash({ commitment: "processed" })
      const wire = yield* signedNow([payer], transfer(payer, payer.publicKey, 1n))
      const height = yield* rpc.getBlockHeight({ commitment: "processed" })
      yield* slots(Number(value.lastValidBlockHeight - height))
      const isValid = Effect.map(
        rpc.isBlockhashValid(value.blockhash, { commitment: "processed" }),
        ({ value }) => value
      )
      assert.isTrue(yield* isValid)
      yield* slots(1)
      assert.isFalse(yield* isValid)
      const late = yield* Effect.flip(rpc.sendTransaction(wire, { preflightCommitment: "processed" }))
      assert.deepNestedInclude(late, { "data.err": "BlockhashNotFound" })
    }).pipe(Effect.provide(cluster))
  )

  it.effect("Given equal airdrops in one slot, When they land, Then both count", () =>
    Effect.gen(function* () {
      const rpc = yield* RpcPool.RpcPool
      const key = Keypair.generate()
      yield* rpc.requestAirdrop(addressOf(key), lamports(SOL))
      yield* rpc.requestAirdrop(addressOf(key), lamports(SOL))
      assert.strictEqual(yield* balanceAt(key, "processed"), 2n * SOL)
      yield* slots(1)
      const block = Option.getOrThrow(yield* rpc.getBlock(1n, { commitment: "confirmed" }))
      assert.lengthOf(block.transactions, 2)
    }).pipe(Effect.provide(cluster))
  )

  it.effect(
    "Given slots that are skipped, When a transfer before them is finalized, Then not before, and it is heard",
    () =>
      Effect.gen(function* () {
        const rpc = yield* RpcPool.RpcPool
        const { expireBlockhashes } = yield* EmbeddedCluster.EmbeddedCluster
        const key = Keypair.generate()
        yield* slots(40)
        const heard = yield* Effect.fork(
          Stream.runHead(rpc.accountSubscribe(addressOf(key), { commitment: "finalized" }))
        )
        yield* Effect.yieldNow()
        yield* TestClock.adjust(1)
        yield* rpc.requestAirdrop(addressOf(key), lamports(SOL))
        yield* expireBlockhashes
        assert.strictEqual(yield* balanceAt(key, "processed"), SOL)
        assert.strictEqual(yield* balanceAt(key, "finalized"), 0n)
        yield* slots(32)
        assert.strictEqual(yield* balanceAt(key, "finalized"), SOL)
        assert.strictEqual(Option.getOrThrow(yield* Fiber.join(heard)).value.lamports, SOL)
      }).pipe(Effect.provide(cluster))
  )

  it.effect("Given a listener that throws, When slots pass and a transfer lands, Then only its subscription ends", () =>
    Effect.gen(function* () {
      const { activity, listen } = yield* EmbeddedCluster.EmbeddedCluster
      const key = Keypair.generate()
      const heard: Array<unknown> = []
      for (const sink of [throwing, (result: unknown) => heard.push(result)]) {
        yield* listen("slot", [], sink)
        yield* listen("account", [addressOf(key), { commitment: "processed" }], sink)
      }
      yield* slots(5)
      yield* Effect.flatMap(RpcPool.RpcPool, (rpc) => rpc.requestAirdrop(addressOf(key), lamports(SOL)))
      assert.strictEqual(yield* slotAt("processed"), 6n)
      assert.lengthOf(heard, 5 + 1)
      assert.strictEqual((yield* activity).subscriptions, 2)
    }).pipe(Effect.provide(cluster))
  )

  it.effect(
    "Given subscriptions at each commitment, When a transfer lands, Then each is notified in the slot of its commitment",
    () =>
      Effect.gen(function* () {
        const rpc = yield* RpcPool.RpcPool
        const key = Keypair.generate()
        const heardAt = (commitment: Commitment) =>
          Effect.fork(
            rpc.accountSubscribe(addressOf(key), { commitment }).pipe(
              Stream.take(1),
              Stream.runHead,
              Effect.flatMap(() => slotAt("processed"))
            )
          )
        const fibers = yield* Effect.all([heardAt("processed"), heardAt("confirmed"), heardAt("finalized")])
        const roots = yield* Effect.fork(Stream.runCollect(Stream.take(rpc.rootSubscribe, 2)))
        yield* Effect.yieldNow()
        yield* TestClock.adjust(10)
        const landed = yield* slotAt("processed")
        yield* rpc.requestAirdrop(addressOf(key), lamports(SOL))
        yield* Effect.forEach(Array.from({ length: 40 }), () => slots(1), { discard: true })
        const slotsHeard = yield* Fiber.join(Fiber.all(fibers))
        assert.deepStrictEqual(slotsHeard, [landed, landed + 1n, landed + 32n])
        assert.deepStrictEqual(Array.from(yield* Fiber.join(roots)), [1n, 2n])
      }).pipe(Effect.provide(cluster))
  )
})
