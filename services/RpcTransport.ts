/**
 * The interface under `RpcPool`: one endpoint as a record of functions.
 *
 * A transport speaks JSON-RPC and does not decode Solana's replies. Retries, limits, failover and coalescing are functions
 * `RpcTransport => RpcTransport`.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import * as Outside from "../src/internal/Outside.js"
import { printable } from "../src/internal/printable.js"
import * as SafeText from "../src/SafeText.js"
import * as Advice from "./internal/advice.js"
import * as Verdict from "./internal/verdict.js"

/**
 * A JSON-RPC call failed. `reason` names the cause:
 *
 * - `Transport`: no reply (refused, reset, DNS, TLS). The node may have executed the call.
 * - `Timeout`: no reply in time. The node may have executed the call.
 * - `RateLimited`: the endpoint refused the call because of its rate limit: HTTP status 429, or a JSON-RPC error under
 *   any status. `retryAfter` is the delay that the endpoint asked for, if any.
 * - `HttpStatus`: the HTTP `status` was not 200.
 * - `Decode`: the reply is not valid for the method; `detail` names the path in it.
 * - `Node`: the node answered with a JSON-RPC error: `code`, `detail` (its message) and `data`.
 * - `PoolClosed`: the scope of the pool is closed. The call was not sent, and no later one will be.
 *
 * The error contains only the host of the endpoint's URL, because paths and queries may hold API keys.
 *
 * @since 0.1.0
 * @category errors
 */
export class RpcError extends printable(
  Schema.TaggedError<RpcError>("@pod-protocol/effect/RpcError")("RpcError", {
    reason: Schema.Literal("Transport", "Timeout", "RateLimited", "HttpStatus", "Decode", "Node", "PoolClosed"),
    /** The JSON-RPC method, or `batch` when a whole array failed. */
    method: SafeText.Schema(),
    /** The failure in one sentence. */
    detail: SafeText.Schema(),
    /** Host (and port, where the URL names one) of the endpoint. */
    host: Schema.optional(SafeText.Schema()),
    /** JSON-RPC error code. */
    code: Schema.optional(Schema.Number),
    /** HTTP status. */
    status: Schema.optional(Schema.Number),
    /** JSON-RPC error data as the node sent it, e.g. the simulation behind a failed preflight. */
    data: Schema.optional(Outside.Value),
    /** Delay before the next call that the endpoint asked for. */
    retryAfter: Schema.optional(Schema.DurationFromMillis),
    cause: Schema.optional(Outside.Cause)
  }),
  { stack: false }
) {
  override get message(): string {
    return Advice.call(this)
  }

  /**
   * Whether the same call may succeed later. It does not say that repeating is safe: a `requestAirdrop` that timed
   * out may have been executed.
   */
  get isRetryable(): boolean {
    switch (this.reason) {
      case "Transport":
      case "Timeout":
      case "RateLimited":
        return true
      case "HttpStatus":
        return this.status !== undefined && Verdict.ofStatus(this.status) !== "never"
      case "Node":
        return this.code !== undefined && Verdict.ofCode(this.code, this.detail) !== "never"
      case "Decode":
      case "PoolClosed":
        return false
    }
  }
}

/**
 * A subscription ended before its subscriber did.
 *
 * - `Connect`: no WebSocket to the endpoint could be opened. `status` is the HTTP status of a refused handshake, if
 *   known.
 * - `Timeout`: the node did not answer the subscribe call in time.
 * - `Closed`: the socket was lost; notifications in between are lost with it.
 * - `Refused`: the node answered the subscribe call with a JSON-RPC error (`code`), or the pool refused it by its options.
 * - `Decode`: a notification is not valid for the subscription.
 * - `Overflow`: the subscriber was slower than the notifications and its buffer was full. No notification is dropped
 *   silently: all buffered ones are delivered first.
 * - `PoolClosed`: the scope of the pool is closed. No later subscription will be made.
 *
 * @since 0.1.0
 * @category errors
 */
export class SubscriptionError extends printable(
  Schema.TaggedError<SubscriptionError>("@pod-protocol/effect/SubscriptionError")("SubscriptionError", {
    reason: Schema.Literal("Connect", "Timeout", "Closed", "Refused", "Decode", "Overflow", "PoolClosed"),
    /** The JSON-RPC method, e.g. `accountSubscribe`. */
    method: SafeText.Schema(),
    /** The failure in one sentence. */
    detail: SafeText.Schema(),
    /** Host (and port, where the URL names one) of the endpoint. */
    host: Schema.optional(SafeText.Schema()),
    /** JSON-RPC error code. */
    code: Schema.optional(Schema.Number),
    /** HTTP status of the refused handshake. */
    status: Schema.optional(Schema.Number),
    cause: Schema.optional(Outside.Cause)
  })
) {
  override get message(): string {
    return Advice.subscription(this)
  }

  /** Whether subscribing again may work. */
  get isRetryable(): boolean {
    switch (this.reason) {
      case "Timeout":
      case "Closed":
      case "Overflow":
        return true
      case "Connect":
        return this.status === undefined || Verdict.ofStatus(this.status) !== "never"
      case "Refused":
        return this.code !== undefined && Verdict.ofCode(this.code, this.detail) !== "never"
      case "Decode":
      case "PoolClosed":
        return false
    }
  }
}

/**
 * One call of a JSON-RPC array.
 *
 * @since 0.1.0
 * @category models
 */
export interface RpcCall {
  readonly method: string
  readonly params: ReadonlyArray<unknown>
}

/**
 * The kinds of subscription of a Solana node. `account` means `accountSubscribe`, `accountNotification` and
 * `accountUnsubscribe`.
 *
 * @since 0.1.0
 * @category models
 */
export type SubscriptionKind = "account" | "program" | "logs" | "signature" | "slot" | "root"

/**
 * One endpoint. A result is the value that the node sent as `result`, not yet validated; its integers may be `number`
 * or `bigint`. Parameters may contain `bigint`s, which are sent as JSON integers. Over HTTP, the result of a long
 * `getProgramAccounts` or `getMultipleAccounts` may be a `LongResult`: its list is still text, which `LongResult.whole`
 * parses. Decorators pass it on unchanged.
 *
 * @since 0.1.0
 * @category models
 */
export interface RpcTransport {
  /** Host (and port, where the URL names one) for spans and errors; never a path or a query. */
  readonly host: string
  /** Makes one call. Interruption aborts it. */
  readonly request: (method: string, params: ReadonlyArray<unknown>) => Effect.Effect<unknown, RpcError>
  /**
   * Makes several calls as one JSON-RPC array, and returns the results in the order of the calls. A failed call does
   * not affect the others. The whole effect fails only if the reply cannot be split into answers.
   */
  readonly batch: (
    calls: ReadonlyArray<RpcCall>
  ) => Effect.Effect<ReadonlyArray<Either.Either<unknown, RpcError>>, RpcError>
  /**
   * Emits the `result` of each notification. It subscribes when the Stream runs, and unsubscribes when the Stream ends
   * or is interrupted. The Stream ends only with an error.
   */
  readonly subscribe: (
    kind: SubscriptionKind,
    params: ReadonlyArray<unknown>
  ) => Stream.Stream<unknown, SubscriptionError>
}
