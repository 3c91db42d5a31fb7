/**
 * A process that sends many transfers concurrently, and prints their outcomes: `url seed count situation`.
 *
 * - `plenty` sends after a first transfer.
 * - `living` sends after a first transfer, without a free file descriptor: its connections must carry all transfers.
 * - `none` sends without a connection and without a free file descriptor.
 */
import { openSync } from "node:fs"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import * as RpcPoolUndici from "../../layers/RpcPoolUndici.js"
import * as Transactions from "../../services/Transactions.js"
import { Wallet } from "../../services/Wallet.js"
import { STRANGER, transfer, walletOf } from "./transfers.js"

const [url = "", seed = "", count = "", situation = ""] = process.argv.slice(2)

/** Opens files until the system refuses the next one. */
const exhaust = (): void => {
  try {
    for (;;) openSync("/dev/null", "r")
  } catch {
    return
  }
}

const live = Transactions.layer({ pollInterval: "100 millis" }).pipe(
  Layer.provide(RpcPoolUndici.layer({ url: Redacted.make(url) }))
)

const runtime = ManagedRuntime.make(live)

const main = Effect.gen(function* () {
  const { send } = yield* Transactions.Transactions
  const wallet = yield* walletOf(Number(seed))
  const pay = (amount: number) =>
    send([transfer(wallet.address, STRANGER, BigInt(amount))], situation === "none" ? { timeout: "3 seconds" } : {})
  return yield* Effect.gen(function* () {
    if (situation !== "none") yield* pay(1_000_000)
    if (situation !== "plenty") exhaust()
    const outcomes = yield* Effect.forEach(
      Array.from({ length: Number(count) }, (_, index) => 1_000_001 + index),
      (amount) => Effect.either(pay(amount)),
      { concurrency: "unbounded" }
    )
    const errors = outcomes.filter(Either.isLeft).map(({ left }) => left)
    return {
      receipts: outcomes.filter(Either.isRight).length,
      errors: errors.length,
      tags: [...new Set(errors.map(({ _tag }) => _tag))],
      texts: [...new Set(errors.map(({ message }) => message))].slice(0, 5)
    }
  }).pipe(Effect.provideService(Wallet, wallet))
})

void runtime
  .runPromise(main)
  .then((outcomes) => console.log(JSON.stringify(outcomes)))
  .finally(() => runtime.dispose())
