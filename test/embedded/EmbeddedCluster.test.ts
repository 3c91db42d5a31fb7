import { assert, describe, it } from "@effect/vitest"
import { lamports } from "@solana/kit"
import { ComputeBudgetProgram, Keypair, SystemProgram, TransactionInstruction } from "@solana/web3.js"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as EmbeddedSysvar from "../../layers/embedded/chain/Sysvars.js"
import * as Errors from "../../layers/embedded/chain/TransactionErrors.js"
import type { Options } from "../../layers/embedded/Options.js"
import * as EmbeddedCluster from "../../layers/EmbeddedCluster.js"
import * as RpcPoolEmbedded from "../../layers/RpcPoolEmbedded.js"
import * as RpcPool from "../../services/RpcPool.js"
import { COMPRESSION_PROGRAM } from "../../src/protocol/Program.js"
import * as Blockhash from "../../src/solana/Blockhash.js"
import { runs } from "../support/runs.js"
import { addressOf, funded, send, signed, signedNow, SOL, transfer } from "./support.js"

const cluster = (options: Options = {}) =>
  RpcPoolEmbedded.layer.pipe(Layer.provideMerge(EmbeddedCluster.layer({ podProgram: false, ...options })))

const SYSTEM_PROGRAM = addressOf(SystemProgram.programId)

