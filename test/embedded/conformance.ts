/**
 * What any door of the embedded cluster in instant mode must do.
 */
import { assert, layer as withLayer } from "@effect/vitest"
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
import * as Either from "effect/Either"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as RpcPool from "../../services/RpcPool.js"
import { PROGRAM_ID } from "../../src/protocol/Program.js"
import * as Base64 from "../../src/solana/Base64.js"
import * as Blockhash from "../../src/solana/Blockhash.js"
import * as Signature from "../../src/solana/Signature.js"
import { addressOf, funded, hears, messageOf, refusal, send, signed, signedNow, SOL, transfer } from "./support.js"

const pool = RpcPool.RpcPool

export const suite = <E>(name: string, door: Layer.Layer<RpcPool.RpcPool, E>) =>
  withLayer(door, { excludeTestServices: true })(`conformance: ${name}`, (it) => {
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

    it.effect(
      "Given accounts of a program, When filtered, sliced and missing, Then only what matches is answered",
      () =>
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
        assert.strictEqual(
          meta.logs.at(-1),
          "Program 11111111111111111111111111111111 failed: custom program error: 0x1"
        )
      })
    )

    it.effect(
      "Given a landed transaction, When sent again, Then preflight says so and the bare send its signature",
      () =>
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
          assert.strictEqual(
            beyond.detail,
            "invalid transaction: Transaction address table lookup uses an invalid index"
          )
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

    it.effect("Given subscriptions of each kind, When transfers land, Then each hears its own", () =>
      Effect.gen(function* () {
        const rpc = yield* pool
        const payer = yield* funded(1000n * SOL)
        const to = Keypair.generate().publicKey
        const poke = send([payer], transfer(payer, to, SOL))
        const [account] = yield* hears(rpc.accountSubscribe(addressOf(to)), poke)
        assert.strictEqual(Number(account?.value.lamports) % Number(SOL), 0)
        const [logs] = yield* hears(rpc.logsSubscribe({ mentions: addressOf(to) }), poke)
        assert.lengthOf(logs?.value.logs ?? [], 2)
        const [owned] = yield* hears(
          rpc.programSubscribe(addressOf(SystemProgram.programId), { filters: [{ dataSize: 0 }] }),
          poke
        )
        assert.strictEqual(owned?.value.space, 0n)
        const [slot, next] = yield* hears(rpc.slotSubscribe, poke, 2)
        assert.isAbove(Number(next?.slot), Number(slot?.slot))
        assert.lengthOf(yield* hears(rpc.rootSubscribe, poke), 1)
        const landed = yield* poke
        const [result] = yield* hears(rpc.signatureSubscribe(landed), Effect.void)
        assert.deepStrictEqual(result?.value, { err: null })
        const wire = yield* signedNow([payer], transfer(payer, to, 3n))
        const signature = Signature.fromBytes(wire, 1)
        const [later] = yield* hears(
          rpc.signatureSubscribe(signature),
          Effect.delay(rpc.sendTransaction(wire, { skipPreflight: true }), "50 millis")
        )
        assert.deepStrictEqual(later?.value, { err: null })
      })
    )

    it.effect("Given Kit's own client over the pool, When it calls, Then it is answered", () =>
      Effect.gen(function* () {
        const rpc = yield* Effect.flatMap(pool, ({ kit }) => kit)
        const payer = yield* funded()
        const balance = yield* Effect.promise(() => rpc.getBalance(addressOf(payer)).send())
        assert.strictEqual(balance.value, lamports(10n * SOL))
      })
    )
  })
