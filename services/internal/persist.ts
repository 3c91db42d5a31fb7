/** Retries reads until they succeed or fail for good. */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { RpcError } from "../RpcTransport.js"

/** The first wait, in milliseconds. */
const BASE = 250

/** Retries after replies that cannot be decoded, over about 8 seconds. */
const DECODE_RETRIES = 5

/**
 * Retries a read until it succeeds or fails with an error that is not retryable. A reply that cannot be decoded is
 * retried a few times: it may be an error page of a proxy, which passes.
 */
export const persist = <A>(read: Effect.Effect<A, RpcError>): Effect.Effect<A, RpcError> =>
  read.pipe(
    Effect.retry({
      while: ({ reason }) => reason === "Decode",
      times: DECODE_RETRIES,
      schedule: Schedule.jittered(Schedule.exponential(BASE))
    }),
    Effect.retry({
      while: (error) => error.isRetryable,
      schedule: Schedule.jittered(Schedule.union(Schedule.exponential(BASE), Schedule.spaced("5 seconds")))
    })
  )
