/**
 * Stops asking an endpoint that does not answer, and finds out with one call at a time when it does again.
 *
 * Closed: calls pass; so many failures in a row open it. Open: calls are refused without I/O. After a while it is half
 * open: one call passes as a probe, the others are refused; its success closes the circuit, its failure opens it for twice
 * as long. An interrupted probe leaves the place to the next call.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { integer, millis } from "../../src/internal/check.js"
import type { InvalidInput } from "../../src/InvalidInput.js"
import * as Deadline from "../Deadline.js"
import type { RpcTransport } from "../RpcTransport.js"
import { RpcError, SubscriptionError } from "../RpcTransport.js"
import { SubscriptionObserver } from "../SubscriptionObserver.js"
import * as Health from "./Health.js"

/** When a circuit opens, and for how long. */
export interface Options {
  /**
   * Failures in a row that open it. Default: 5. Too low opens on a hiccup; too high makes that many calls wait for a dead
   * endpoint. A 429 is no failure here.
   */
  readonly failures?: number | undefined
  /**
   * How long it stays open the first time; twice as long after each failed probe. Default: 1 second. Too low probes a dead
   * endpoint often; too high leaves a recovered one idle.
   */
  readonly cooldown?: Duration.DurationInput | undefined
  /** The longest it stays open. Default: 30 seconds. Too low and too high as `cooldown`. */
  readonly maxCooldown?: Duration.DurationInput | undefined
}

/** Whether calls pass, are refused, or wait for what becomes of a probe. */
export type State = "closed" | "open" | "half-open"

/** The state machine of one circuit; times are milliseconds of one monotonic clock, as `Deadline.now` reads it. */
export interface Circuit {
  readonly state: (now: number) => State
  /** Milliseconds until a call is let through: 0 is now. `Infinity` while a probe is under way. */
  readonly wait: (now: number) => number
  /** A call wants through: its pass, or undefined when it is refused. Each pass must be ended once. */
  readonly enter: (now: number) => Pass | undefined
}

/** What became of a call that was let through. */
export interface Pass {
  /** The time counts where the outcome is `"failed"`. */
  readonly end: (outcome: Health.Outcome, now: number) => void
}

/** A closed circuit. */
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

/** A 429 says that the endpoint is there; the rate limit deals with it. */
const judge = (cause: Cause.Cause<RpcError>, elapsed: number): Health.Outcome => {
  const error = Cause.failureOption(cause)
  return Option.isSome(error) && error.value.reason === "RateLimited" ? "inconclusive" : Health.judge(cause, elapsed)
}

/**
 * Puts a transport's calls behind one circuit and its subscriptions behind another, since they use different sockets. A
 * refused call fails with `RpcError{reason: "Transport"}` whose `retryAfter` says when the next probe may go; a
 * subscription answers for the circuit until it stands.
 */
export const protect =
  (circuits: { readonly calls: Circuit; readonly subscriptions: Circuit }) =>
  (transport: RpcTransport): RpcTransport => {
    const detail = "not asked, it has failed several times in a row"

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
                ...(wait < Infinity ? { retryAfter: Duration.millis(wait) } : {})
              })
            )
          }
          return Effect.matchCauseEffect(restore(call), {
            onFailure: (cause) => {
              const end = Deadline.now(fiber)
              pass.end(judge(cause, end - start), end)
              return Effect.failCause(cause)
            },
            onSuccess: (answer) => {
              pass.end("answered", start)
              return Effect.succeed(answer)
            }
          })
        })
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
      request: (method, params) => guard(method, transport.request(method, params)),
      batch: (calls) => guard("batch", transport.batch(calls)),
      subscribe
    }
  }
