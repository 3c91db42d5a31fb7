/**
 * A hundred readers of one account that is not in memory: their number of calls, against a hundred fibers that wait for
 * a `Deferred`.
 */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Agent from "../../services/Agent.js"
import * as Cache from "../../services/Cache.js"
import * as RpcPool from "../../services/RpcPool.js"
import * as Transactions from "../../services/Transactions.js"
import { agentBytes, agentOf, infoOf } from "../../test/support/cachedChain.js"
import { measure, type Report } from "../harness.js"

const READERS = 100

/** As many fibers at once. */
const crowd = <A, E>(one: Effect.Effect<A, E>) =>
  Effect.all(
    Array.from({ length: READERS }, () => one),
    { concurrency: "unbounded", discard: true }
  )

export const together = async (scope: Scope.Scope): Promise<{ readonly report: Report; readonly calls: number }> => {
  const { address, wallet } = agentOf(1)
  let calls = 0
  const pool = RpcPool.layerTest({
    getAccountInfo: () =>
      Effect.suspend(() => {
        calls++
        const value = Option.some(infoOf(address, agentBytes(wallet, "https://example.com/agent.json")))
        return Effect.as(Effect.yieldNow(), { slot: 7n, value })
      })
  })
  const services = Agent.layer.pipe(
    Layer.provideMerge(Cache.layerMemory()),
    Layer.provideMerge(Layer.merge(pool, Transactions.layerTest({})))
  )
  const context = await Effect.runPromise(Layer.buildWithScope(services, scope))
  const agent = Context.get(context, Agent.Agent)
  const cache = Context.get(context, Cache.Cache)
  const read = Effect.zipRight(cache.invalidate("all"), crowd(agent.get(address)))
  const wait = Effect.flatMap(Deferred.make<number>(), (deferred) =>
    Effect.zipRight(
      Effect.fork(Effect.zipRight(Effect.yieldNow(), Deferred.succeed(deferred, 1))),
      crowd(Deferred.await(deferred))
    )
  )
  await Effect.runPromise(read)
  calls = 0
  await Effect.runPromise(read)
  const counted = calls
  const report = await measure("A hundred readers of one account", [
    { name: "Deferred.await", run: () => Effect.runPromise(wait) },
    { name: "Deferred.await again", run: () => Effect.runPromise(wait) },
    { name: "Agent.get", run: () => Effect.runPromise(read) }
  ])
  return { report, calls: counted }
}
