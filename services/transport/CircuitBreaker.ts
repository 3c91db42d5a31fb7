/**
 * Refuses calls to an endpoint that fails, and probes it with one call at a time until it answers again.
 *
 * - Closed: calls pass. `failures` failures in a row open the circuit.
 * - Open: calls fail without I/O, for `cooldown`.
 * - Half-open: one call passes as a probe, the others fail. The probe's success closes the circuit. Its failure opens the
 *   circuit for twice as long.
 *
 * Invariants: at most one probe is in flight; an interrupted probe leaves its place to the next call; a call that ends
 * after the circuit opened changes nothing until the circuit is closed.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { integer, millis } from "../../src/internal/check.js"
import type { InvalidInput } from "../../src/InvalidInput.js"
import * as Deadline from "../Deadline.js"
import * as Direct from "../internal/direct.js"
import type { RpcTransport } from "../RpcTransport.js"
import { RpcError, SubscriptionError } from "../RpcTransport.js"
import { SubscriptionObserver } from "../SubscriptionObserver.js"
import * as Health from "./Health.js"

/** When a circuit opens, and for how long. */
export interface Options {
  /**
   * Failures in a row that open the circuit. Default: 5. A 429 does not count. Too low: a short failure opens the circuit.
   * Too high: that many calls wait for a dead endpoint.
   */
  readonly failures?: number | undefined
  /**
   * How long the circuit stays open at first; each failed probe doubles it. Default: 1 second. Too low: a dead endpoint is
   * probed often. Too high: a recovered endpoint idles.
   */
  readonly cooldown?: Duration.DurationInput | undefined
  /** Maximum of `cooldown` after failed probes. Default: 30 seconds. Too low and too high as `cooldown`. */
  readonly maxCooldown?: Duration.DurationInput | undefined
}

/** Closed: calls pass. Open: calls are refused. Half-open: a probe may pass or is in flight. */
export type State = "closed" | "open" | "half-open"

/** The state machine of one circuit; times are milliseconds of one monotonic clock, as `Deadline.now` reads it. */
export interface Circuit {
  readonly state: (now: number) => State
  /** Milliseconds until a call may pass; 0 is now. `Infinity` while a probe is in flight. */
  readonly wait: (now: number) => number
  /** The pass of a call, or `undefined` if the call is refused. The caller must end each pass exactly once. */
  readonly enter: (now: number) => Pass | undefined
}

/** The permission of one call. */
export interface Pass {
  /** Records the outcome of the call. `now` is used for the outcome `"failed"` only. */
  readonly end: (outcome: Health.Outcome, now: number) => void
}

/** Makes a circuit, which starts closed. */
export const circuit = (options: Options = {}): Effect.Effect<Circuit, InvalidInput> =>
  Effect.gen(function* () {
    const threshold = yield* integer("failures", options.failures ?? 5, 1)
    const first = yield* millis("cooldown", options.cooldown ?? "1 second")
    const longest = yield* millis("maxCooldown", options.maxCooldown ?? "30 seconds")

    let failures = 0
    let cooldown = first
    let openUntil: number | undefined
    let probing = false

    const call: Pass = {
      end: (outcome, now) => {
        if (openUntil !== undefined || outcome === "inconclusive") return
        failures = outcome === "answered" ? 0 : failures + 1
        if (failures >= threshold) openUntil = now + cooldown
      }
    }

    const probe: Pass = {
      end: (outcome, now) => {
        probing = false
        if (outcome === "failed") {
          cooldown = Math.min(longest, cooldown * 2)
          openUntil = now + cooldown
        } else if (outcome === "answered") {
          failures = 0
          cooldown = first
          openUntil = undefined
        }
      }
    }

    return {
      state: (now) => (openUntil === undefined ? "closed" : probing || now >= openUntil ? "half-open" : "open"),
      wait: (now) => (openUntil === undefined ? 0 : probing ? Infinity : Math.max(0, openUntil - now)),
      enter: (now) => {
        if (openUntil === undefined) return call
        if (probing || now < openUntil) return undefined
        probing = true
        return probe
      }
    }
  })

