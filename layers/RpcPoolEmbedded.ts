/**
 * An `RpcPool` over the embedded cluster: the same calls, without a socket.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as RpcPool from "../services/RpcPool.js"
import { RpcError, type RpcTransport } from "../services/RpcTransport.js"
import { EmbeddedCluster, HOST, type Service } from "./EmbeddedCluster.js"

/**
 * The transport to the embedded cluster, in this process.
 *
 * @since 0.1.0
 * @category constructors
 */
export const transport = (cluster: Service): RpcTransport => {
  const request: RpcTransport["request"] = (method, params) =>
    Effect.mapError(
      cluster.request(method, params),
      ({ code, message, data }) => new RpcError({ reason: "Node", method, host: HOST, code, detail: message, data })
    )
  return {
    host: HOST,
    request,
    batch: (calls) => Effect.forEach(calls, ({ method, params }) => Effect.either(request(method, params))),
    subscribe: cluster.subscribe
  }
}

/**
 * An `RpcPool` over the embedded cluster, with options of the pool.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerWith = (options?: RpcPool.Options): Layer.Layer<RpcPool.RpcPool, never, EmbeddedCluster> =>
  Layer.effect(
    RpcPool.RpcPool,
    Effect.map(EmbeddedCluster, (cluster) => RpcPool.make(transport(cluster), options))
  )

/**
 * As `layerWith`, with the pool's defaults.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<RpcPool.RpcPool, never, EmbeddedCluster> = layerWith()
