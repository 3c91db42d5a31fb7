/** Transactions of version 1: whatever their bytes are, the cluster answers. */
import { assert, it } from "@effect/vitest"
import {
  address,
  appendTransactionMessageInstruction,
  blockhash,
  createTransactionMessage,
  generateKeyPairSigner,
  getTransactionEncoder,
  lamports,
  pipe,
  setTransactionMessageComputeUnitLimit,
  setTransactionMessageFeePayerSigner,
  setTransactionMessageLifetimeUsingBlockhash,
  setTransactionMessageLoadedAccountsDataSizeLimit,
  setTransactionMessagePriorityFeeLamports,
  signTransactionMessageWithSigners
} from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as EmbeddedCluster from "../../layers/EmbeddedCluster.js"
import * as Base64 from "../../src/solana/Base64.js"
import { call, field, value } from "./agave/support.js"
import { SOL } from "./support.js"

const RUNS = Number(process.env["FUZZ_RUNS"] ?? 300)

const SYSTEM = address("11111111111111111111111111111111")

const signedV1 = Effect.gen(function* () {
  const cluster = yield* EmbeddedCluster.EmbeddedCluster
  const latest = blockhash(String(field(yield* value("getLatestBlockhash"), "blockhash")))
  const [payer, other] = yield* Effect.promise(() => Promise.all([generateKeyPairSigner(), generateKeyPairSigner()]))
  yield* cluster.airdrop(payer.address, 10n * SOL)
  const message = pipe(
    createTransactionMessage({ version: 1 }),
    (message) => setTransactionMessageFeePayerSigner(payer, message),
    (message) =>
      setTransactionMessageLifetimeUsingBlockhash({ blockhash: latest, lastValidBlockHeight: 2n ** 60n }, message),
    (message) =>
      appendTransactionMessageInstruction(
        {
          programAddress: SYSTEM,
          accounts: [
            { address: payer.address, role: 3 },
            { address: other.address, role: 1 }
          ],
          data: Uint8Array.of(2, 0, 0, 0, 0, 202, 154, 59, 0, 0, 0, 0)
        },
        message
      ),
    (message) => setTransactionMessageComputeUnitLimit(5000, message),
    (message) => setTransactionMessageLoadedAccountsDataSizeLimit(100_000, message),
    (message) => setTransactionMessagePriorityFeeLamports(lamports(77n), message)
  )
  const signed = yield* Effect.promise(() => signTransactionMessageWithSigners(message))
  return Uint8Array.from(getTransactionEncoder().encode(signed))
})

const CONFIG = { encoding: "base64" }

it.effect("Given a version-1 transaction, When it is sent, Then it lands with its priority fee", () =>
  Effect.gen(function* () {
    const signature = yield* call("sendTransaction", Base64.encode(yield* signedV1), CONFIG)
    const landed = yield* call("getTransaction", signature, {
      encoding: "jsonParsed",
      maxSupportedTransactionVersion: 1
    })
    assert.deepInclude(landed, { version: 1 })
    assert.deepInclude(field(landed, "meta"), { err: null, fee: 5077 })
    assert.strictEqual(field(landed, "transaction", "message", "instructions", 0, "parsed", "type"), "transfer")
    const refused = yield* Effect.flip(call("getTransaction", signature, { maxSupportedTransactionVersion: 0 }))
    assert.strictEqual(refused.code, -32_015)
  }).pipe(Effect.provide(EmbeddedCluster.layer({ podProgram: false })))
)

const mutation = FastCheck.record({
  at: FastCheck.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  byte: FastCheck.integer({ min: 0, max: 255 }),
  kind: FastCheck.constantFrom("set", "insert", "remove")
})

it.effect("Given version-1 bytes that were changed, When they are sent, Then each gets an answer", () =>
  Effect.gen(function* () {
    const whole = yield* signedV1
    for (const mutations of FastCheck.sample(FastCheck.array(mutation, { minLength: 1, maxLength: 4 }), RUNS)) {
      const bytes = Array.from(whole)
      for (const { at, byte, kind } of mutations) {
        const index = Math.floor(at * bytes.length)
        bytes.splice(index, kind === "insert" ? 0 : 1, ...(kind === "remove" ? [] : [byte]))
      }
      const text = Base64.encode(Uint8Array.from(bytes))
      const simulated = yield* Effect.either(call("simulateTransaction", text, CONFIG))
      const sent = yield* Effect.either(call("sendTransaction", text, { ...CONFIG, skipPreflight: true }))
      for (const answer of [simulated, sent]) {
        if (Either.isLeft(answer)) assert.oneOf(answer.left.code, [-32_602, -32_002])
      }
    }
  }).pipe(Effect.provide(EmbeddedCluster.layer({ podProgram: false })))
)
