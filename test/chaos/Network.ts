import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as EmbeddedCluster from "../../layers/EmbeddedCluster.js"
import * as Server from "../../layers/EmbeddedServer.js"
import { RpcPool } from "../../services/RpcPool.js"
import * as Exchange from "./Exchange.js"
import type { Faults } from "./Faults.js"
import * as Proxy from "./Proxy.js"

/** Milliseconds of a slot: an eighth of Solana's. */
export const SLOT_MILLIS = 50

/** Slots in which a transaction can land after its blockhash was made. */
export const lifetimeOf = ({ expiry }: Faults): number => Math.round(150 * (1 - expiry))

/** A cluster that makes blocks by the clock and keeps the whole history of a run. */
export const cluster = (faults: Faults, messages: number) =>
  EmbeddedCluster.layer({
    blockMode: "interval",
    slotDuration: SLOT_MILLIS,
    blockhashLifetime: lifetimeOf(faults),
    maxTransactions: 10_000 + 2 * messages,
    maxStatuses: 10_000 + 2 * messages
  }).pipe(Layer.orDie)

/** Waits until the cluster has made this many slots, which may be late on a busy machine. */
export const slots = (count: number): Effect.Effect<void, never, RpcPool> =>
  Effect.flatMap(RpcPool, (pool) => {
    const slot = Effect.orDie(pool.getSlot({ commitment: "processed" }))
    return Effect.flatMap(slot, (start) =>
      Effect.asVoid(
        Effect.repeat(slot, {
          until: (now) => now >= start + BigInt(count),
          schedule: Schedule.spaced(SLOT_MILLIS)
        })
      )
    )
  })

/** Waits until every transaction that can still land has landed. */
export const settled = (faults: Faults): Effect.Effect<void, never, RpcPool> =>
  Effect.zipRight(Effect.sleep(Exchange.LATE_MILLIS), slots(lifetimeOf(faults) + 2))

/**
 * Serves the cluster, with a proxy for each endpoint in front. The last ones lag. The first of several lies.
 */
export const endpoints = (options: {
  readonly faults: Faults
  readonly seed: number
  readonly count: number
}): Effect.Effect<ReadonlyArray<Proxy.Endpoint>, never, EmbeddedCluster.EmbeddedCluster | Scope.Scope> =>
  Effect.gen(function* () {
    const { count, faults, seed } = options
    const upstream = yield* Effect.orDie(Server.serve())
    const steady = count - Math.floor(count * faults.lag)
    return yield* Effect.forEach(
      Array.from({ length: count }, (_, index) => index),
      (index) =>
        Proxy.make({
          upstream,
          faults,
          seed: seed * 1000 + index,
          lags: index >= steady,
          lies: index === 0 && count > 1
        })
    )
  })
