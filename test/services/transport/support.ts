import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import * as Stream from "effect/Stream"
import type { RpcCall, RpcTransport } from "../../../services/RpcTransport.js"
import { RpcError, SubscriptionError } from "../../../services/RpcTransport.js"

export interface Recorded extends RpcCall {
  /** Clock milliseconds at which it reached the transport. */
  readonly at: number
}

export interface Fake extends RpcTransport {
  /** Every call that reached it, arrays as method `batch` with the calls as params. */
  readonly calls: Array<Recorded>
}

export interface Script {
  readonly host?: string
  readonly request?: (method: string, params: ReadonlyArray<unknown>, nth: number) => Effect.Effect<unknown, RpcError>
  readonly batch?: (
    calls: ReadonlyArray<RpcCall>,
    nth: number
  ) => Effect.Effect<ReadonlyArray<Either.Either<unknown, RpcError>>, RpcError>
  readonly subscribe?: RpcTransport["subscribe"]
}

/** A transport that records what reaches it and answers by script; the default answer is `[method, ...params]`. */
export const fake = (script: Script = {}): Fake => {
  const calls: Array<Recorded> = []
  const record = (method: string, params: ReadonlyArray<unknown>): Effect.Effect<number> =>
    Effect.map(Clock.currentTimeMillis, (at) => calls.push({ method, params, at }))
  const answer = script.request ?? ((method, params) => Effect.succeed([method, ...params]))
  return {
    host: script.host ?? "fake",
    calls,
    request: (method, params) => Effect.flatMap(record(method, params), (nth) => answer(method, params, nth)),
    batch: (items) =>
      Effect.flatMap(record("batch", items), (nth) =>
        script.batch === undefined
          ? Effect.forEach(items, ({ method, params }) => Effect.either(answer(method, params, nth)))
          : script.batch(items, nth)
      ),
    subscribe:
      script.subscribe ??
      ((kind) =>
        Stream.fail(new SubscriptionError({ reason: "Connect", method: `${kind}Subscribe`, detail: "unscripted" })))
  }
}

/** A failure with that reason. */
export const failure = (
  reason: RpcError["reason"],
  rest: Partial<Pick<RpcError, "method" | "code" | "status" | "retryAfter" | "host">> = {}
): RpcError => new RpcError({ reason, method: "getSlot", detail: "scripted", ...rest })

export const fail = (
  reason: RpcError["reason"],
  rest: Parameters<typeof failure>[1] = {}
): Effect.Effect<never, RpcError> => Effect.fail(failure(reason, rest))
