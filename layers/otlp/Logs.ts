/** Converts Effect's log entries to OpenTelemetry's log records. */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as FiberId from "effect/FiberId"
import * as FiberRef from "effect/FiberRef"
import * as FiberRefs from "effect/FiberRefs"
import * as Logger from "effect/Logger"
import type * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import * as Failure from "./Failure.js"
import * as Ids from "./Ids.js"
import type * as Model from "./Model.js"
import type { Shown } from "./Shown.js"

const SEVERITIES: { readonly [L in LogLevel.LogLevel["_tag"]]: number } = {
  All: 0,
  None: 0,
  Trace: 1,
  Debug: 5,
  Info: 9,
  Warning: 13,
  Error: 17,
  Fatal: 21
}

const recordOf = (
  { annotations, cause, context, date, fiberId, logLevel, message, spans }: Logger.Logger.Options<unknown>,
  shown: Shown
): Model.LogRecord => {
  const time = `${date.getTime()}000000`
  const parts = Arr.ensure(message)
  const failure = Cause.isEmpty(cause) ? undefined : Failure.of(cause, shown)
  const span = Option.getOrUndefined(
    Context.getOption(FiberRefs.getOrDefault(context, FiberRef.currentContext), Tracer.ParentSpan)
  )
  const [traceId, spanId] = [span && Ids.traceOf(span.traceId), span && Ids.spanOf(span.spanId)]
  const attributes = [
    ...annotations,
    ["fiber.id", FiberId.threadName(fiberId)] as const,
    ...Array.from(spans, ({ label, startTime }) => [`log.span.${label}`, `${date.getTime() - startTime} ms`] as const),
    ...Object.entries(failure?.attributes ?? {})
  ]
  return {
    timeUnixNano: time,
    observedTimeUnixNano: time,
    severityNumber: SEVERITIES[logLevel._tag],
    severityText: logLevel.label,
    body: shown.value(parts.length === 1 ? parts[0] : parts),
    attributes: shown.attributes(attributes),
    ...(traceId === undefined || spanId === undefined ? {} : { traceId, spanId })
  }
}

export const make = (shown: Shown, offer: (record: Model.LogRecord) => void): Logger.Logger<unknown, void> =>
  Logger.make((entry) => offer(recordOf(entry, shown)))
