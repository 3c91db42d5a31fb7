/**
 * Connection pooling: a bounded number of connections carries any number of calls, and idle connections stay open for
 * some time.
 *
 *     npx tsx examples/guide/connection-pool.ts
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { EmbeddedCluster, RpcPool, RpcPoolUndici } from "@pod-protocol/effect"
import * as EmbeddedServer from "@pod-protocol/effect/layers/EmbeddedServer"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"

const CALLS = 500

const program = Effect.gen(function* () {
  const { url } = yield* EmbeddedServer.serve()

  const pool = yield* RpcPoolUndici.make({
    url,
    connections: 20,
    minIdleConnections: 5,
    connectTimeout: "10 seconds",
    keepAliveTimeout: "5 minutes",
    keepAliveInterval: "1 minute"
  })

  // The arguments differ, because equal calls would share one request
  const rents = yield* Effect.forEach(
    Array.from({ length: CALLS }, (_, bytes) => bytes),
    (bytes) => pool.getMinimumBalanceForRentExemption(bytes),
    { concurrency: 100 }
  )
  yield* Console.log(`Calls answered over at most 20 connections: ${rents.length}`)

  // All other services can use this pool: `Effect.provideService(RpcPool.RpcPool, pool)`, or its layer
  const version = yield* Effect.flatMap(RpcPool.RpcPool, (rpc) => rpc.getVersion).pipe(
    Effect.provideService(RpcPool.RpcPool, pool)
  )
  yield* Console.log(`The node runs ${version.solanaCore}`)
})

program.pipe(Effect.scoped, Effect.provide(EmbeddedCluster.layer()), NodeRuntime.runMain)
