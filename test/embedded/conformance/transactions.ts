/** Conformance of the embedded cluster: preflight, execution, fees, nonces and lookup tables. */
import { assert, type Vitest } from "@effect/vitest"
import { lamports } from "@solana/kit"
import {
  AddressLookupTableProgram,
  ComputeBudgetProgram,
  Keypair,
  NONCE_ACCOUNT_LENGTH,
  SystemProgram,
  TransactionMessage,
  VersionedTransaction
} from "@solana/web3.js"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as RpcPool from "../../../services/RpcPool.js"
import * as Base64 from "../../../src/solana/Base64.js"
import * as Blockhash from "../../../src/solana/Blockhash.js"
import { addressOf, funded, messageOf, refusal, send, signed, signedNow, SOL, transfer } from "../support.js"

const pool = RpcPool.RpcPool

export const transactions = (it: Vitest.MethodsNonLive<RpcPool.RpcPool, true>): void => {
  it.effect(
    "Given a transfer that must fail, When preflighted, Then -32002 with the simulation, and nothing paid",
    () =>
      Effect.gen(function* () {
        const rpc = yield* pool
        const payer = yield* funded(SOL)
        const error = yield* refusal(send([payer], transfer(payer, Keypair.generate().publicKey, 5n * SOL)))
        assert.strictEqual(error.code, -32002)
        assert.strictEqual(
          error.detail,
          "Transaction simulation failed: Error processing Instruction 0: custom program error: 0x1"
        )
        assert.deepInclude(error.data, {
          err: { InstructionError: [0, { Custom: 1 }] },
          unitsConsumed: 150,
          accounts: null,
          innerInstructions: null,
          returnData: null
        })
        assert.strictEqual((yield* rpc.getBalance(addressOf(payer))).value, SOL)
      })
  )

  it.effect("Given the same without preflight, When sent, Then it lands, pays its fee and has its err", () =>
    Effect.gen(function* () {
      const rpc = yield* pool
      const payer = yield* funded(SOL)
      const wire = yield* signedNow([payer], transfer(payer, Keypair.generate().publicKey, 5n * SOL))
      const signature = yield* rpc.sendTransaction(wire, { skipPreflight: true, maxRetries: 0 })
      const [status] = (yield* rpc.getSignatureStatuses([signature])).value
      assert.deepStrictEqual(Option.getOrThrow(status ?? Option.none()).err, { InstructionError: [0, { Custom: 1 }] })
      assert.strictEqual((yield* rpc.getBalance(addressOf(payer))).value, SOL - 5000n)
      const meta = Option.getOrThrow(Option.getOrThrow(yield* rpc.getTransaction(signature)).meta)
      assert.strictEqual(meta.fee, 5000n)
      assert.strictEqual(meta.logs.at(-1), "Program 11111111111111111111111111111111 failed: custom program error: 0x1")
    })
  )

  it.effect("Given a landed transaction, When sent again, Then preflight says so and the bare send its signature", () =>
    Effect.gen(function* () {
      const rpc = yield* pool
      const payer = yield* funded()
      const to = Keypair.generate().publicKey
      const wire = yield* signedNow([payer], transfer(payer, to, SOL))
      const signature = yield* rpc.sendTransaction(wire)
      const again = yield* refusal(rpc.sendTransaction(wire))
      assert.strictEqual(again.code, -32002)
      assert.deepInclude(again.data, { err: "AlreadyProcessed", logs: [] })
      assert.strictEqual(yield* rpc.sendTransaction(wire, { skipPreflight: true }), signature)
      assert.strictEqual((yield* rpc.simulateTransaction(wire)).value.err, "AlreadyProcessed")
      assert.strictEqual((yield* rpc.getBalance(addressOf(to))).value, SOL)
    })
  )

  it.effect("Given transactions that are wrong, When sent, Then each is refused as a node refuses it", () =>
    Effect.gen(function* () {
      const rpc = yield* pool
      const payer = yield* funded()
      const good = yield* signedNow([payer], transfer(payer, Keypair.generate().publicKey, SOL))
      const badSignature = Uint8Array.from(good)
      badSignature[10] = (badSignature[10] ?? 0) ^ 1
      const unsigned = yield* refusal(rpc.sendTransaction(badSignature))
      assert.strictEqual(unsigned.code, -32002)
      assert.include(unsigned.data, { err: "SignatureFailure" })
      for (const broken of [good.subarray(0, -1), Uint8Array.of(...good, 0), new Uint8Array(0)]) {
        const error = yield* refusal(rpc.sendTransaction(broken))
        assert.strictEqual(error.code, -32602)
        assert.match(error.detail, /^failed to deserialize/)
      }
      const tooLarge = yield* refusal(
        rpc.request("sendTransaction", [Base64.encode(new Uint8Array(1233)), { encoding: "base64" }])
      )
      assert.match(tooLarge.detail, /too large: 1233 bytes \(max: 1232 bytes\)|too large: 1644 bytes/)
      const sanitized = Uint8Array.from(good)
      sanitized[1 + 64] = 3
      assert.strictEqual((yield* refusal(rpc.sendTransaction(sanitized))).code, -32602)
      const unknown = signed(
        Blockhash.fromBytes(new Uint8Array(32).fill(9)),
        [payer],
        transfer(payer, payer.publicKey, 1n)
      )
      const expired = yield* refusal(rpc.sendTransaction(unknown))
      assert.strictEqual(expired.code, -32002)
      assert.strictEqual(expired.detail, "Transaction simulation failed: Blockhash not found")
      yield* rpc.sendTransaction(unknown, { skipPreflight: true })
      const poor = Keypair.generate()
      const unpaid = yield* refusal(send([poor], transfer(poor, payer.publicKey, 1n)))
      assert.deepInclude(unpaid.data, { err: "AccountNotFound" })
    })
  )

  it.effect(
    "Given a simulation, When asked for accounts and a new blockhash, Then it gives them and keeps nothing",
    () =>
      Effect.gen(function* () {
        const rpc = yield* pool
        const payer = yield* funded()
        const to = Keypair.generate().publicKey
        const stale = signed(Blockhash.fromBytes(new Uint8Array(32).fill(8)), [payer], transfer(payer, to, SOL))
        assert.strictEqual((yield* rpc.simulateTransaction(stale)).value.err, "BlockhashNotFound")
        const { value } = yield* rpc.simulateTransaction(stale, {
          replaceRecentBlockhash: true,
          accounts: [addressOf(to)]
        })
        assert.isNull(value.err)
        assert.deepStrictEqual(
          value.accounts.map((account) => Option.getOrThrow(account).lamports),
          [lamports(SOL)]
        )
        assert.isTrue(Option.isSome(value.replacementBlockhash))
        assert.strictEqual((yield* rpc.getBalance(addressOf(to))).value, 0n)
        const both = yield* refusal(rpc.simulateTransaction(stale, { replaceRecentBlockhash: true, sigVerify: true }))
        assert.strictEqual(both.detail, "sigVerify may not be used with replaceRecentBlockhash")
        const badSignature = Uint8Array.from(stale)
        badSignature[10] = (badSignature[10] ?? 0) ^ 1
        const verified = yield* rpc.simulateTransaction(badSignature, { sigVerify: true })
        assert.strictEqual(verified.value.err, "SignatureFailure")
      })
  )

  it.effect("Given a bid for compute units, When it lands, Then the fee is what getFeeForMessage said", () =>
    Effect.gen(function* () {
      const rpc = yield* pool
      const payer = yield* funded()
      for (const instructions of [
        [ComputeBudgetProgram.setComputeUnitPrice({ microLamports: 1_234_567 })],
        [
          ComputeBudgetProgram.setComputeUnitPrice({ microLamports: 7 }),
          ComputeBudgetProgram.setComputeUnitLimit({ units: 300_001 })
        ],
        []
      ]) {
        const wire = yield* signedNow([payer], ...instructions, transfer(payer, payer.publicKey, 1n))
        const quoted = Option.getOrThrow((yield* rpc.getFeeForMessage(messageOf(wire))).value)
        const signature = yield* rpc.sendTransaction(wire)
        const landed = Option.getOrThrow(yield* rpc.getTransaction(signature))
        assert.strictEqual(Option.getOrThrow(landed.meta).fee, quoted)
      }
      const unknown = signed(Blockhash.fromBytes(new Uint8Array(32)), [payer], transfer(payer, payer.publicKey, 1n))
      assert.isTrue(Option.isNone((yield* rpc.getFeeForMessage(messageOf(unknown))).value))
    })
  )

  it.effect("Given a durable nonce, When used twice, Then it works once, also for a transaction that fails", () =>
    Effect.gen(function* () {
      const rpc = yield* pool
      const payer = yield* funded()
      const nonce = Keypair.generate()
      yield* send(
        [payer, nonce],
        ...SystemProgram.createNonceAccount({
          fromPubkey: payer.publicKey,
          noncePubkey: nonce.publicKey,
          authorizedPubkey: payer.publicKey,
          lamports: 2_000_000
        }).instructions
      )
      const stored = Effect.map(rpc.getAccountInfo(addressOf(nonce)), ({ value }) => {
        const { data } = Option.getOrThrow(value)
        assert.lengthOf(data, NONCE_ACCOUNT_LENGTH)
        return Blockhash.fromBytes(data, 40)
      })
      const advance = SystemProgram.nonceAdvance({ noncePubkey: nonce.publicKey, authorizedPubkey: payer.publicKey })
      const to = Keypair.generate().publicKey
      const first = yield* stored
      const wire = signed(first, [payer], advance, transfer(payer, to, SOL))
      yield* rpc.sendTransaction(wire)
      assert.strictEqual((yield* rpc.getBalance(addressOf(to))).value, SOL)
      const second = yield* stored
      assert.notStrictEqual(second, first)
      assert.deepInclude((yield* refusal(rpc.sendTransaction(wire))).data, { err: "BlockhashNotFound" })
      const failing = signed(second, [payer], advance, transfer(payer, to, 1000n * SOL))
      const signature = yield* rpc.sendTransaction(failing, { skipPreflight: true })
      const [status] = (yield* rpc.getSignatureStatuses([signature])).value
      assert.deepStrictEqual(Option.getOrThrow(status ?? Option.none()).err, { InstructionError: [1, { Custom: 1 }] })
      assert.notStrictEqual(yield* stored, second)
    })
  )

  it.effect(
    "Given a lookup table, When a v0 transaction uses it, Then it lands, and old clients are told its version",
    () =>
      Effect.gen(function* () {
        const rpc = yield* pool
        const payer = yield* funded()
        const to = Keypair.generate().publicKey
        const slot = yield* rpc.getSlot({ commitment: "processed" })
        const [create, table] = AddressLookupTableProgram.createLookupTable({
          authority: payer.publicKey,
          payer: payer.publicKey,
          recentSlot: slot
        })
        yield* send([payer], create)
        yield* send(
          [payer],
          AddressLookupTableProgram.extendLookupTable({
            lookupTable: table,
            authority: payer.publicKey,
            payer: payer.publicKey,
            addresses: [to]
          })
        )
        const { value } = yield* rpc.getLatestBlockhash()
        const compile = (addresses: ReadonlyArray<typeof to>) => {
          const transaction = new VersionedTransaction(
            new TransactionMessage({
              payerKey: payer.publicKey,
              recentBlockhash: value.blockhash,
              instructions: [transfer(payer, addresses.at(-1) ?? to, SOL)]
            }).compileToV0Message([
              Object.assign(Object.create(null), {
                key: table,
                state: {
                  addresses,
                  deactivationSlot: 2n ** 64n - 1n,
                  lastExtendedSlot: 0,
                  lastExtendedSlotStartIndex: 0
                }
              })
            ])
          )
          transaction.sign([payer])
          return transaction.serialize()
        }
        const signature = yield* rpc.sendTransaction(compile([to]))
        assert.strictEqual((yield* rpc.getBalance(addressOf(to))).value, SOL)
        const landed = Option.getOrThrow(yield* rpc.getTransaction(signature))
        assert.strictEqual(landed.version, 0)
        assert.deepStrictEqual(Option.getOrThrow(landed.meta).loadedAddresses.writable, [addressOf(to)])
        assert.strictEqual((yield* refusal(rpc.request("getTransaction", [signature]))).code, -32015)
        assert.strictEqual((yield* refusal(rpc.request("getBlock", [Number(landed.slot)]))).code, -32015)
        const beyond = yield* refusal(rpc.sendTransaction(compile([to, Keypair.generate().publicKey])))
        assert.strictEqual(beyond.detail, "invalid transaction: Transaction address table lookup uses an invalid index")
      })
  )
}
