import { createServer, type Server, type Socket } from "node:net"
import * as MessageStorage from "@effect/cluster/MessageStorage"
import * as RunnerAddress from "@effect/cluster/RunnerAddress"
import * as Runners from "@effect/cluster/Runners"
import * as ShardingConfig from "@effect/cluster/ShardingConfig"
import * as RpcSerialization from "@effect/rpc/RpcSerialization"
import { expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import * as Connections from "../../layers/cluster/Connections.js"

/** A runner that accepts connections and never answers. */
const silent = Effect.gen(function* () {
  const accepted = yield* Queue.unbounded<Effect.Effect<void>>()
  const take = (socket: Socket) => {
    const closed = Deferred.unsafeMake<void>(Fiber.id(Fiber.void))
    socket.on("close", () => Deferred.unsafeDone(closed, Exit.void))
    socket.resume()
    accepted.unsafeOffer(Deferred.await(closed))
  }
  const server = yield* Effect.acquireRelease(
    Effect.async<Server>((resume) => {
      const server = createServer(take).listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.sync(() => server.close())
  )
  const bound = server.address()
  return { accepted, address: RunnerAddress.make("127.0.0.1", typeof bound === "object" ? (bound?.port ?? 0) : 0) }
})

const serialized = Connections.layer.pipe(Layer.provide(RpcSerialization.layerMsgPack))

it.scopedLive("Given a connection that its owner forgot, When the layer closes, Then its socket and reader end", () =>
  Effect.gen(function* () {
    const { accepted, address } = yield* silent
    const scope = yield* Scope.make()
    const connect = yield* Effect.map(Layer.buildWithScope(serialized, scope), (context) =>
      Effect.provide(Runners.RpcClientProtocol, context)
    )
    const forgotten = yield* Scope.make()
    const protocol = yield* Effect.flatMap(connect, (to) => Scope.extend(to(address), forgotten))
    const reader = yield* Effect.forkIn(
      protocol.run(() => Effect.void),
      forgotten
    )
    const closed = yield* Queue.take(accepted)
    yield* Scope.close(scope, Exit.void)
    yield* closed
    expect(Exit.isInterrupted(yield* Fiber.await(reader))).toBe(true)
  })
)

it.scopedLive(
  "Given a runner that was unavailable during a call, When it is called again, Then no socket survives",
  () =>
    Effect.gen(function* () {
      const { accepted, address } = yield* silent
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(
        Runners.layerRpc.pipe(Layer.provide([serialized, MessageStorage.layerNoop, ShardingConfig.layer()])),
        scope
      )
      const { onRunnerUnavailable, ping } = yield* Effect.provide(Runners.Runners, context)
      const first = yield* Effect.fork(ping(address))
      const closed = [yield* Queue.take(accepted)]
      yield* onRunnerUnavailable(address)
      const second = yield* Effect.fork(ping(address))
      closed.push(yield* Queue.take(accepted))
      yield* Fiber.interrupt(first)
      yield* Fiber.interrupt(second)
      yield* Scope.close(scope, Exit.void)
      yield* Effect.all(closed)
    })
)