/** The outcome of a failed call. A 429 is inconclusive, because the rate limit handles it. */
const judge = (cause: Cause.Cause<RpcError>, sent: Health.Sent, now: number): Health.Outcome => {
  const error = Cause.failureOption(cause)
  return Option.isSome(error) && error.value.reason === "RateLimited" ? "inconclusive" : Health.judge(cause, sent, now)
}

/** Ends the pass of a call. */
const end = <A, X, E>(
  fiber: Fiber.RuntimeFiber<X, E>,
  pass: Pass,
  sent: Health.Sent,
  exit: Exit.Exit<A, RpcError>
): void => {
  if (Exit.isSuccess(exit)) return pass.end("answered", sent.start)
  const now = Deadline.now(fiber)
  pass.end(judge(exit.cause, sent, now), now)
}

/**
 * Guards the calls of a transport by one circuit and its subscriptions by another, because they use different sockets. A
 * refused call fails with `RpcError{reason: "Transport"}`. Its `retryAfter` is the time until the next probe. A
 * subscription ends its pass when it is established or fails.
 */
export const protect =
  (circuits: { readonly calls: Circuit; readonly subscriptions: Circuit }) =>
  (transport: RpcTransport): RpcTransport => {
    const detail = "not sent, the endpoint has failed several times in a row"

    const guard = <A>(method: string, call: Effect.Effect<A, RpcError>): Effect.Effect<A, RpcError> =>
      Effect.uninterruptibleMask((restore) =>
        Effect.withFiberRuntime((fiber) => {
          const start = Deadline.now(fiber)
          const pass = circuits.calls.enter(start)
          if (pass === undefined) {
            const wait = circuits.calls.wait(start)
            return Effect.fail(
              new RpcError({
                reason: "Transport",
                method,
                host: transport.host,
                detail,
                retryAfter: wait < Infinity ? Duration.millis(wait) : undefined
              })
            )
          }
          const leave = (exit: Exit.Exit<A, RpcError>) => {
            end(fiber, pass, { start, deadline: Deadline.of(fiber) }, exit)
            return exit
          }
          return Effect.matchCauseEffect(restore(call), {
            onFailure: (cause) => leave(Exit.failCause(cause)),
            onSuccess: (answer) => leave(Exit.succeed(answer))
          })
        })
      )

    const request: Direct.Request = Direct.over(
      transport.request,
      (method, params) => guard(method, transport.request(method, params)),
      (start) => (caller, onEnd, method, params) => {
        const pass = circuits.calls.enter(caller.now)
        if (pass === undefined) return undefined
        const sent = { start: caller.now, deadline: caller.deadline }
        const passed = Direct.watched(start, (exit) => end(caller.fiber, pass, sent, exit))
        return passed(caller, onEnd, method, params)
      }
    )

    const subscribe: RpcTransport["subscribe"] = (kind, params) =>
      Stream.unwrapScoped(
        Effect.uninterruptible(
          Effect.withFiberRuntime((fiber) => {
            const pass = circuits.subscriptions.enter(Deadline.now(fiber))
            if (pass === undefined) {
              return Effect.succeed(
                Stream.fail(
                  new SubscriptionError({
                    reason: "Connect",
                    method: `${kind}Subscribe`,
                    host: transport.host,
                    detail
                  })
                )
              )
            }
            let ended = false
            const end = (outcome: Health.Outcome): Effect.Effect<void> =>
              Effect.withFiberRuntime((fiber) => {
                if (!ended) pass.end(outcome, Deadline.now(fiber))
                ended = true
                return Effect.void
              })
            const observer = Context.get(fiber.currentContext, SubscriptionObserver)
            const stream = transport.subscribe(kind, params).pipe(
              Stream.tapError((error) => end(error.reason === "Refused" ? "answered" : "failed")),
              Stream.provideService(SubscriptionObserver, {
                ...observer,
                established: (subscription) => Effect.zipRight(end("answered"), observer.established(subscription))
              })
            )
            return Effect.as(
              Effect.addFinalizer(() => end("inconclusive")),
              stream
            )
          })
        )
      )

    return {
      host: transport.host,
      request,
      batch: (calls) => guard("batch", transport.batch(calls)),
      subscribe
    }
  }
