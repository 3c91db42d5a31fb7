/** A signature is the id of one transaction, also where the cluster does not verify it. */
import { assert, it } from "@effect/vitest"
import { Keypair } from "@solana/web3.js"
import * as Effect from "effect/Effect"
import * as EmbeddedCluster from "../../layers/EmbeddedCluster.js"
import * as Base64 from "../../src/solana/Base64.js"
import * as Signature from "../../src/solana/Signature.js"
import { call, field, payer, value } from "./agave/support.js"
import { addressOf, signed, transfer } from "./support.js"

const MAX_STATUSES = 4
const AMOUNT = 2_000_000n

const cluster = Effect.provide(
  EmbeddedCluster.layer({ podProgram: false, verifySignatures: false, maxStatuses: MAX_STATUSES })
)

const forged = new Uint8Array(64).fill(7)
const signature = Signature.fromBytes(forged)

/** A transfer to the address that bears the forged signature, in base64. */
const forgery = (from: Keypair, to: Keypair) =>
  Effect.map(value("getLatestBlockhash"), (latest) => {
    const wire = signed(String(field(latest, "blockhash")), [from], transfer(from, to.publicKey, AMOUNT))
    wire.set(forged, 1)
    return Base64.encode(wire)
  })

const balance = (of: Keypair) => value("getBalance", addressOf(of))

const CONFIG = { encoding: "base64" }

it.effect("Given two messages with one signature, When both are sent, Then the second is refused and not shown", () =>
  Effect.gen(function* () {
    const key = yield* payer
    const [first, second] = [Keypair.generate(), Keypair.generate()]
    yield* call("sendTransaction", yield* forgery(key, first), CONFIG)
    const other = yield* forgery(key, second)
    const refused = yield* Effect.flip(call("sendTransaction", other, CONFIG))
    assert.strictEqual(field(refused.data, "err"), "AlreadyProcessed")
    yield* call("sendTransaction", other, { ...CONFIG, skipPreflight: true })
    assert.strictEqual(yield* balance(first), Number(AMOUNT))
    assert.strictEqual(yield* balance(second), 0)
    assert.strictEqual(field(yield* call("getSignaturesForAddress", addressOf(key)), "length"), 2)
  }).pipe(cluster)
)

it.effect("Given a signature whose status was dropped, When it comes again, Then it names the newer transaction", () =>
  Effect.gen(function* () {
    const key = yield* payer
    const [first, second] = [Keypair.generate(), Keypair.generate()]
    yield* call("sendTransaction", yield* forgery(key, first), CONFIG)
    yield* Effect.replicateEffect(payer, MAX_STATUSES)
    yield* call("sendTransaction", yield* forgery(key, second), CONFIG)
    assert.strictEqual(yield* balance(first), Number(AMOUNT))
    assert.strictEqual(yield* balance(second), Number(AMOUNT))

    const shown = yield* call("getTransaction", signature, { encoding: "jsonParsed" })
    const keys = JSON.stringify(field(shown, "transaction", "message", "accountKeys"))
    assert.include(keys, addressOf(second))
    const slot = field(yield* value("getSignatureStatuses", [signature]), 0, "slot")
    assert.strictEqual(field(shown, "slot"), slot)
    assert.deepStrictEqual(yield* call("getSignaturesForAddress", addressOf(first)), [])
    const history = yield* call("getSignaturesForAddress", addressOf(key))
    assert.deepInclude(field(history, 0), { signature, slot })
  }).pipe(cluster)
)
