/**
 * A tracer for Effect that exports spans by OpenTelemetry's protocol.
 *
 * - A root span is sampled if the SDK has decided so already, or if `samples` returns true. A child follows its parent,
 *   also a parent in another process. An unsampled span records nothing and is not exported. A parent whose ids are not
 *   valid begins a new trace.
 * - A span keeps at most 128 attributes, events and links. It counts the dropped ones.
 * - An ended span is made safe and encoded at once, so later changes have no effect.
 */
import type * as Context from "effect/Context"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import * as Random from "../../services/internal/random.js"
import * as Traced from "../../services/internal/traced.js"
import * as Failure from "./Failure.js"
import * as Ids from "./Ids.js"
import type * as Model from "./Model.js"
import { MAX_ATTRIBUTES, type Shown } from "./Shown.js"

const MAX_NAME = 255
const MAX_EVENTS = 128
const MAX_LINKS = 128

const UNSET = 0
const ERROR = 2

const KINDS: { readonly [K in Tracer.SpanKind]: number } = {
  internal: 1,
  server: 2,
  client: 3,
  producer: 4,
  consumer: 5
}

/** W3C's flag of a sampled trace. */
const SAMPLED = 1

type Event = readonly [name: string, time: bigint, attributes: Record<string, unknown> | undefined]

class Span implements Tracer.Span {
  readonly _tag = "Span"
  readonly traceId: string
  readonly parentSpanId: string | undefined
  readonly spanId = Random.unsafeHex(8)
  readonly attributes = new Map<string, unknown>()
  readonly events: Array<Event> = []
  readonly links: Array<Tracer.SpanLink>
  droppedAttributes = 0
  droppedEvents = 0
  droppedLinks: number
  status: Tracer.SpanStatus

  constructor(
    readonly name: string,
    readonly parent: Option.Option<Tracer.AnySpan>,
    readonly context: Context.Context<never>,
    links: ReadonlyArray<Tracer.SpanLink>,
    startTime: bigint,
    readonly kind: Tracer.SpanKind,
    readonly sampled: boolean,
    readonly onEnd: (span: Span, status: Extract<Tracer.SpanStatus, { readonly _tag: "Ended" }>) => void
  ) {
    const above = Option.getOrUndefined(parent)
    const traceId = above && Ids.traceOf(above.traceId)
    this.traceId = traceId ?? Random.unsafeHex(16)
    this.parentSpanId = traceId && above && Ids.spanOf(above.spanId)
    this.links = links.slice(0, MAX_LINKS)
    this.droppedLinks = links.length - this.links.length
    this.status = { _tag: "Started", startTime }
  }

  end(endTime: bigint, exit: Exit.Exit<unknown, unknown>): void {
    if (this.status._tag === "Ended") return
    const ended = { _tag: "Ended", startTime: this.status.startTime, endTime, exit } as const
    this.status = ended
    if (this.sampled) this.onEnd(this, ended)
  }

  attribute(key: string, value: unknown): void {
    if (!this.sampled) return
    if (this.attributes.size < MAX_ATTRIBUTES || this.attributes.has(key)) this.attributes.set(key, value)
    else this.droppedAttributes++
  }

  event(name: string, startTime: bigint, attributes?: Record<string, unknown>): void {
    if (!this.sampled) return
    if (this.events.length < MAX_EVENTS) this.events.push([name, startTime, attributes])
    else this.droppedEvents++
  }

  addLinks(links: ReadonlyArray<Tracer.SpanLink>): void {
    const taken = links.slice(0, MAX_LINKS - this.links.length)
    for (const link of taken) this.links.push(link)
    this.droppedLinks += links.length - taken.length
  }
}

const spanOf = (
  span: Span,
  { endTime, exit, startTime }: Extract<Tracer.SpanStatus, { readonly _tag: "Ended" }>,
  shown: Shown
): Model.Span => {
  // An interruption is not an error, because the caller requested it.
  const isInterrupted = Exit.isInterrupted(exit)
  const failure = Exit.isFailure(exit) && !isInterrupted ? Failure.of(exit.cause, shown) : undefined
  const events = span.events.map(([name, time, attributes = {}]) => ({
    timeUnixNano: time,
    name: shown.text(name, MAX_NAME),
    attributes: shown.attributes(Object.entries(attributes))
  }))
  if (failure !== undefined) {
    const attributes = shown.attributes(Object.entries(failure.attributes))
    events.push({ timeUnixNano: endTime, name: "exception", attributes })
  }
  const links = span.links.flatMap(({ attributes, span }) => {
    const [traceId, spanId] = [Ids.traceOf(span.traceId), Ids.spanOf(span.spanId)]
    return traceId === undefined || spanId === undefined
      ? []
      : [{ traceId, spanId, attributes: shown.attributes(Object.entries(attributes)) }]
  })
  // Without a spread, so that all spans have one hidden class
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId,
    name: shown.text(span.name, MAX_NAME),
    kind: KINDS[span.kind],
    startTimeUnixNano: startTime,
    endTimeUnixNano: endTime,
    attributes: shown.attributes(isInterrupted ? [["pod.interrupted", true], ...span.attributes] : span.attributes),
    droppedAttributesCount: span.droppedAttributes,
    events,
    droppedEventsCount: span.droppedEvents,
    links,
    droppedLinksCount: span.droppedLinks + span.links.length - links.length,
    status: failure === undefined ? { code: UNSET } : { message: failure.message, code: ERROR },
    flags: SAMPLED
  }
}

export const make = (
  shown: Shown,
  samples: (name: string) => boolean,
  offer: (span: Model.Span) => void
): Tracer.Tracer => {
  const onEnd: Span["onEnd"] = (span, ended) => offer(spanOf(span, ended, shown))
  return Tracer.make({
    context: (f) => f(),
    span: (name, parent, context, links, startTime, kind) => {
      const isSampled = Option.isSome(parent) ? parent.value.sampled : Traced.isDecided(context) || samples(name)
      return new Span(name, parent, context, links, startTime, kind, isSampled, onEnd)
    }
  })
}
