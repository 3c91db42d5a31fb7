/**
 * Makes all spans of the SDK, and times public calls in the `Metrics` service.
 *
 * A span is made only if the application provides a tracer and the trace is sampled. `Telemetry` decides for the first
 * call of a trace; other calls follow their parent. An unsampled call runs below a parent with `sampled: false`.
 *
 * Most of a span's cost is steps of the fiber. So this module replaces the many steps of `Effect.withSpan` by one: it
 * makes the span by hand and sets the fiber's context directly (`spanContext.ts`).
 */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Channel from "effect/Channel"
import * as Chunk from "effect/Chunk"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import { Telemetry } from "../Telemetry.js"
import * as Clock from "./clock.js"
import * as Random from "./random.js"
import * as SpanContext from "./spanContext.js"
import { tracked } from "./tracked.js"

/** Effect's default tracer, which drops all spans. */
const defaultTracer = Context.get(DefaultServices.liveServices, Tracer.Tracer)

const hasTracer = <A, E>(fiber: Fiber.RuntimeFiber<A, E>): boolean =>
  fiber.currentTracer !== defaultTracer &&
  fiber.getFiberRef(FiberRef.currentTracerEnabled) &&
  SpanContext.isSettable(fiber)

/** The parent of new spans: the current span, or its nearest ancestor without `DisablePropagation`. */
const parentOf = ({
  currentSpan
}: {
  readonly currentSpan: Tracer.AnySpan | undefined
}): Tracer.AnySpan | undefined => {
  let at = currentSpan
  while (at !== undefined && Context.get(at.context, Tracer.DisablePropagation)) {
    at = at._tag === "Span" ? Option.getOrUndefined(at.parent) : undefined
  }
  return at
}

/** Whether the fiber has a tracer that keeps spans, and is not in an unsampled trace. */
export const isTraced = <A, E>(fiber: Fiber.RuntimeFiber<A, E>): boolean =>
  hasTracer(fiber) && parentOf(fiber)?.sampled !== false

/**
 * The parent of all spans of an unsampled trace. It draws its ids on demand: only requests that propagate the trace
 * read them.
 */
