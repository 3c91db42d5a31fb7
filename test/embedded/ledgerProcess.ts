/**
 * Airdrops for ever on the ledger folder of the first argument, which is compacted after as many inputs as the second says,
 * printing each signature when it is acknowledged.
 */
import * as fs from "node:fs"
import { Keypair } from "@solana/web3.js"
import * as Effect from "effect/Effect"
import * as EmbeddedCluster from "../../layers/EmbeddedCluster.js"
import { addressOf } from "./support.js"

const [, , ledger = "", maxLedgerInputs = "", last = ""] = process.argv

Effect.gen(function* () {
  const cluster = yield* EmbeddedCluster.EmbeddedCluster
  if (last !== "") {
    const known = yield* cluster.request("getTransaction", [last])
    if (known === null) fs.writeSync(1, "lost\n")
  }
  const recipient = addressOf(Keypair.generate())
  return yield* Effect.forever(
    Effect.tap(cluster.request("requestAirdrop", [recipient, 1_000_000_000]), (signature) =>
      Effect.sync(() => fs.writeSync(1, `${signature}\n`))
    )
  )
}).pipe(
  Effect.provide(EmbeddedCluster.layer({ ledger, maxLedgerInputs: Number(maxLedgerInputs), podProgram: false })),
  Effect.runPromise
)
