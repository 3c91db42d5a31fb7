import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import * as Stream from "effect/Stream"
import type { RpcCall, RpcTransport } from "../../../services/RpcTransport.js"
import { RpcError, SubscriptionError } from "../../../services/RpcTransport.js"
import * as Endpoint from "../../../services/transport/Endpoint.js"
import * as Endpoints from "../../../services/transport/Endpoints.js"

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

/** A node of one cluster; its answer to everything else is its host, unless scripted. */
export const node = (
  host: string,
  script: Omit<Script, "host"> & { readonly genesis?: string; readonly slot?: bigint } = {}
) =>
  fake({
    ...script,
    host,
    request: (method, params, nth) => {
      if (method === "getGenesisHash") return Effect.succeed(script.genesis ?? "genesis")
      if (method === "getSlot") return Effect.succeed(script.slot ?? 100n)
      return script.request?.(method, params, nth) ?? Effect.succeed(host)
    }
  })

/** The endpoints over these nodes, without probes and without the check of their cluster unless asked for. */
export const pool = (
  nodes: ReadonlyArray<readonly [Fake, Endpoint.Options?]>,
  options: Endpoints.Options = { probeInterval: Infinity, genesis: "any" }
) =>
  Effect.flatMap(
    Effect.forEach(nodes, ([transport, options]) => Endpoint.make(options)(transport)),
    (endpoints) => Endpoints.make(endpoints, options)
  )
