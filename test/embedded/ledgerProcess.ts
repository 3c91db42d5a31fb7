/**
 * Airdrops for ever on the ledger folder of the first argument, which is compacted after as many inputs as the second says,
 * printing each signature when it is acknowledged. First it looks for what earlier processes acknowledged: as many transactions
 * in all as the third argument says, the last of them by the further arguments. It prints `lost` for each that is not there.
 */
import { randomBytes } from "node:crypto"
import * as fs from "node:fs"
import * as Effect from "effect/Effect"
import * as EmbeddedCluster from "../../layers/EmbeddedCluster.js"
import * as Addresses from "../../src/solana/Address.js"

const [, , ledger = "", maxLedgerInputs = "", count = "0", ...acknowledged] = process.argv

Effect.gen(function* () {
  const cluster = yield* EmbeddedCluster.EmbeddedCluster
  if (Number(yield* cluster.request("getTransactionCount", [])) < Number(count)) fs.writeSync(1, "lost\n")
  for (const signature of acknowledged) {
    const known = yield* cluster.request("getTransaction", [signature])
    if (known === null) fs.writeSync(1, "lost\n")
  }
  const recipient = Addresses.fromBytes(randomBytes(32))
  return yield* Effect.forever(
    Effect.gen(function* () {
      const signature = yield* cluster.request("requestAirdrop", [recipient, 1_000_000_000])
      fs.writeSync(1, `${signature}\n`)
      yield* Effect.sleep(0)
    })
  )
}).pipe(
  Effect.provide(
    // Little history, so that an image stays small over many restarts.
    EmbeddedCluster.layer({
      ledger,
      maxLedgerInputs: Number(maxLedgerInputs),
      maxTransactions: 300,
      maxBlocks: 300,
      maxStatuses: 300,
      blockhashLifetime: 300,
      podProgram: false
    })
  ),
  Effect.runPromise
)