class Unsampled implements Tracer.ExternalSpan {
  readonly _tag = "ExternalSpan"
  readonly sampled = false
  readonly context = Context.empty()
  #traceId: string | undefined
  #spanId: string | undefined
  get traceId(): string {
    return (this.#traceId ??= Random.unsafeHex(16))
  }
  get spanId(): string {
    return (this.#spanId ??= Random.unsafeHex(8))
  }
}

/** Decides on a span: make it, skip it, or begin an unsampled trace. */
const decide = <A, E>(fiber: Fiber.RuntimeFiber<A, E>, name: string): "make" | "skip" | "drop" => {
  if (!hasTracer(fiber)) return "skip"
  const parent = parentOf(fiber)
  if (parent !== undefined) return parent.sampled ? "make" : "skip"
  const telemetry = Context.getOption(fiber.currentContext, Telemetry)
  return Option.isNone(telemetry) || telemetry.value.samples(name) ? "make" : "drop"
}

/** Marks the context of spans that this module decided to sample, so that a sampling tracer does not decide again. */
class Decided extends Context.Tag("@pod-protocol/effect/internal/Decided")<Decided, true>() {}

const DECIDED: Context.Context<never> = Context.make(Decided, true)

/** Whether this module decided to sample the span with this context. */
export const isDecided = (context: Context.Context<never>): boolean =>
  Option.isSome(Context.getOption(context, Decided))

/** OpenTelemetry's `error.type`: the reason of an error, or else its class. */
const errorType = (cause: Cause.Cause<unknown>): string => {
  const failure = Option.getOrUndefined(Cause.failureOption(cause))
  if (failure === undefined) return Cause.isInterruptedOnly(cause) ? "Interrupted" : "Defect"
  if (Predicate.hasProperty(failure, "reason") && typeof failure.reason === "string") return failure.reason
  return Predicate.hasProperty(failure, "_tag") && typeof failure._tag === "string" ? failure._tag : "_OTHER"
}

/** Runs the body as part of an unsampled trace. After an interruption, the fiber's finalizers are part of it too. */
const unsampled = <A, E, R>(
  fiber: Fiber.RuntimeFiber<A, E>,
  body: () => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => {
  let place: SpanContext.Place | undefined
  const leave = (exit: Exit.Exit<A, E>) => {
    SpanContext.leave(fiber, place)
    return exit
  }
  const within = Effect.suspend(() => {
    place = SpanContext.enter(fiber, new Unsampled())
    return body()
  })
  return Effect.matchCauseEffect(within, {
    onFailure: (cause) => leave(Exit.failCause(cause)),
    onSuccess: (value) => leave(Exit.succeed(value))
  })
}

interface SpanOptions {
  readonly attributes?: Record<string, unknown> | undefined
  readonly kind?: Tracer.SpanKind
  /** Attributes that are read when the body has ended. */
  readonly atEnd?: (() => Record<string, unknown>) | undefined
}

const timeOf = <A, E>(fiber: Fiber.RuntimeFiber<A, E>): bigint =>
  fiber.getFiberRef(FiberRef.currentTracerTimingEnabled) ? Clock.nanos(fiber) : 0n

const annotateAll = (span: Tracer.Span, attributes: Record<string, unknown>): void => {
  for (const key of Object.keys(attributes)) span.attribute(key, attributes[key])
}

/** Begins a span below the fiber's span, without a stack trace, which would cost more than the span. */
const begin = <A, E>(fiber: Fiber.RuntimeFiber<A, E>, name: string, options: SpanOptions): Tracer.Span => {
  const { attributes = {}, kind = "internal" } = options
  const span = fiber.currentTracer.span(
    name,
    Option.fromNullable(parentOf(fiber)),
    DECIDED,
    Chunk.toReadonlyArray(fiber.getFiberRef(FiberRef.currentTracerSpanLinks)),
    timeOf(fiber),
    kind,
    { attributes, captureStackTrace: false, kind }
  )
  const inherited = fiber.getFiberRef(FiberRef.currentTracerSpanAnnotations)
  if (HashMap.size(inherited) > 0) HashMap.forEach(inherited, (value, key) => span.attribute(key, value))
  annotateAll(span, attributes)
  return span
}

const end = <A, E>(fiber: Fiber.RuntimeFiber<A, E>, span: Tracer.Span, exit: Exit.Exit<unknown, unknown>): void => {
  if (Exit.isFailure(exit)) span.attribute("error.type", errorType(exit.cause))
  span.end(timeOf(fiber), exit)
}

/** Runs the body in a span. */
const sampled = <A, E, R>(
  fiber: Fiber.RuntimeFiber<A, E>,
  name: string,
  options: SpanOptions,
  body: () => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.uninterruptibleMask((restore) => {
    const span = begin(fiber, name, options)
    const place = SpanContext.enter(fiber, span)
    const leave = (exit: Exit.Exit<A, E>) => {
      SpanContext.leave(fiber, place)
      if (options.atEnd !== undefined) annotateAll(span, options.atEnd())
      end(fiber, span, exit)
      return exit
    }
    return Effect.matchCauseEffect(restore(Effect.suspend(body)), {
      onFailure: (cause) => leave(Exit.failCause(cause)),
      onSuccess: (value) => leave(Exit.succeed(value))
    })
  })

/** Runs the body in a span, if the decision is to make one. */
export const inSpan = <A, E, R>(
  fiber: Fiber.RuntimeFiber<A, E>,
  name: string,
  options: SpanOptions,
  body: () => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => {
  const decision = decide(fiber, name)
  if (decision === "skip") return body()
  return decision === "drop" ? unsampled(fiber, body) : sampled(fiber, name, options, body)
}

/** Adds a span to a public call, and times it by `tracked`. */
export const traced =
  (name: string, attributes?: Record<string, unknown>) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.withFiberRuntime((fiber) => spanned(fiber, name, attributes, () => self))

/** As {@link traced}, for a caller that has the fiber. It saves a step of the fiber. */
export const spanned = <A, E, R>(
  fiber: Fiber.RuntimeFiber<A, E>,
  name: string,
  attributes: Record<string, unknown> | undefined,
  body: () => Effect.Effect<A, E, R>,
  atEnd?: SpanOptions["atEnd"]
): Effect.Effect<A, E, R> => tracked(fiber, name, () => inSpan(fiber, name, { attributes, atEnd }, body))

/** The span of work that begins and ends in different places of the code. */
export interface OpenSpan {
  readonly span: Tracer.Span
  /** Ends the span. A second call does nothing. */
  readonly end: (exit: Exit.Exit<unknown, unknown>) => void
  /** Runs a part of the work below the span. */
  readonly part: <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

/** Opens a span below the fiber's span, if that is sampled. */
export const open = <A, E>(
  fiber: Fiber.RuntimeFiber<A, E>,
  name: string,
  attributes: Record<string, unknown>
): OpenSpan | undefined => {
  if (parentOf(fiber) === undefined || !isTraced(fiber)) return undefined
  const span = begin(fiber, name, { attributes })
  let isOpen = true
  return {
    span,
    end: (exit) => {
      if (isOpen) end(fiber, span, exit)
      isOpen = false
    },
    part: Effect.withParentSpan(span)
  }
}

/** Links the span of the fiber and the other spans to each other. */
export const link = <A, E>({ currentSpan }: Fiber.RuntimeFiber<A, E>, others: ReadonlyArray<Tracer.AnySpan>): void => {
  if (currentSpan?._tag !== "Span" || others.length === 0) return
  currentSpan.addLinks(others.map((span) => ({ _tag: "SpanLink", span, attributes: {} })))
  for (const other of others) {
    if (other._tag === "Span") other.addLinks([{ _tag: "SpanLink", span: currentSpan, attributes: {} }])
  }
}

/**
 * As `Stream.unwrap`. That treats the effect as a Stream of one Stream, which costs each Stream 4 KiB and a step for each
 * chunk.
 */
const unwrap = <A, E, R>(stream: Effect.Effect<Stream.Stream<A, E, R>, E, R>): Stream.Stream<A, E, R> =>
  Stream.fromChannel(Channel.unwrap(Effect.map(stream, Stream.toChannel)))

/** Adds a span to a Stream, for as long as the Stream runs. */
export const tracedStream =
  (name: string, attributes?: Record<string, unknown>) =>
  <A, E, R>(self: Stream.Stream<A, E, R>): Stream.Stream<A, E, R> =>
    unwrap(
      Effect.withFiberRuntime<Stream.Stream<A, E, R>>((fiber) => {
        const decision = decide(fiber, name)
        if (decision === "skip") return Effect.succeed(self)
        return Effect.succeed(
          decision === "drop"
            ? Stream.provideService(self, Tracer.ParentSpan, new Unsampled())
            : Stream.withSpan(self, name, { captureStackTrace: false, context: DECIDED, attributes })
        )
      })
    )

/** Adds an attribute to the current span, if there is one. */
export const annotate = (key: string, value: unknown): Effect.Effect<void> =>
  Effect.withFiberRuntime((fiber) => annotated(fiber, key, value, Effect.void))

/** Adds an attribute to the span of the fiber, if there is one. */
export const attribute = <A, E>({ currentSpan }: Fiber.RuntimeFiber<A, E>, key: string, value: unknown): void => {
  if (currentSpan?._tag === "Span") currentSpan.attribute(key, value)
}

/** Adds an attribute to the fiber's span and returns the effect. It saves two steps of the fiber. */
export const annotated = <A, E, R>(
  fiber: Fiber.RuntimeFiber<A, E>,
  key: string,
  value: unknown,
  self: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => {
  attribute(fiber, key, value)
  return self
}

/** The span of a call for which another fiber does the work. */
export interface Trace {
  readonly tracer: Tracer.Tracer
  readonly span: Tracer.AnySpan
}

/** The trace of the fiber, if it is sampled. */
export const traceOf = <A, E>(fiber: Fiber.RuntimeFiber<A, E>): Trace | undefined =>
  fiber.currentSpan !== undefined && isTraced(fiber)
    ? { tracer: fiber.currentTracer, span: fiber.currentSpan }
    : undefined

/** Maximum calls that a span names. OpenTelemetry allows 128 links; readers need only a few. */
const MAX_LINKS = 16

/**
 * Runs work that serves several calls at once. Its spans are children of the first call's span and link to the others'
 * (at most 16 calls; `pod.calls` has their number). If no call is traced, the work makes no spans, so it begins no
 * trace.
 */
export const serving =
  (calls: ReadonlyArray<{ readonly trace: Trace | undefined }>) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.withFiberRuntime((fiber) => {
      const traces = Arr.filterMap(calls, ({ trace }) => Option.fromNullable(trace))
      const [first, ...others] = traces
      if (first === undefined) return hasTracer(fiber) ? Effect.withParentSpan(self, new Unsampled()) : self
      const linked = others
        .slice(0, MAX_LINKS - 1)
        .reduce<Effect.Effect<A, E, R>>((effect, { span }) => Effect.linkSpans(effect, span), self)
      return linked.pipe(
        Effect.annotateSpans("pod.calls", traces.length),
        Effect.withParentSpan(first.span),
        Effect.withTracer(first.tracer)
      )
    })
