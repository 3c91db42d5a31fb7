import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Tracer from "effect/Tracer"

/** The spans of a tracer, in the order of their starts. */
export interface Recorded {
  readonly name: string
  readonly kind: Tracer.SpanKind
  readonly parent: string | undefined
  readonly id: string
  /** The names of the linked spans. */
  readonly links: Array<string>
  /** The ids of the linked spans. */
  readonly linkIds: Array<string>
  readonly attributes: Map<string, unknown>
  readonly events: Array<readonly [string, Record<string, unknown>]>
  /** Its failure in full, as an exporter would write it. */
  failure: string | undefined
  /** The number of its ends. */
  ends: number
}

/** A tracer that stores all spans. */
export const recorder = () => {
  const spans: Array<Recorded> = []
  const tracer = Tracer.make({
    context: (f) => f(),
    span: (name, parent, context, links, startTime, kind) => {
      const recorded: Recorded = {
        name,
        id: String(spans.length + 1),
        kind,
        parent: parent._tag === "Some" && parent.value._tag === "Span" ? parent.value.name : undefined,
        links: [],
        linkIds: [],
        attributes: new Map(),
        events: [],
        failure: undefined,
        ends: 0
      }
      const link = (all: ReadonlyArray<Tracer.SpanLink>): void => {
        for (const { span } of all) {
          recorded.links.push(span._tag === "Span" ? span.name : span.spanId)
          recorded.linkIds.push(span.spanId)
        }
      }
      link(links)
      spans.push(recorded)
      return {
        _tag: "Span",
        name,
        spanId: recorded.id,
        traceId: "trace",
        parent,
        context,
        status: { _tag: "Started", startTime },
        attributes: recorded.attributes,
        links,
        sampled: true,
        kind,
        end: (_, exit) => {
          recorded.ends++
          if (Exit.isFailure(exit)) recorded.failure = Cause.pretty(exit.cause, { renderErrorCause: true })
        },
        attribute: (key, value) => void recorded.attributes.set(key, value),
        event: (event, _, attributes = {}) => void recorded.events.push([event, attributes]),
        addLinks: link
      }
    }
  })
  return { spans, layer: Layer.setTracer(tracer) }
}
