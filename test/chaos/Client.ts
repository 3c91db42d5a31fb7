import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Pod from "../../layers/Pod.js"
import * as RpcPoolUndici from "../../layers/RpcPoolUndici.js"
import * as RpcPool from "../../services/RpcPool.js"
import * as Coalesce from "../../services/transport/Coalesce.js"
import * as Endpoint from "../../services/transport/Endpoint.js"
import * as Endpoints from "../../services/transport/Endpoints.js"
import * as Reconnect from "../../services/transport/Reconnect.js"
import * as Retry from "../../services/transport/Retry.js"
import * as Network from "./Network.js"
import type * as Proxy from "./Proxy.js"

/** Solana's times, as many times faster as the slots are. */
const scaled = (millis: number): number => (millis * Network.SLOT_MILLIS) / 400

const pool = (nodes: ReadonlyArray<Proxy.Endpoint>) =>
  Effect.gen(function* () {
    const endpoints = yield* Effect.forEach(nodes, ({ url, wsUrl }) =>
      RpcPoolUndici.transport({
        url: Redacted.make(url),
        wsUrl: Redacted.make(wsUrl),
        connections: 64,
        headersTimeout: "2 seconds",
        bodyTimeout: "2 seconds"
      }).pipe(
        Effect.flatMap(
          Endpoint.make({
            heartbeat: { idle: scaled(10_000) },
            circuit: { failures: 20, cooldown: scaled(1000), maxCooldown: scaled(10_000) },
            limits: { pause: scaled(1000) }
          })
        )
      )
    )
    const transport = yield* Endpoints.make(endpoints, { probeInterval: scaled(5000) }).pipe(
      Effect.flatMap(
        Retry.make({ attempts: 10, base: scaled(200), cap: scaled(5000), budgetRatio: 1, budgetReserve: 1000 })
      ),
      Effect.flatMap(Coalesce.make()),
      Effect.flatMap(Reconnect.make({ base: scaled(250), cap: scaled(15_000) }))
    )
    return RpcPool.make(transport, { commitment: "confirmed" })
  })

/** The services as an application has them, over these endpoints. */
export const layer = (nodes: ReadonlyArray<Proxy.Endpoint>) =>
  Pod.layerServices({
    commitment: "confirmed",
    timeout: "5 seconds",
    pollInterval: scaled(400),
    blockhashTimeToLive: scaled(5000)
  }).pipe(Layer.provideMerge(Layer.scoped(RpcPool.RpcPool, pool(nodes))), Layer.orDie)
