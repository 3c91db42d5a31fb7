/**
 * Airdrops for ever on the ledger folder of the first argument, which is compacted after as many inputs as the second says,
 * printing each signature when it is acknowledged. First it looks for the transactions of the further arguments, which an
 * earlier process acknowledged, and prints `lost` for each that is not there.
 */
import { randomBytes } from "node:crypto"
import * as fs from "node:fs"
import * as Effect from "effect/Effect"
import * as EmbeddedCluster from "../../layers/EmbeddedCluster.js"
import * as Addresses from "../../src/solana/Address.js"

const [, , ledger = "", maxLedgerInputs = "", ...acknowledged] = process.argv

Effect.gen(function* () {
  const cluster = yield* EmbeddedCluster.EmbeddedCluster
  for (const signature of acknowledged) {
    const known = yield* cluster.request("getTransaction", [signature])
    if (known === null) fs.writeSync(1, "lost\n")
  }
  const recipient = Addresses.fromBytes(randomBytes(32))
  return yield* Effect.forever(
    Effect.tap(cluster.request("requestAirdrop", [recipient, 1_000_000_000]), (signature) =>
      Effect.sync(() => fs.writeSync(1, `${signature}\n`))
    )
  )
}).pipe(
  Effect.provide(
    // Little history, so that an image stays small over many restarts.
    EmbeddedCluster.layer({
      ledger,
      maxLedgerInputs: Number(maxLedgerInputs),
      maxTransactions: 1000,
      maxBlocks: 1000,
      podProgram: false
    })
  ),
  Effect.runPromise
)
