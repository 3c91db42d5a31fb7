/**
 * Records in a timeline the span for which the process works.
 *
 * A tracer's `context` runs around each step of a fiber, so it sees each change of the current span within a fiber. A
 * supervisor sees when a fiber starts and stops running; between fibers there is no span.
 */
import * as Context from "effect/Context"
import type * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Supervisor from "effect/Supervisor"
import * as Tracer from "effect/Tracer"
import { SpanTimeline } from "../../src/observe/SpanTimeline.js"

type Services = Context.Context<DefaultServices.DefaultServices>

export interface SpanRecorder {
  readonly timeline: SpanTimeline
  /** The services of a recorded fiber. */
  readonly services: (services: Services) => Services
  /** The supervisor of a recorded fiber. */
  readonly supervisor: <A>(supervisor: Supervisor.Supervisor<A>) => Supervisor.Supervisor<unknown>
  /** Runs an effect and records its fibers. */
  readonly follow: <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

class Turns extends Supervisor.AbstractSupervisor<void> {
  readonly value = Effect.void

  constructor(readonly note: (span: Tracer.AnySpan | undefined) => void) {
    super()
  }

  override onResume<A, E>(fiber: Fiber.RuntimeFiber<A, E>): void {
    this.note(fiber.currentSpan)
  }

  override onSuspend(): void {
    this.note(undefined)
  }
}

/** A recorder over a clock in microseconds. */
export const make = (now: () => number): SpanRecorder => {
  const timeline = new SpanTimeline()
  let current: Tracer.AnySpan | undefined

  const note = (span: Tracer.AnySpan | undefined): void => {
    if (span === current) return
    current = span
    timeline.note(now(), span)
  }

  const turns = new Turns(note)

  const followed = (tracer: Tracer.Tracer): Tracer.Tracer => {
    // CallTree recognises this function by its name, also in a bundle
    const podProfilerHook: Tracer.Tracer["context"] = (f, fiber) => {
      if (fiber.currentSpan !== current) note(fiber.currentSpan)
      return tracer.context(f, fiber)
    }
    return Tracer.make({ span: (...span) => tracer.span(...span), context: podProfilerHook })
  }

  const services = (all: Services): Services =>
    Context.add(all, Tracer.Tracer, followed(Context.get(all, Tracer.Tracer)))

  return {
    timeline,
    services,
    supervisor: (supervisor) => supervisor.zip(turns),
    follow: (self) =>
      Effect.tracerWith((tracer) => self.pipe(Effect.withTracer(followed(tracer)), Effect.supervised(turns)))
  }
}
