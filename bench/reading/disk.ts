/**
 * A hit on the disk: `Agent.get` through both levels of the cache, against the `SELECT` that it needs.
 *
 * The base only binds the key and copies the row into a new array. `Agent.get` also makes the key, compares the checksum
 * of key and row, decodes the agent, compares it with its address, compares slot and age with the fences, and keeps the
 * entry in memory, from which another is evicted. The addresses were derived in this process, as after `Agent.get` of a
 * wallet.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as CacheStoreSqlite from "../../layers/CacheStoreSqlite.js"
import * as Sqlite from "../../layers/internal/Sqlite.js"
import * as Agent from "../../services/Agent.js"
import * as Cache from "../../services/Cache.js"
import * as RpcPool from "../../services/RpcPool.js"
import * as Transactions from "../../services/Transactions.js"
import { agentBytes, agentOf, GENESIS, infoOf } from "../../test/support/cachedChain.js"
import { measure, type Report } from "../harness.js"

const AGENTS = 500

/** Entries in memory. Each is evicted before it is read again. */
const IN_MEMORY = 10

export const diskHits = async (scope: Scope.Scope): Promise<Report> => {
  const directory = mkdtempSync(join(tmpdir(), "bench-reading-"))
  const agents = Array.from({ length: AGENTS }, (_, name) => agentOf(name))
  const walletOf = new Map(agents.map(({ address, wallet }) => [address, wallet]))
  let calls = 0
  const pool = RpcPool.layerTest({
    getGenesisHash: Effect.succeed(GENESIS),
    getAccountInfo: (address) =>
      Effect.sync(() => {
        calls++
        const data = agentBytes(walletOf.get(address) ?? address, "https://example.com/agent.json")
        return { slot: 7n, value: Option.some(infoOf(address, data)) }
      })
  })
  const services = Agent.layer.pipe(
    Layer.provideMerge(
      Cache.layer({ maxEntries: IN_MEMORY }).pipe(Layer.provide(CacheStoreSqlite.layer({ directory })))
    ),
    Layer.provideMerge(Layer.merge(pool, Transactions.layerTest({})))
  )
  const context = await Effect.runPromise(Layer.buildWithScope(services, scope))
  const agent = Context.get(context, Agent.Agent)
  const fill = Effect.forEach(agents, ({ address }) => agent.get(address), { discard: true })
  await Effect.runPromise(fill)
  // The rows are written in the background.
  await new Promise((resolve) => setTimeout(resolve, 500))
  await Effect.runPromise(fill)
  const missed = calls
  const { DatabaseSync } = await Effect.runPromise(Sqlite.load)
  const database = new DatabaseSync(join(directory, "cache.sqlite"))
  const keys = database.prepare("SELECT key FROM rows").all()
  const get = database.prepare("SELECT frame FROM rows WHERE key = ?")
  const parameters = (Array.isArray(keys) ? keys : []).flatMap((row: { readonly key: Uint8Array }) => [row.key])
  const raw = () => {
    let last: unknown
    for (const key of parameters) last = get.get(key)
    return last
  }
  const report = await measure(
    "A hit on the disk",
    [
      { name: "raw get", operations: parameters.length, run: raw },
      { name: "raw get again", operations: parameters.length, run: raw },
      { name: "Agent.get through both levels", operations: AGENTS, run: () => Effect.runPromise(fill) }
    ],
    { rounds: 11 }
  )
  database.close()
  rmSync(directory, { recursive: true })
  if (calls > missed) throw new Error(`${calls - missed} reads went to the network`)
  return report
}
