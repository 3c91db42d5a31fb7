/**
 * The connections of runners and clients to runners. They end with the layer.
 *
 * `@effect/cluster` keeps them in an `RcMap`. The one of Effect 3.22 forgets a connection that became invalid while
 * it was in use, if there was a new one to the same address before its release (Effect-TS/effect#7515, fixed in Effect
 * 4). Nothing closes such a connection: it connects again for ever, and the process does not exit. So each connection
 * has a scope inside the layer's.
 */
import * as Runners from "@effect/cluster/Runners"
import * as NodeClusterSocket from "@effect/platform-node/NodeClusterSocket"
import type * as RpcSerialization from "@effect/rpc/RpcSerialization"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"

const endWith = (layer: Scope.Scope, connect: Runners.RpcClientProtocol["Type"]): typeof connect =>
  Effect.fnUntraced(function* (address) {
    const scope = yield* Effect.acquireRelease(Scope.fork(layer, ExecutionStrategy.sequential), Scope.close)
    const protocol = yield* Scope.extend(connect(address), scope)
    return {
      ...protocol,
      // The fiber that reads the replies has a forgotten scope too.
      run: (receive) =>
        Effect.withFiberRuntime((reader) =>
          Effect.zipRight(Scope.addFinalizer(scope, Fiber.interrupt(reader)), protocol.run(receive))
        )
    }
  })

export const layer: Layer.Layer<Runners.RpcClientProtocol, never, RpcSerialization.RpcSerialization> = Layer.scoped(
  Runners.RpcClientProtocol,
  Effect.zipWith(Effect.scope, Runners.RpcClientProtocol, endWith)
).pipe(Layer.provide(NodeClusterSocket.layerClientProtocol))
