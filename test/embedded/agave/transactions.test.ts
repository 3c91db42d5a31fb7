/** Sending, simulating and reading transactions, as clients expect it of a node. */
import { assert, layer } from "@effect/vitest"
import {
  AddressLookupTableProgram,
  ComputeBudgetProgram,
  Keypair,
  NONCE_ACCOUNT_LENGTH,
  PublicKey,
  SystemProgram,
  TransactionInstruction
} from "@solana/web3.js"
import * as Effect from "effect/Effect"
import * as EmbeddedCluster from "../../../layers/EmbeddedCluster.js"
import { addressOf, SOL, transfer } from "../support.js"
import { call, field, payer, refusalOf, sent, value, wire } from "./support.js"

const MEMO = "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr"

const memo = (text: string) =>
  new TransactionInstruction({ programId: new PublicKey(MEMO), keys: [], data: Buffer.from(text) })

const parsed = (signature: string) =>
  call("getTransaction", signature, { encoding: "jsonParsed", maxSupportedTransactionVersion: 0 })

layer(EmbeddedCluster.layer(), { excludeTestServices: true })("transactions", (it) => {
  it.effect("a bad signature: -32002 with SignatureFailure from a preflight, err in the result of a simulation", () =>
    Effect.gen(function* () {
      const key = yield* payer
      const bytes = Buffer.from(yield* wire([key], transfer(key, Keypair.generate().publicKey, SOL)), "base64")
      bytes[10] = (bytes[10] ?? 0) ^ 1
      const text = bytes.toString("base64")
      const { code, data, message } = yield* refusalOf("sendTransaction", text, { encoding: "base64" })
      assert.strictEqual(code, -32002)
      assert.strictEqual(message, "Transaction simulation failed: Transaction did not pass signature verification")
      assert.deepInclude(data, {
        err: "SignatureFailure",
        logs: [],
        accounts: null,
        unitsConsumed: 0,
        fee: null,
        loadedAccountsDataSize: 0,
        loadedAddresses: null,
        preBalances: null,
        postBalances: null,
        preTokenBalances: null,
        postTokenBalances: null
      })
      const simulated = yield* value("simulateTransaction", text, { encoding: "base64", sigVerify: true })
      assert.strictEqual(field(simulated, "err"), "SignatureFailure")
    })
  )

  it.effect("a simulation: fee, loaded data, balances before and after", () =>
    Effect.gen(function* () {
      const key = yield* payer
      const to = Keypair.generate().publicKey
      const text = yield* wire([key], transfer(key, to, SOL))
      const simulated = yield* value("simulateTransaction", text, { encoding: "base64" })
      assert.deepInclude(simulated, {
        err: null,
        fee: 5000,
        loadedAddresses: { writable: [], readonly: [] },
        preBalances: [10_000_000_000, 0, 1],
        postBalances: [8_999_995_000, 1_000_000_000, 1],
        preTokenBalances: [],
        postTokenBalances: []
      })
      // The payer (0 bytes) and the System program (21 bytes), each with 64 more; the recipient does not exist yet.
      assert.strictEqual(field(simulated, "loadedAccountsDataSize"), 64 + 21 + 64)
      const tooMuch = yield* wire([key], transfer(key, to, 100n * SOL))
      const failed = yield* value("simulateTransaction", tooMuch, { encoding: "base64" })
      assert.deepStrictEqual(field(failed, "err"), { InstructionError: [0, { Custom: 1 }] })
      assert.deepStrictEqual(field(failed, "postBalances"), [9_999_995_000, 0, 1])
    })
  )

  it.effect("a simulation's accounts and inner instructions: base64+zstd and jsonParsed", () =>
    Effect.gen(function* () {
      const key = yield* payer
      const text = yield* wire([key], transfer(key, Keypair.generate().publicKey, SOL))
      const options = { encoding: "base64", innerInstructions: true }
      const accounts = { addresses: [addressOf(key)], encoding: "base64+zstd" }
      const simulated = yield* value("simulateTransaction", text, { ...options, accounts })
      assert.deepStrictEqual(field(simulated, "accounts", 0, "data"), ["KLUv/QBYAQAA", "base64+zstd"])
      assert.deepStrictEqual(field(simulated, "innerInstructions"), [])
    })
  )

  it.effect("an airdrop: two lines of log, the System program first", () =>
    Effect.gen(function* () {
      const signature = yield* call("requestAirdrop", addressOf(Keypair.generate()), Number(SOL))
      const transaction = yield* parsed(String(signature))
      assert.deepStrictEqual(field(transaction, "meta", "logMessages"), [
        "Program 11111111111111111111111111111111 invoke [1]",
        "Program 11111111111111111111111111111111 success"
      ])
    })
  )

  it.effect("an airdrop that cannot land: the signature comes, and the transfer has its err", () =>
    Effect.gen(function* () {
      const poor = addressOf(Keypair.generate())
      const signature = String(yield* call("requestAirdrop", poor, 1))
      const status = yield* value("getSignatureStatuses", [signature])
      assert.deepStrictEqual(field(status, 0, "err"), { InsufficientFundsForRent: { account_index: 1 } })
      assert.strictEqual(yield* value("getBalance", poor), 0)
      assert.strictEqual((yield* refusalOf("requestAirdrop", poor, 2n ** 63n)).code, -32603)
      const cluster = yield* EmbeddedCluster.EmbeddedCluster
      const slot = yield* call("getSlot", { commitment: "processed" })
      assert.strictEqual((yield* Effect.flip(cluster.airdrop(poor, 1n))).field, "lamports")
      assert.strictEqual(yield* call("getSlot", { commitment: "processed" }), slot)
    })
  )

  it.effect("memo in getSignaturesForAddress: its length and its text", () =>
    Effect.gen(function* () {
      const key = yield* payer
      yield* sent([key], memo("test"), memo("two"))
      const [newest, airdrop] = [yield* call("getSignaturesForAddress", addressOf(key))].flat()
      assert.strictEqual(field(newest, "memo"), "[4] test; [3] two")
      assert.isNull(field(airdrop, "memo"))
    })
  )

  it.effect("jsonParsed transactions: System, memo, and the programs that no parser knows", () =>
    Effect.gen(function* () {
      const key = yield* payer
      const to = Keypair.generate().publicKey
      const signature = yield* sent(
        [key],
        ComputeBudgetProgram.setComputeUnitLimit({ units: 50_000 }),
        transfer(key, to, SOL),
        memo("hello")
      )
      const transaction = yield* parsed(signature)
      const [budget, moved, noted] = [field(transaction, "transaction", "message", "instructions")].flat()
      assert.deepInclude(budget, { programId: "ComputeBudget111111111111111111111111111111", accounts: [] })
      assert.isUndefined(field(budget, "parsed"))
      assert.deepStrictEqual(moved, {
        program: "system",
        programId: "11111111111111111111111111111111",
        parsed: {
          type: "transfer",
          info: { source: addressOf(key), destination: addressOf(to), lamports: 1_000_000_000 }
        },
        stackHeight: 1
      })
      assert.deepStrictEqual(noted, { program: "spl-memo", programId: MEMO, parsed: "hello", stackHeight: 1 })
    })
  )

  it.effect("meta.loadedAddresses: absent in jsonParsed, present in json", () =>
    Effect.gen(function* () {
      const key = yield* payer
      const signature = yield* sent([key], memo("x"))
      assert.notProperty(field(yield* parsed(signature), "meta"), "loadedAddresses")
      assert.deepStrictEqual(field(yield* call("getTransaction", signature), "meta", "loadedAddresses"), {
        writable: [],
        readonly: []
      })
    })
  )

  it.effect("jsonParsed accounts and instructions of nonces and lookup tables", () =>
    Effect.gen(function* () {
      const key = yield* payer
      const nonce = Keypair.generate()
      const slot = Number(yield* call("getSlot", { commitment: "processed" }))
      const [create, table] = AddressLookupTableProgram.createLookupTable({
        authority: key.publicKey,
        payer: key.publicKey,
        recentSlot: slot
      })
      const extend = AddressLookupTableProgram.extendLookupTable({
        lookupTable: table,
        authority: key.publicKey,
        payer: key.publicKey,
        addresses: [nonce.publicKey]
      })
      const signature = yield* sent(
        [key, nonce],
        ...SystemProgram.createNonceAccount({
          fromPubkey: key.publicKey,
          noncePubkey: nonce.publicKey,
          authorizedPubkey: key.publicKey,
          lamports: Number(yield* call("getMinimumBalanceForRentExemption", NONCE_ACCOUNT_LENGTH))
        }).instructions,
        create,
        extend
      )
      const authority = addressOf(key)
      const options = { encoding: "jsonParsed" }
      const nonceData = field(yield* value("getAccountInfo", addressOf(nonce), options), "data")
      assert.deepInclude(nonceData, { program: "nonce", space: NONCE_ACCOUNT_LENGTH })
      assert.deepInclude(field(nonceData, "parsed", "info"), {
        authority,
        feeCalculator: { lamportsPerSignature: "5000" }
      })
      const tableData = field(yield* value("getAccountInfo", addressOf(table), options), "data")
      assert.strictEqual(field(tableData, "program"), "address-lookup-table")
      assert.deepInclude(field(tableData, "parsed", "info"), {
        addresses: [addressOf(nonce)],
        authority,
        deactivationSlot: "18446744073709551615",
        lastExtendedSlotStartIndex: 0
      })
      const instructions = [field(yield* parsed(signature), "transaction", "message", "instructions")].flat()
      assert.deepStrictEqual(
        instructions.map((instruction) => field(instruction, "parsed", "type")),
        ["createAccount", "initializeNonce", "createLookupTable", "extendLookupTable"]
      )
      assert.deepInclude(field(instructions, 3, "parsed", "info"), {
        lookupTableAccount: addressOf(table),
        newAddresses: [addressOf(nonce)]
      })
    })
  )
})
