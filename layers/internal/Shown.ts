/** Makes the messages of an endpoint safe to show: gateways repeat the URL and the headers of a request. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { RpcError, type RpcTransport, SubscriptionError } from "../../services/RpcTransport.js"
import * as Outside from "../../src/internal/Outside.js"
import * as SafeText from "../../src/SafeText.js"
import type { Endpoint } from "./Url.js"

/** Returns a function that removes the secrets of an endpoint's URLs and headers from a text. */
export const make = ({ url, wsUrl }: Endpoint, headers: { readonly [name: string]: string }) =>
  SafeText.redactor([
    ...SafeText.secretsOf(Redacted.value(url).href),
    ...SafeText.secretsOf(Redacted.value(wsUrl).href),
    ...Object.values(headers).flatMap((value) => [value, ...value.split(" ").filter(isToken)])
  ])

/** Whether a part of an `Authorization` header is a token, not the scheme. */
const isToken = (part: string): boolean => part.length > MAX_SCHEME_LENGTH

const MAX_SCHEME_LENGTH = 7

/** Matches OpenSSL's messages about a peer that replies in plain HTTP. */
const isPlainAnswer = (detail: string): boolean => /wrong version number|packet length too long/i.test(detail)

const NO_TLS = "the port does not speak TLS: use http: and ws: for it, or the port that does"

/**
 * Makes the failures of a transport safe to show before anything logs or traces them. `clean` removes the endpoint's
 * secrets.
 */
export const protect = (transport: RpcTransport, clean: Outside.Show): RpcTransport => {
  const cleaned = <E extends RpcError | SubscriptionError>({ cause, detail }: E) => ({
    detail: isPlainAnswer(detail) ? NO_TLS : clean(detail),
    cause: Outside.cause(cause, clean)
  })
  const ofCall = (error: RpcError): RpcError =>
    new RpcError({ ...error, ...cleaned(error), data: Outside.value(error.data, clean) })
  return {
    host: transport.host,
    request: (method, params) => Effect.mapError(transport.request(method, params), ofCall),
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