describe("EmbeddedCluster", () => {
  it.effect(
    "Given a snapshot, When it is restored after changes, Then accounts, slots and history are those of the snapshot",
    () =>
      Effect.gen(function* () {
        const { snapshot, restore } = yield* EmbeddedCluster.EmbeddedCluster
        const rpc = yield* RpcPool.RpcPool
        const payer = yield* funded()
        const taken = yield* snapshot
        const wire = yield* signedNow([payer], transfer(payer, Keypair.generate().publicKey, SOL))
        const signature = yield* rpc.sendTransaction(wire)
        assert.strictEqual(yield* rpc.getSlot(), taken.slot + 1n)
        yield* restore(taken)
        assert.strictEqual(yield* rpc.getSlot(), taken.slot)
        assert.strictEqual((yield* rpc.getBalance(addressOf(payer))).value, 10n * SOL)
        assert.isTrue(Option.isNone(yield* rpc.getTransaction(signature)))
        assert.strictEqual(yield* rpc.sendTransaction(wire), signature)
        yield* restore(taken)
        assert.strictEqual(yield* rpc.sendTransaction(wire), signature)
      }).pipe(Effect.provide(cluster()))
  )

  it.effect("Given a snapshot of another cluster, When restored, Then it is refused", () =>
    Effect.gen(function* () {
      const { snapshot } = yield* EmbeddedCluster.make({ podProgram: false })
      const { restore } = yield* EmbeddedCluster.make({ podProgram: false })
      const error = yield* Effect.flip(restore(yield* snapshot))
      assert.strictEqual(error.field, "snapshot")
    }).pipe(Effect.scoped)
  )

  it.effect("Given cheats, When accounts, time, slots and blockhashes are moved, Then the chain shows it", () =>
    Effect.gen(function* () {
      const cheats = yield* EmbeddedCluster.EmbeddedCluster
      const rpc = yield* RpcPool.RpcPool
      const address = addressOf(Keypair.generate())
      const owner = addressOf(Keypair.generate())
      assert.isEmpty((yield* rpc.getProgramAccounts(owner)).value)
      yield* cheats.setAccount({ address, owner, lamports: 7n, data: Uint8Array.of(1, 2) })
      const [account] = (yield* rpc.getProgramAccounts(owner)).value
      assert.deepInclude(account, { address, owner, lamports: lamports(7n), executable: false, space: 2n })
      yield* cheats.setAccount({ address, owner, lamports: 0n, data: new Uint8Array(0) })
      assert.isTrue(Option.isNone((yield* rpc.getAccountInfo(address)).value))
      assert.isEmpty((yield* rpc.getProgramAccounts(owner)).value)

      const slot = yield* rpc.getSlot()
      yield* cheats.advanceTime("1 hour")
      yield* cheats.advanceSlots(5)
      assert.strictEqual(yield* rpc.getSlot(), slot + 5n)
      assert.deepStrictEqual(yield* rpc.getBlockTime(slot + 5n), Option.some(3600n))
      yield* TestClock.adjust("10 seconds")
      const payer = yield* funded()
      assert.deepStrictEqual(yield* rpc.getBlockTime(yield* rpc.getSlot()), Option.some(3610n))

      const wire = yield* signedNow([payer], transfer(payer, payer.publicKey, 1n))
      yield* cheats.expireBlockhashes
      assert.deepNestedInclude(yield* Effect.flip(rpc.sendTransaction(wire)), { "data.err": "BlockhashNotFound" })
      yield* send([payer], transfer(payer, payer.publicKey, 1n))
      assert.strictEqual((yield* Effect.flip(cheats.advanceSlots(-1))).field, "count")
      assert.strictEqual((yield* Effect.flip(cheats.advanceSlots(2 ** 52))).field, "count")
      assert.strictEqual((yield* Effect.flip(cheats.airdrop(address, -1n))).field, "lamports")
      assert.strictEqual((yield* Effect.flip(cheats.airdrop(address, 2n ** 63n))).field, "lamports")
      const clock = yield* Effect.flip(
        cheats.setAccount({
          address: EmbeddedSysvar.CLOCK,
          owner: SYSTEM_PROGRAM,
          lamports: 1n,
          data: new Uint8Array(3)
        })
      )
      assert.strictEqual(clock.field, "account")
    }).pipe(Effect.provide(cluster({ genesisTime: 0n })))
  )

  it.effect(
    "Given bytes that are no program, When they are added, Then a typed error comes and the cluster continues",
    () =>
      Effect.gen(function* () {
        const cheats = yield* EmbeddedCluster.EmbeddedCluster
        const address = addressOf(Keypair.generate())
        const error = yield* Effect.flip(cheats.addProgram(address, new Uint8Array(100)))
        assert.strictEqual(error.reason, "ProgramInvalid")
        yield* cheats.setAccount({ address, owner: SYSTEM_PROGRAM, lamports: SOL, data: new Uint8Array(0) })
        const start = yield* Effect.flip(
          Effect.scoped(EmbeddedCluster.make({ podProgram: false, programs: [{ address, elf: Uint8Array.of(1) }] }))
        )
        assert.strictEqual(start._tag === "EmbeddedClusterError" ? start.reason : start._tag, "ProgramInvalid")
      }).pipe(Effect.provide(cluster()))
  )

  it.effect("Given options out of range, When started, Then each is refused by name", () =>
    Effect.gen(function* () {
      for (const [field, options] of [
        ["slotDuration", { slotDuration: 0 }],
        ["genesisTime", { genesisTime: -1n }],
        ["maxBlocks", { maxBlocks: 0 }],
        ["blockhashLifetime", { blockhashLifetime: 1.5 }],
        ["faucetLamports", { faucetLamports: 2n ** 64n }]
      ] as const) {
        const error = yield* Effect.flip(Effect.scoped(EmbeddedCluster.make(options)))
        assert.strictEqual(error._tag === "InvalidInput" ? error.field : error._tag, field)
      }
    })
  )

  it.effect("Given the PoD program, When it starts, Then the compression program is executable too", () =>
    Effect.gen(function* () {
      const rpc = yield* RpcPool.RpcPool
      const { value } = yield* rpc.getAccountInfo(COMPRESSION_PROGRAM, { dataSlice: { offset: 0, length: 0 } })
      assert.isTrue(Option.getOrThrow(value).executable)
    }).pipe(Effect.provide(cluster({ podProgram: true })))
  )

  it.effect(
    "Given small bounds, When they are exceeded, Then the oldest entries are dropped and no transaction runs twice",
    () =>
      Effect.gen(function* () {
        const rpc = yield* RpcPool.RpcPool
        const payer = yield* funded(1000n * SOL)
        const { value } = yield* rpc.getLatestBlockhash()
        const wires = Array.from({ length: 12 }, (_, index) =>
          signed(value.blockhash, [payer], transfer(payer, payer.publicKey, BigInt(index + 1)))
        )
        const outcomes = yield* Effect.forEach(wires, (wire) => Effect.either(rpc.sendTransaction(wire)))
        const sent = outcomes.filter(({ _tag }) => _tag === "Right").length
        const first = wires[0]
        assert.isDefined(first)
        const again = yield* Effect.flip(rpc.sendTransaction(first))
        assert.deepNestedInclude(again, { "data.err": "BlockhashNotFound" })
        assert.isAtLeast(sent, 5)
        assert.isAtMost((yield* rpc.getSignaturesForAddress(addressOf(payer))).length, 4)
        assert.isAtMost((yield* rpc.getBlocks(0n)).length, 5)
        const gone = yield* Effect.flip(rpc.getBlock(0n))
        assert.include(gone, { code: -32001 })
      }).pipe(Effect.provide(cluster({ maxBlocks: 5, maxTransactions: 4, maxStatuses: 6 })))
  )

  it.effect("Given a subscriber that does not read, When its queue is full, Then its Stream fails with Overflow", () =>
    Effect.gen(function* () {
      const cheats = yield* EmbeddedCluster.EmbeddedCluster
      const gate = yield* Effect.makeLatch(false)
      const reading = yield* cheats.subscribe("slot", []).pipe(
        Stream.tap(() => gate.await),
        Stream.runCollect,
        Effect.flip,
        Effect.fork
      )
      yield* Effect.yieldNow()
      yield* TestClock.adjust(1)
      yield* cheats.advanceSlots(100)
      yield* gate.open
      assert.strictEqual((yield* Fiber.join(reading)).reason, "Overflow")
    }).pipe(Effect.provide(cluster({ maxPendingNotifications: 8 })))
  )

  it.effect("Given 10,000 subscriptions, When a slot comes and they end, Then each got the slot and none is left", () =>
    Effect.gen(function* () {
      const cheats = yield* EmbeddedCluster.EmbeddedCluster
      let heard = 0
      const listening = yield* Effect.forEach(Array.from({ length: 10_000 }), () =>
        cheats.listen("slot", [], () => {
          heard += 1
        })
      )
      const refused = yield* Effect.flip(cheats.listen("slot", [], () => undefined))
      assert.strictEqual(refused.code, -32603)
      yield* cheats.advanceSlots(1)
      assert.strictEqual(heard, 10_000)
      listening.forEach(({ close }) => close())
      yield* cheats.advanceSlots(1)
      assert.strictEqual(heard, 10_000)
      yield* cheats.listen("slot", [], () => undefined)
    }).pipe(Effect.provide(cluster({ maxSubscriptions: 10_000 })))
  )

  it.effect("Given random transfers, When all balances and fees are summed, Then no lamport is lost or created", () =>
    Effect.gen(function* () {
      const rpc = yield* RpcPool.RpcPool
      const payer = yield* funded()
      const before = (yield* rpc.getSupply()).value.total
      const count = Math.min(runs(20), 200)
      yield* Effect.forEach(Array.from({ length: count }), (_, index) =>
        send([payer], transfer(payer, Keypair.generate().publicKey, 1_000_000n + BigInt(index)))
      )
      const after = (yield* rpc.getSupply()).value.total
      assert.strictEqual(before - after, 5000n * BigInt(count))
    }).pipe(Effect.provide(cluster()))
  )
})

