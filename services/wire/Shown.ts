/** Removes secrets from the errors of an endpoint, because gateways repeat the URL and the headers of a request. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import * as Outside from "../../src/internal/Outside.js"
import * as Direct from "../internal/direct.js"
import { RpcError, type RpcTransport, SubscriptionError } from "../RpcTransport.js"

/** Applies `clean` to every text in the errors of a transport, before anything logs or traces them. */
export const protect = (transport: RpcTransport, clean: Outside.Show): RpcTransport => {
  const cleaned = <E extends RpcError | SubscriptionError>({ cause, detail }: E) => ({
    detail: clean(detail),
    cause: Outside.cause(cause, clean)
  })
  const ofCall = (error: RpcError): RpcError =>
    new RpcError({ ...error, ...cleaned(error), data: Outside.value(error.data, clean) })
  const request: Direct.Request = Direct.over(
    transport.request,
    (method, params) => Effect.mapError(transport.request(method, params), ofCall),
    (start) => (caller, onEnd, method, params) =>
      start(caller, (exit) => onEnd(Exit.mapError(exit, ofCall)), method, params)
  )
  return {
    host: transport.host,
    request,
    batch: (calls) =>
      Effect.mapBoth(transport.batch(calls), {
        onFailure: ofCall,
        onSuccess: (answers) => answers.map(Either.mapLeft(ofCall))
      }),
    subscribe: (kind, params) =>
      Stream.mapError(
        transport.subscribe(kind, params),
        (error) => new SubscriptionError({ ...error, ...cleaned(error) })
      )
  }
}
