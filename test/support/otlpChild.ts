/** A process that makes spans until it is ended, and then prints their results. Its argument is a collector's URL. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as TelemetryOtlp from "../../layers/TelemetryOtlp.js"

const [, , url = "", shutdownTimeout = "3000"] = process.argv

const options = { url, metrics: false, logs: false, exportInterval: 50, shutdownTimeout: Number(shutdownTimeout) }

const program = Effect.gen(function* () {
  let told: Effect.Effect<TelemetryOtlp.Stats> | undefined
  yield* Effect.addFinalizer(() =>
    Effect.flatMap(told ?? Effect.succeed({}), (stats) => Console.log(JSON.stringify(stats)))
  )
  yield* Effect.gen(function* () {
    told = (yield* TelemetryOtlp.TelemetryOtlp).stats
    yield* Console.log("ready")
    yield* Effect.forever(
      Effect.zipRight(
        Effect.forEach(Array.from({ length: 50 }), () => Effect.void.pipe(Effect.withSpan("burst"))),
        Effect.sleep(5)
      )
    )
  }).pipe(Effect.provide(TelemetryOtlp.layerFetch(options)))
}).pipe(Effect.scoped)

program.pipe(Effect.provide(Logger.remove(Logger.defaultLogger)), NodeRuntime.runMain({ disablePrettyLogger: true }))
