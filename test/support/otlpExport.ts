import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as TelemetryOtlp from "../../layers/TelemetryOtlp.js"

export const EXPORT_INTERVAL = "30 millis"

/** Runs a program with the exporter, until the exporter has closed. Returns the exporter's counts. */
export const exported = <E>(
  url: string,
  program: Effect.Effect<void, E, TelemetryOtlp.TelemetryOtlp>,
  options: Partial<TelemetryOtlp.Options> = {}
) =>
  Effect.gen(function* () {
    const otlp = yield* program.pipe(
      Effect.zipRight(TelemetryOtlp.TelemetryOtlp),
      Effect.provide(
        TelemetryOtlp.layerFetch({
          url,
          metrics: false,
          logs: false,
          exportInterval: EXPORT_INTERVAL,
          shutdownTimeout: "30 seconds",
          ...options
        })
      )
    )
    return yield* otlp.stats
  }).pipe(Effect.provide(Logger.remove(Logger.defaultLogger)))

/** Makes this many spans, one after another. */
export const spans = (count: number) =>
  Effect.forEach(Array.from({ length: count }), (_, nth) => Effect.void.pipe(Effect.withSpan(`span ${nth}`)), {
    discard: true
  })
