/**
 * The one place that makes spans, and times public calls in the `Metrics` service.
 *
 * A span is made only if the application provides a tracer, and only in a trace that is sampled. The first call of a trace
 * decides by `Telemetry`; others follow their parent. A call that is not sampled runs under a parent that says so.
 */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import { constVoid } from "effect/Function"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import { Metrics } from "../Metrics.js"
import { Telemetry } from "../Telemetry.js"
import * as Clock from "./clock.js"
import * as Hex from "./hex.js"
import * as Random from "./random.js"

/** Effect's default tracer, which drops all spans. */
const defaultTracer = Context.get(DefaultServices.liveServices, Tracer.Tracer)

const hasTracer = <A, E>({ currentTracer }: Fiber.RuntimeFiber<A, E>): boolean => currentTracer !== defaultTracer

/** Whether the fiber has a tracer that keeps spans, and is in no trace that is not sampled. */
export const isTraced = <A, E>(fiber: Fiber.RuntimeFiber<A, E>): boolean =>
  hasTracer(fiber) && fiber.currentSpan?.sampled !== false

/** The parent of all that is not sampled. It draws its ids when they are read: only requests that propagate it do. */
class Unsampled implements Tracer.ExternalSpan {
  readonly _tag = "ExternalSpan"
  readonly sampled = false
  readonly context = Context.empty()
  #traceId: string | undefined
  #spanId: string | undefined
  get traceId(): string {
    return (this.#traceId ??= Hex.encode(Random.unsafeBytes(16)))
  }
  get spanId(): string {
    return (this.#spanId ??= Hex.encode(Random.unsafeBytes(8)))
  }
}

/** What becomes of a span: it is made, it is not, or it begins a trace that is not sampled. */
const decide = <A, E>(fiber: Fiber.RuntimeFiber<A, E>, name: string): "make" | "skip" | "drop" => {
  if (!isTraced(fiber)) return "skip"
  if (fiber.currentSpan !== undefined) return "make"
  const telemetry = Context.getOption(fiber.currentContext, Telemetry)
  return Option.isNone(telemetry) || telemetry.value.samples(name) ? "make" : "drop"
}

/** In the context of a span that begins a sampled trace, so that a tracer which samples does not decide again. */
class Decided extends Context.Tag("@pod-protocol/effect/internal/Decided")<Decided, true>() {}

const DECIDED: Context.Context<never> = Context.make(Decided, true)

/** Whether the span of this context has been sampled here. */
export const isDecided = (context: Context.Context<never>): boolean =>
  Option.isSome(Context.getOption(context, Decided))

/** OpenTelemetry's `error.type`: the reason of an error, or else its class. */
const errorType = (cause: Cause.Cause<unknown>): string => {
  const failure = Option.getOrUndefined(Cause.failureOption(cause))
  if (failure === undefined) return Cause.isInterruptedOnly(cause) ? "Interrupted" : "Defect"
  if (Predicate.hasProperty(failure, "reason") && typeof failure.reason === "string") return failure.reason
  return Predicate.hasProperty(failure, "_tag") && typeof failure._tag === "string" ? failure._tag : "_OTHER"
}

/**
 * Runs the body under a parent span, and calls the function when the body has ended. As `Effect.useSpan` and
 * `Effect.withParentSpan` together, in half their steps.
 */
const under = <S extends Tracer.AnySpan, A, E, R>(
  fiber: Fiber.RuntimeFiber<A, E>,
  make: Effect.Effect<S>,
  body: Effect.Effect<A, E, R>,
  onEnd: (span: S, exit: Exit.Exit<A, E>) => void
): Effect.Effect<A, E, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(make, (span) => {
      const outside = fiber.currentContext
      const leave = (exit: Exit.Exit<A, E>) => {
        onEnd(span, exit)
        return Effect.zipRight(FiberRef.set(FiberRef.currentContext, outside), exit)
      }
      return Effect.zipRight(
        FiberRef.set(FiberRef.currentContext, Context.add(outside, Tracer.ParentSpan, span)),
        Effect.matchCauseEffect(restore(body), {
          onFailure: (cause) => leave(Exit.failCause(cause)),
          onSuccess: (value) => leave(Exit.succeed(value))
        })
      )
    })
  )

interface SpanOptions {
  readonly attributes?: Record<string, unknown> | undefined
  readonly kind?: Tracer.SpanKind
}

/** Runs the body in a span, if one is to be made. It captures no stack trace, because that costs more than the span. */
export const inSpan = <A, E, R>(
  fiber: Fiber.RuntimeFiber<A, E>,
  name: string,
  options: SpanOptions,
  body: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => {
  const decision = decide(fiber, name)
  if (decision === "skip") return body
  if (decision === "drop") return under(fiber, Effect.succeed(new Unsampled()), body, constVoid)
  return under(
    fiber,
    Effect.makeSpan(name, { captureStackTrace: false, context: DECIDED, ...options }),
    body,
    (span, exit) => {
      if (Exit.isFailure(exit)) span.attribute("error.type", errorType(exit.cause))
      span.end(fiber.getFiberRef(FiberRef.currentTracerTimingEnabled) ? Clock.nanos(fiber) : 0n, exit)
    }
  )
}

/** Times an effect in the `Metrics` service, if the fiber's context has one. */
export const tracked = <A, E, R>(
  fiber: Fiber.RuntimeFiber<A, E>,
  name: string,
  self: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => {
  const metrics = Context.getOption(fiber.currentContext, Metrics)
  return Option.isNone(metrics) ? self : metrics.value.track(name)(self)
}

/** A span around a public call, {@link tracked}. */
export const traced =
  (name: string, attributes?: Record<string, unknown>) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.withFiberRuntime((fiber) => tracked(fiber, name, inSpan(fiber, name, { attributes }, self)))

/** As {@link traced}, for a caller that has the fiber. Saves a fiber step. */
export const spanned = <A, E, R>(
  fiber: Fiber.RuntimeFiber<A, E>,
  name: string,
  attributes: Record<string, unknown>,
  body: () => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => {
  const isTimed = Option.isSome(Context.getOption(fiber.currentContext, Metrics))
  if (!isTimed && !isTraced(fiber)) return body()
  return tracked(fiber, name, inSpan(fiber, name, { attributes }, Effect.suspend(body)))
}

/** A span around a Stream, for as long as it runs. */
export const tracedStream =
  (name: string, attributes?: Record<string, unknown>) =>
  <A, E, R>(self: Stream.Stream<A, E, R>): Stream.Stream<A, E, R> =>
    Stream.unwrap(
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

const attribute = <A, E>({ currentSpan }: Fiber.RuntimeFiber<A, E>, key: string, value: unknown): void => {
  if (currentSpan?._tag === "Span") currentSpan.attribute(key, value)
}

/** Runs {@link annotate} and then the effect. Saves two fiber steps. */
export const annotated = <A, E, R>(
  fiber: Fiber.RuntimeFiber<A, E>,
  key: string,
  value: unknown,
  self: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => {
  attribute(fiber, key, value)
  return self
}

/** Runs an effect and adds attributes to the current span, if there is one, which are read when it has ended. */
export const annotatedAfter = <A, E, R>(
  fiber: Fiber.RuntimeFiber<A, E>,
  attributes: () => Record<string, unknown>,
  self: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  isTraced(fiber)
    ? Effect.ensuring(
        self,
        Effect.sync(() => {
          for (const [key, value] of Object.entries(attributes())) attribute(fiber, key, value)
        })
      )
    : self

/** The span of a call that other fibers work for. */
export interface Trace {
  readonly tracer: Tracer.Tracer
  readonly span: Tracer.AnySpan
}

/** The trace of the fiber, if it is in one that is sampled. */
export const traceOf = <A, E>(fiber: Fiber.RuntimeFiber<A, E>): Trace | undefined =>
  fiber.currentSpan !== undefined && isTraced(fiber)
    ? { tracer: fiber.currentTracer, span: fiber.currentSpan }
    : undefined

/** OpenTelemetry's collectors keep 128 links, and nobody reads more than a few. */
const MAX_LINKS = 16

/**
 * Runs what serves several calls at once. Its spans are children of the first call's, and link to the others' (at most 16
 * calls; `pod.calls` has their number). Where no call is traced it makes no spans, and so no traces of its own.
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
