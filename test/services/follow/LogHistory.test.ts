import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { LogHistory } from "../../../services/follow/LogHistory.js"
import * as RpcPool from "../../../services/RpcPool.js"
import * as Signatures from "../../../src/solana/Signature.js"
import { PROGRAM } from "../transport/chain.js"
import { fake } from "../transport/support.js"

const PAGE = 1000

const signature = (n: number) => {
  const bytes = new Uint8Array(64)
  new DataView(bytes.buffer).setUint32(0, n)
  return Signatures.fromBytes(bytes)
}

const info = (n: number, slot: number) => ({ signature: signature(n), slot, err: null, memo: null })

/** Unknown transactions of old slots, then a known one of the newest slot. */
const endless = (nth: number) => [
  ...Array.from({ length: PAGE - 1 }, (_, n) => info(nth * PAGE + n + 1, 1)),
  info(0, 10)
]

/** The history of an address at a node that answers each page by a script. */
const historyOf = (page: (nth: number) => ReadonlyArray<unknown>, maxTransactions: number) => {
  let asked = 0
  const transport = fake({
    request: (method, [first]) =>
      Effect.sync(() =>
        method === "getSignaturesForAddress"
          ? page(asked++)
          : {
              slot: 11,
              version: 0,
              transaction: ["", "base64"],
              meta: { err: null, fee: 0, preBalances: [], postBalances: [], logMessages: [String(first)] }
            }
      )
  })
  return {
    history: new LogHistory(RpcPool.make(transport), PROGRAM, "confirmed", maxTransactions),
    asked: () => asked
  }
}

describe("LogHistory: a node whose history cannot be true", () => {
  it.effect("Given a node that ignores `before`, When the history is read, Then each transaction comes once", () =>
    Effect.gen(function* () {
      const page = Array.from({ length: PAGE }, (_, n) => info(n, 11))
      const { asked, history } = historyOf((nth) => (nth === 0 ? [info(PAGE, 10)] : page), 1500)
      yield* history.begin
      const updates = yield* Effect.flatMap(history.recent(), (recent) => history.updates(recent))
      assert.strictEqual(asked(), 3)
      const values = updates.flatMap((update) => (update._tag === "Value" ? [update.value.signature] : []))
      assert.strictEqual(values.length, PAGE)
      assert.strictEqual(new Set(values).size, PAGE)
    })
  )

  it.effect("Given a node whose pages never end, When the history is read, Then the read ends", () =>
    Effect.gen(function* () {
      const { asked, history } = historyOf((nth) => (nth === 0 ? [info(0, 10)] : endless(nth)), 10)
      yield* history.begin
      const { hasMore } = yield* history.recent()
      assert.isTrue(hasMore)
      assert.isBelow(asked(), 30)
    })
  )
})
