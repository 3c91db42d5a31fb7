/** A transaction that fails its preflight is executed on the chain itself: it must leave no trace. */
import { assert, it } from "@effect/vitest"
import { Keypair, SystemProgram } from "@solana/web3.js"
import * as Effect from "effect/Effect"
import * as EmbeddedCluster from "../../layers/EmbeddedCluster.js"
import * as Addresses from "../../src/solana/Address.js"
import * as Base64 from "../../src/solana/Base64.js"
import { call, field, value } from "./agave/support.js"
import { addressOf, signed, SOL, transfer } from "./support.js"

const FEE = 5000n

const send = (wire: Uint8Array) =>
  call("sendTransaction", Base64.encode(wire), { encoding: "base64", preflightCommitment: "processed" })

const blockhash = Effect.map(value("getLatestBlockhash"), (latest) => String(field(latest, "blockhash")))

for (const blockMode of ["instant", "interval"] as const) {
  it.scoped(
    `Given ${blockMode} blocks, When a payer with its last lamports fails a preflight, Then nothing changes`,
    () =>
      Effect.gen(function* () {
        const cluster = yield* EmbeddedCluster.EmbeddedCluster
        const payer = Keypair.generate()
        const address = addressOf(payer)
        const data = new Uint8Array(0)
        yield* cluster.setAccount({ address, lamports: FEE, owner: Addresses.SYSTEM_PROGRAM, data })
        const wire = signed(yield* blockhash, [payer], transfer(payer, Keypair.generate().publicKey, SOL))
        const state = Effect.all([
          value("getAccountInfo", address, { commitment: "processed" }),
          call("getTransactionCount", { commitment: "processed" }),
          call("getSlot", { commitment: "processed" }),
          call("getSignaturesForAddress", address),
          value("getSupply")
        ])
        const before = yield* state
        for (let attempt = 0; attempt < 2; attempt++) {
          assert.strictEqual((yield* Effect.flip(send(wire))).code, -32002)
          assert.deepStrictEqual(yield* state, before)
        }
        yield* cluster.setAccount({ address, lamports: 2n * SOL, owner: Addresses.SYSTEM_PROGRAM, data })
        yield* send(wire)
        assert.strictEqual(field(yield* value("getBalance", address, { commitment: "processed" })), Number(SOL - FEE))
      }).pipe(Effect.provide(EmbeddedCluster.layer({ podProgram: false, blockMode })))
  )
}

it.scoped("Given a durable nonce, When its transaction fails a preflight, Then the nonce is still usable", () =>
  Effect.gen(function* () {
    const cluster = yield* EmbeddedCluster.EmbeddedCluster
    const [payer, nonce] = [Keypair.generate(), Keypair.generate()]
    yield* cluster.airdrop(addressOf(payer), 10n * SOL)
    const create = SystemProgram.createNonceAccount({
      fromPubkey: payer.publicKey,
      noncePubkey: nonce.publicKey,
      authorizedPubkey: payer.publicKey,
      lamports: 2_000_000
    }).instructions
    yield* send(signed(yield* blockhash, [payer, nonce], ...create))
    yield* cluster.advanceSlots(2)
    const stored = value("getAccountInfo", addressOf(nonce), { encoding: "jsonParsed" })
    const before = yield* stored
    const advance = SystemProgram.nonceAdvance({ noncePubkey: nonce.publicKey, authorizedPubkey: payer.publicKey })
    const of = (amount: bigint) =>
      signed(
        String(field(before, "data", "parsed", "info", "blockhash")),
        [payer],
        advance,
        transfer(payer, Keypair.generate().publicKey, amount)
      )
    assert.strictEqual((yield* Effect.flip(send(of(100n * SOL)))).code, -32002)
    assert.deepStrictEqual(yield* stored, before)
    yield* send(of(SOL))
    assert.notDeepEqual(yield* stored, before)
  }).pipe(Effect.provide(EmbeddedCluster.layer({ podProgram: false })))
)
