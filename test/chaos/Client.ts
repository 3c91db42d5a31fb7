import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Pod from "../../layers/Pod.js"
import * as RpcPoolUndici from "../../layers/RpcPoolUndici.js"
import * as Network from "./Network.js"
import type * as Proxy from "./Proxy.js"

/** A duration on Solana in milliseconds, scaled to the shorter slots. */
export const scaled = (millis: number): number => (millis * Network.SLOT_MILLIS) / 400

/**
 * The services of an application over these endpoints. Times are the defaults, scaled. The client is more patient than
 * by default, because about every second call fails. Each transaction goes to `broadcast` endpoints at once.
 */
export const layer = (nodes: ReadonlyArray<Proxy.Endpoint>, broadcast: number) =>
  Pod.layerServices({
    commitment: "confirmed",
    timeout: "5 seconds",
    pollInterval: scaled(400),
    rebroadcastInterval: scaled(2000),
    blockhashTimeToLive: scaled(5000)
  }).pipe(
    Layer.provideMerge(
      RpcPoolUndici.layer({
        endpoints: nodes.map(({ url, wsUrl }) => ({
          url: Redacted.make(url),
          wsUrl: Redacted.make(wsUrl),
          headersTimeout: "2 seconds",
          bodyTimeout: "2 seconds",
          limits: { pause: scaled(1000) },
          circuit: { failures: 20, cooldown: scaled(1000), maxCooldown: scaled(10_000) },
          heartbeat: { idleTimeout: scaled(10_000) }
        })),
        commitment: "confirmed",
        broadcast,
        hedge: {},
        probeInterval: scaled(5000),
        retry: { maxAttempts: 10, baseDelay: scaled(200), maxDelay: scaled(5000), budgetRatio: 1, budgetReserve: 1000 },
        reconnect: { baseDelay: scaled(250), maxDelay: scaled(15_000) }
      })
    ),
    Layer.orDie
  )
