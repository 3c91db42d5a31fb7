/** Offers a transport as Kit's typed RPC. */
import type { Rpc, SolanaRpcApi } from "@solana/kit"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Runtime from "effect/Runtime"
import type { RpcError } from "../RpcTransport.js"

type Request = (method: string, params: ReadonlyArray<unknown>) => Effect.Effect<unknown, RpcError>

/**
 * The reply in Kit's form. A JSON-RPC error of the node is passed on, and Kit makes its own error of it. Other errors
 * reject.
 */
const reply = (request: Request, payload: unknown): Effect.Effect<unknown, RpcError> => {
  if (typeof payload !== "object" || payload === null || !("method" in payload) || !("params" in payload)) {
    return Effect.dieMessage("Kit did not send a JSON-RPC request")
  }
  const { method, params } = payload
  return request(String(method), Array.isArray(params) ? params : []).pipe(
    Effect.map((result) => ({ jsonrpc: "2.0", id: "1", result })),
    Effect.catchIf(
      (error) => error.reason === "Node",
      ({ code, data, detail }) => Effect.succeed({ jsonrpc: "2.0", id: "1", error: { code, data, message: detail } })
    )
  )
}

/** Makes Kit's `Rpc`. Its promises reject with the `RpcError`. An abort signal interrupts the call. */
export const fromRequest = (request: Request): Effect.Effect<Rpc<SolanaRpcApi>> =>
  Effect.gen(function* () {
    const runtime = yield* Effect.runtime()
    const { createSolanaRpcFromTransport } = yield* Effect.promise(() => import("@solana/kit"))
    const run = Runtime.runPromiseExit(runtime)
    return createSolanaRpcFromTransport(
      // The caller of Kit chooses the type of the reply; nothing checks it at run time.
      async <A>({ payload, signal }: { readonly payload: unknown; readonly signal?: AbortSignal }): Promise<A> => {
        const exit = await run(reply(request, payload), signal === undefined ? {} : { signal })
        return Exit.isSuccess(exit) ? (exit.value as A) : Promise.reject(Cause.squash(exit.cause))
      }
    )
  })