const call = (
  programId: Keypair["publicKey"],
  bytes: ReadonlyArray<number>,
  keys: TransactionInstruction["keys"] = []
) => new TransactionInstruction({ programId, keys, data: Buffer.from(bytes) })

const instruction = (error: unknown) => ({ InstructionError: [0, error] })

describe("errors", () => {
  it.effect(
    "Given transactions that fail in each possible way, When they are simulated, Then err has the right name",
    () =>
      Effect.gen(function* () {
        const rpc = yield* RpcPool.RpcPool
        const payer = yield* funded()
        const poor = Keypair.generate()
        const nobody = Keypair.generate()
        const data = Keypair.generate()
        yield* send(
          [payer, data],
          SystemProgram.createAccount({
            fromPubkey: payer.publicKey,
            newAccountPubkey: data.publicKey,
            lamports: 2_000_000,
            space: 8,
            programId: nobody.publicKey
          })
        )
        yield* rpc.requestAirdrop(addressOf(poor), lamports(1_000_000n))
        const errOf = (signers: ReadonlyArray<Keypair>, ...instructions: ReadonlyArray<TransactionInstruction>) =>
          Effect.map(
            Effect.flatMap(signedNow(signers, ...instructions), (wire) => rpc.simulateTransaction(wire)),
            ({ value }) => value.err
          )
        assert.deepStrictEqual(yield* errOf([nobody], transfer(nobody, payer.publicKey, 1n)), "AccountNotFound")
        assert.deepStrictEqual(yield* errOf([payer], call(nobody.publicKey, [])), "ProgramAccountNotFound")
        assert.deepStrictEqual(yield* errOf([payer], call(data.publicKey, [])), "InvalidProgramForExecution")
        assert.deepStrictEqual(
          yield* errOf([payer], call(SystemProgram.programId, [99, 0, 0, 0])),
          instruction("InvalidInstructionData")
        )
        assert.deepStrictEqual(
          yield* errOf([payer], call(SystemProgram.programId, [2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0])),
          instruction("MissingAccount")
        )
        assert.deepStrictEqual(
          yield* errOf(
            [payer],
            call(
              SystemProgram.programId,
              [2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0],
              [
                { pubkey: poor.publicKey, isSigner: false, isWritable: true },
                { pubkey: payer.publicKey, isSigner: false, isWritable: true }
              ]
            )
          ),
          instruction("MissingRequiredSignature")
        )
        assert.deepStrictEqual(
          yield* errOf([payer, data], transfer(data, payer.publicKey, 1n)),
          instruction("InvalidArgument")
        )
        assert.deepStrictEqual(yield* errOf([payer], transfer(payer, Keypair.generate().publicKey, 1n)), {
          InsufficientFundsForRent: { account_index: 1 }
        })
        assert.deepStrictEqual(
          yield* errOf(
            [payer],
            ComputeBudgetProgram.setComputeUnitLimit({ units: 1 }),
            ComputeBudgetProgram.setComputeUnitLimit({ units: 1 })
          ),
          { DuplicateInstruction: 1 }
        )
        assert.deepStrictEqual(
          yield* errOf(
            [payer],
            ComputeBudgetProgram.setComputeUnitLimit({ units: 1 }),
            transfer(payer, payer.publicKey, 1n)
          ),
          { InstructionError: [0, "ComputationalBudgetExceeded"] }
        )
        assert.deepStrictEqual(
          yield* errOf(
            [poor],
            ComputeBudgetProgram.setComputeUnitPrice({ microLamports: 2n ** 60n }),
            transfer(poor, poor.publicKey, 1n)
          ),
          "InsufficientFundsForFee"
        )
        const foreign = signed(Blockhash.fromBytes(new Uint8Array(32)), [payer], transfer(payer, payer.publicKey, 1n))
        assert.strictEqual((yield* rpc.simulateTransaction(foreign)).value.err, "BlockhashNotFound")
      }).pipe(Effect.provide(cluster()))
  )

  it("Given the tables of errors, When they are counted, Then they have the length of the runtime's enums, without repetition", () => {
    assert.lengthOf(Errors.TRANSACTION_ERRORS, 35)
    assert.lengthOf(Errors.INSTRUCTION_ERRORS, 53)
    for (const table of [Errors.TRANSACTION_ERRORS, Errors.INSTRUCTION_ERRORS]) {
      assert.lengthOf(Array.from(new Set(table.map(([name]) => name))), table.length)
      assert.isTrue(table.every(([name, sentence]) => /^[A-Z][A-Za-z]+$/.test(name) && sentence.length > 0))
    }
    assert.strictEqual(
      Errors.describe({ InstructionError: [3, { Custom: 6001 }] }),
      "Error processing Instruction 3: custom program error: 0x1771"
    )
    assert.strictEqual(
      Errors.describe({ InstructionError: [0, "InvalidSeeds"] }),
      "Error processing Instruction 0: Provided seeds do not result in a valid address"
    )
  })
})
