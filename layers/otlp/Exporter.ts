/**
 * The exporter of all signals: a tracer, a logger, a reader of metrics, and an outbox for each signal.
 *
 * When the scope closes, metrics are read once more and all outboxes close at the same time, so closing takes at most
 * one `shutdownTimeout`.
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Effect from "effect/Effect"
import type { Logger } from "effect/Logger"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { Tracer } from "effect/Tracer"
import { Metrics } from "../../services/Metrics.js"
import * as Telemetry from "../../services/Telemetry.js"
import type { InvalidInput } from "../../src/InvalidInput.js"
import * as CountedSince from "../internal/CountedSince.js"
import * as Series from "../internal/Series.js"
import * as Http from "./Http.js"
import * as Logs from "./Logs.js"
import * as OtlpMetrics from "./Metrics.js"
import type * as Model from "./Model.js"
import type { Options, Service, SignalStats } from "./Options.js"
import * as Outbox from "./Outbox.js"
import * as Settings from "./Settings.js"
import * as Shown from "./Shown.js"
import * as OtlpTracer from "./Tracer.js"

const SDK = "@pod-protocol/effect"

/** OpenTelemetry's name for a service without one. */
const UNKNOWN_SERVICE = "unknown_service"

export interface Exporter {
  readonly service: Service
  readonly sampling: Telemetry.Service
  readonly tracer: Option.Option<Tracer>
  readonly logger: Option.Option<Logger<unknown, void>>
}

const resourceOf = ({ resource, serviceName }: Options, { attributes }: Shown.Shown): Model.Resource => ({
  attributes: attributes(
    Object.entries({
      "service.name": UNKNOWN_SERVICE,
      "telemetry.sdk.name": SDK,
      "telemetry.sdk.language": "nodejs",
      ...resource,
      ...(serviceName === undefined ? {} : { "service.name": serviceName })
    })
  )
})

/** The sampling of the options, or else of the context. */
const samplingOf = ({ sampling }: Options): Effect.Effect<Telemetry.Service, InvalidInput> =>
  sampling === undefined
    ? Effect.flatMap(
        Effect.serviceOption(Telemetry.Telemetry),
        Option.match({ onNone: () => Telemetry.make(), onSome: Effect.succeed })
      )
    : Telemetry.make(sampling)

const NOTHING: SignalStats = { made: 0, sent: 0, dropped: 0, waiting: 0, waitingBytes: 0 }

export const make = (options: Options): Effect.Effect<Exporter, InvalidInput, HttpClient.HttpClient | Scope.Scope> =>
  Effect.gen(function* () {
    const settings = yield* Settings.make(options)
    const { format, headers, maxSeries, metricInterval, timeout, urls } = settings
    const shown = Shown.make(settings.secrets)
    const resource = resourceOf(options, shown)
    const sampling = yield* samplingOf(options)

    const open = (signal: Model.Signal): Effect.Effect<Option.Option<Outbox.Outbox>, never, HttpClient.HttpClient> => {
      if (options[signal] === false) return Effect.succeedNone
      const { host, url } = urls[signal]
      const join = format.joiner(signal, resource, { name: SDK })
      return Effect.asSome(
        Effect.flatMap(Http.make({ url, headers, timeout }, format, shown), (post) =>
          Outbox.make(signal, host, (items) => Effect.suspend(() => post(join(items))), settings)
        )
      )
    }
    const outboxes = { traces: yield* open("traces"), metrics: yield* open("metrics"), logs: yield* open("logs") }
    const opened = Object.values(outboxes).flatMap(Option.toArray)
    yield* Effect.addFinalizer(() =>
      Effect.forEach(opened, ({ close }) => close, { concurrency: "unbounded", discard: true })
    )

    const clock = yield* Effect.clock
    const nanos = (): string => String(clock.unsafeCurrentTimeNanos())
    const metricsOf = OtlpMetrics.make(shown, nanos())
    const countedSince = CountedSince.make()
    const measured = yield* Effect.serviceOption(Metrics)
    const collect = Option.match(outboxes.metrics, {
      onNone: () => Effect.void,
      onSome: ({ replace }) =>
        Effect.gen(function* () {
          const snapshot = yield* Effect.transposeMapOption(measured, (metrics) => metrics.snapshot)
          const families = Series.read(Option.getOrUndefined(snapshot), maxSeries)
          const since = Option.match(snapshot, {
            onNone: nanos,
            onSome: (taken) => `${countedSince(taken, clock)}000000`
          })
          replace(metricsOf(families, nanos(), since).map((metric) => format.encode("metrics", metric)))
        })
    })
    if (Option.isSome(outboxes.metrics)) {
      yield* Effect.addFinalizer(() => collect)
      const periodic = Effect.forever(Effect.zipRight(Effect.sleep(metricInterval), collect))
      yield* Effect.forkScoped(Effect.interruptible(periodic))
    }

    const statsOf = (signal: Model.Signal): SignalStats =>
      Option.match(outboxes[signal], { onNone: () => NOTHING, onSome: ({ stats }) => stats() })

    return {
      sampling,
      tracer: Option.map(outboxes.traces, ({ offer }) =>
        OtlpTracer.make(shown, sampling.samples, (span) => offer(format.encode("traces", span)))
      ),
      logger: Option.map(outboxes.logs, ({ offer }) =>
        Logs.make(shown, (record) => offer(format.encode("logs", record)))
      ),
      service: {
        flush: Effect.zipRight(
          collect,
          Effect.forEach(opened, ({ flush }) => flush, { concurrency: "unbounded", discard: true })
        ),
        stats: Effect.sync(() => ({ traces: statsOf("traces"), metrics: statsOf("metrics"), logs: statsOf("logs") }))
      }
    }
  })
