/**
 * An `RpcPool` over the embedded cluster: the same calls, without a socket.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Direct from "../services/internal/direct.js"
import * as RpcPool from "../services/RpcPool.js"
import { RpcError, type RpcTransport } from "../services/RpcTransport.js"
import { EmbeddedCluster, HOST, type JsonRpcError, type Service } from "./EmbeddedCluster.js"

const refused =
  (method: string) =>
  ({ code, message, data }: JsonRpcError): RpcError =>
    new RpcError({ reason: "Node", method, host: HOST, code, detail: message, data })

/**
 * The transport to the embedded cluster, in this process.
 *
 * @since 0.1.0
 * @category constructors
 */
export const transport = (cluster: Service): RpcTransport => {
  const request: Direct.Request = Direct.over(
    cluster.request,
    (method, params) => Effect.mapError(cluster.request(method, params), refused(method)),
    (start) => (caller, onEnd, method, params) =>
      start(caller, (exit) => onEnd(Exit.mapError(exit, refused(method))), method, params)
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
