/**
 * Configuration tuning: a preset, the guide's combinators, overrides from the environment, and the source of each
 * value.
 *
 *     npx tsx examples/guide/configuration.ts
 *
 * `with_worker_threads` is an option of `WorkerPool`, and `with_blocking_threads` has no meaning on Node: no call blocks.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { PodConfig } from "@pod-protocol/effect"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { pipe } from "effect/Function"
import * as Layer from "effect/Layer"

const settings = pipe(
  PodConfig.performance,
  PodConfig.withConnectionPoolSize(50),
  PodConfig.withRequestTimeout(5000),
  PodConfig.withRetryAttempts(3),
  PodConfig.withCacheSize(10_000),
  PodConfig.withBatchSize(100)
)

// A deployment's environment
const environment = ConfigProvider.fromMap(
  new Map([
    ["POD_RPC_URL", "https://rpc.example/?api-key=secret"],
    ["POD_REQUEST_TIMEOUT", "8 seconds"]
  ])
)

const program = Effect.gen(function* () {
  // `Pod.layer(config)` would connect to the endpoint of this configuration
  const config = yield* PodConfig.configWith(settings)
  const effective = yield* PodConfig.effective(config, PodConfig.performance)
  yield* Console.log(PodConfig.render(effective))
})

program.pipe(Effect.provide(Layer.setConfigProvider(environment)), NodeRuntime.runMain)
