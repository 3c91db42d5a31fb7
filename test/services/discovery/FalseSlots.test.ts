import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Pod from "../../../layers/Pod.js"
import * as TestWallets from "../../../layers/TestWallets.js"
import * as Agent from "../../../services/Agent.js"
import * as Discovery from "../../../services/Discovery.js"
import * as ProtocolEvents from "../../../services/ProtocolEvents.js"
import * as RpcPool from "../../../services/RpcPool.js"
import { as } from "../../support/agents.js"
import { eventually } from "../../support/eventually.js"

const FUTURE = 2n ** 60n

/** How often each call has claimed a slot of the far future. */
type Lies = { getProgramAccounts: number; getMultipleAccounts: number }

/** An index over a pool whose first answers of each kind claim a slot of the far future. */
const deceived = (lies: Lies, times: number) => {
  const lie =
    (call: keyof Lies) =>
    <A>(answer: RpcPool.Contextual<A>): RpcPool.Contextual<A> =>
      lies[call]++ < times ? { ...answer, slot: FUTURE } : answer
  const pool = Layer.effect(
    RpcPool.RpcPool,
    Effect.map(RpcPool.RpcPool, (pool) => ({
      ...pool,
      getProgramAccounts: (...args: Parameters<typeof pool.getProgramAccounts>) =>
        Effect.map(pool.getProgramAccounts(...args), lie("getProgramAccounts")),
      getMultipleAccounts: (...args: Parameters<typeof pool.getMultipleAccounts>) =>
        Effect.map(pool.getMultipleAccounts(...args), lie("getMultipleAccounts"))
    }))
  )
  return Discovery.layer({ kinds: ["agents"] }).pipe(
    Layer.provide(ProtocolEvents.layer({ pollInterval: "30 millis" })),
    Layer.provide(pool)
  )
}

describe("Discovery: slots that the cluster never reaches", () => {
  it.live(
    "Given answers that claim slots of the far future, When agents change later, Then they are found by what they are now",
    () =>
      Effect.gen(function* () {
        const agents = yield* Agent.Agent
        const wallet = yield* TestWallets.funded
        yield* agents.register({ metadataUri: "https://a.example/first" }).pipe(as(wallet))
        const lies = { getProgramAccounts: 0, getMultipleAccounts: 0 }
        yield* Effect.gen(function* () {
          const search = yield* Discovery.Discovery
          assert.isBelow(Number(yield* search.asOf), 1_000_000)
          for (const word of ["second", "third", "fourth"]) {
            yield* agents.update({ metadataUri: `https://a.example/${word}` }).pipe(as(wallet))
            const { asOf } = yield* eventually(search.agents({ text: word }), ({ items }) => items.length === 1)
            assert.isBelow(Number(asOf), 1_000_000)
          }
          assert.isAtLeast(lies.getMultipleAccounts, 2)
        }).pipe(Effect.provide(deceived(lies, 2)))
      }).pipe(Effect.provide(Pod.layerTest), Effect.scoped)
  )
})
