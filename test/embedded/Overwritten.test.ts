/** Written accounts without which the machine would end the process: they are refused, and transactions go on. */
import { readFileSync } from "node:fs"
import { assert, it } from "@effect/vitest"
import type { Address } from "@solana/kit"
import { Keypair, TransactionInstruction } from "@solana/web3.js"
import * as Effect from "effect/Effect"
import * as EmbeddedCluster from "../../layers/EmbeddedCluster.js"
import * as Addresses from "../../src/solana/Address.js"
import { call, field, keyOf, payer, refusalOf, sent, value, wire } from "./agave/support.js"
import { addressOf, SOL, transfer } from "./support.js"

const MEMO = Addresses.known("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")
const CLOCK = Addresses.known("SysvarC1ock11111111111111111111111111111111")
const COMPUTE_BUDGET = Addresses.known("ComputeBudget111111111111111111111111111111")

const elf = Uint8Array.from(readFileSync(new URL("../../program/pod_com.so", import.meta.url)))

const cluster = Effect.provide(EmbeddedCluster.layer({ podProgram: false }))

const plain = (address: Address, lamports = SOL): EmbeddedCluster.AccountImage => ({
  address,
  lamports,
  owner: Addresses.SYSTEM_PROGRAM,
  data: new Uint8Array(0)
})

it.effect(
  "Given accounts that the machine needs, When they are overwritten, Then it is refused, and transfers land",
  () =>
    Effect.gen(function* () {
      const { addProgram, setAccount } = yield* EmbeddedCluster.EmbeddedCluster
      for (const address of [Addresses.SYSTEM_PROGRAM, COMPUTE_BUDGET]) {
        for (const account of [plain(address), plain(address, 0n)]) {
          assert.match((yield* Effect.flip(setAccount(account))).message, /program of the runtime itself/)
        }
        assert.match((yield* Effect.flip(addProgram(address, elf))).message, /program of the runtime itself/)
      }
      for (const account of [plain(CLOCK), plain(CLOCK, 0n)]) {
        assert.match((yield* Effect.flip(setAccount(account))).message, /a sysvar must stay one/)
      }
      assert.match((yield* Effect.flip(addProgram(CLOCK, elf))).message, /a sysvar must stay one/)
      const key = yield* payer
      yield* sent([key], transfer(key, Keypair.generate().publicKey, SOL))
    }).pipe(cluster)
)

it.effect("Given a program, When it is removed, Then it is refused, and a call of what is in its place fails", () =>
  Effect.gen(function* () {
    const { addProgram, setAccount } = yield* EmbeddedCluster.EmbeddedCluster
    const key = yield* payer
    const added = addressOf(Keypair.generate())
    yield* addProgram(added, elf)
    for (const program of [MEMO, added]) {
      const removed = plain(program, 0n)
      assert.match((yield* Effect.flip(setAccount(removed))).message, /a program cannot be removed/)
      yield* setAccount(plain(program))
      assert.match((yield* Effect.flip(setAccount(removed))).message, /a program cannot be removed/)
      const calls = new TransactionInstruction({ programId: keyOf(program), keys: [], data: Buffer.from("hi") })
      const refused = yield* refusalOf("sendTransaction", yield* wire([key], calls), { encoding: "base64" })
      assert.strictEqual(refused.code, -32002)
    }
  }).pipe(cluster)
)

it.effect("Given a wrong account of genesis, When the cluster starts, Then the error names its place and field", () =>
  Effect.gen(function* () {
    const fine = plain(addressOf(Keypair.generate()))
    for (const [wrong, field] of [
      [plain(Addresses.SYSTEM_PROGRAM), "accounts[1]"],
      [{ ...fine, lamports: 2n ** 64n }, "accounts[1].lamports"],
      [{ ...fine, rentEpoch: -1n }, "accounts[1].rentEpoch"],
      [{ ...fine, data: new Uint8Array(10_485_761) }, "accounts[1].data"],
      [{ ...fine, owner: fine.address, data: elf.subarray(0, 99), executable: true }, "accounts[1]"]
    ] as const) {
      const error = yield* Effect.flip(
        Effect.scoped(EmbeddedCluster.make({ podProgram: false, accounts: [fine, wrong, fine] }))
      )
      assert.deepInclude(error, { _tag: "InvalidInput", field })
    }
  })
)

it.effect("Given a program beyond ten megabytes, When it is loaded, Then it is refused", () =>
  Effect.gen(function* () {
    const { addProgram } = yield* EmbeddedCluster.EmbeddedCluster
    const large = new Uint8Array(10_485_761)
    large.set(elf)
    assert.match((yield* Effect.flip(addProgram(addressOf(Keypair.generate()), large))).message, /more than 10485760/)
  }).pipe(cluster)
)

/** A landed transaction of a program that was added. */
const landed = Effect.gen(function* () {
  const { addProgram } = yield* EmbeddedCluster.EmbeddedCluster
  const key = yield* payer
  const program = addressOf(Keypair.generate())
  yield* addProgram(program, elf)
  const calls = new TransactionInstruction({ programId: keyOf(program), keys: [], data: Buffer.from("hi") })
  const text = yield* wire([key], calls)
  const signature = yield* call("sendTransaction", text, { encoding: "base64", skipPreflight: true })
  return { key, program, signature }
})

it.effect(
  "Given a landed transaction, When its program is replaced by a larger one, Then its units count the new size",
  () =>
    Effect.gen(function* () {
      const { addProgram } = yield* EmbeddedCluster.EmbeddedCluster
      const { key, program, signature } = yield* landed
      const figures = Effect.gen(function* () {
        const shown = yield* call("getTransaction", signature)
        const simulated = yield* value("simulateTransaction", yield* wire([key], transfer(key, keyOf(program), 1n)), {
          encoding: "base64"
        })
        return [Number(field(shown, "meta", "costUnits")), Number(field(simulated, "loadedAccountsDataSize"))]
      })
      const before = yield* figures
      assert.deepStrictEqual(yield* figures, before)
      const larger = new Uint8Array(elf.length + 64 * 1024)
      larger.set(elf)
      yield* addProgram(program, larger)
      // 8 units for each 32 KiB.
      assert.deepStrictEqual(
        yield* figures,
        before.map((figure, index) => figure + (index === 0 ? 2 * 8 : 64 * 1024))
      )
    }).pipe(cluster)
)

it.effect("Given a landed transaction, When it is shown often, Then its program is not copied each time", () =>
  Effect.gen(function* () {
    const { signature } = yield* landed
    yield* call("getTransaction", signature)
    const before = process.memoryUsage().rss
    for (let nth = 0; nth < 1000; nth++) yield* call("getTransaction", signature)
    // Two copies of each would be 800 MB.
    assert.isBelow(process.memoryUsage().rss - before, 100e6)
  }).pipe(cluster)
)
