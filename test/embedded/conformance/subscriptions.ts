/** Conformance of the embedded cluster: subscriptions of each kind, and Kit's client. */
import { assert, type Vitest } from "@effect/vitest"
import { lamports } from "@solana/kit"
import { Keypair, SystemProgram } from "@solana/web3.js"
import * as Effect from "effect/Effect"
import * as RpcPool from "../../../services/RpcPool.js"
import * as Signature from "../../../src/solana/Signature.js"
import { addressOf, funded, hears, send, signedNow, SOL, transfer } from "../support.js"

const pool = RpcPool.RpcPool

export const subscriptions = (it: Vitest.MethodsNonLive<RpcPool.RpcPool, true>): void => {
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
}
