/**
 * Replies with another HTTP status than 200.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { RpcError } from "../RpcTransport.js"
import * as RetryAfter from "./RetryAfter.js"

/**
 * The failure of a call whose reply has this status, and this `Retry-After` header (empty for none).
 *
 * @since 0.1.0
 * @category errors
 */
export const refused = (method: string, host: string, status: number, header: string): Effect.Effect<never, RpcError> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => {
    const retryAfter = Option.getOrUndefined(RetryAfter.parse(header, now))
    return new RpcError({
      reason: status === 429 ? "RateLimited" : "HttpStatus",
      method,
      host,
      status,
      detail: `HTTP status ${status}`,
      ...(retryAfter === undefined ? {} : { retryAfter })
    })
  })
