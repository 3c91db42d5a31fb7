/**
 * The words of an endpoint, made safe to show: gateways repeat the URL and the headers of a request.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { RpcError, type RpcTransport, SubscriptionError } from "../../services/RpcTransport.js"
import * as Outside from "../../src/internal/Outside.js"
import * as SafeText from "../../src/SafeText.js"
import type { Endpoint } from "./Url.js"

/** A function that cuts out what the URLs and the headers of an endpoint keep secret. */
export const make = ({ url, wsUrl }: Endpoint, headers: { readonly [name: string]: string }) =>
  SafeText.redactor([
    ...SafeText.secretsOf(Redacted.value(url).href),
    ...SafeText.secretsOf(Redacted.value(wsUrl).href),
    ...Object.values(headers).flatMap((value) => [value, ...value.split(" ").filter(isToken)])
  ])

/** Not the scheme of an `Authorization` header. */
const isToken = (part: string): boolean => part.length > MAX_SCHEME_LENGTH

const MAX_SCHEME_LENGTH = 7

/** What OpenSSL says where the other side answers in plain HTTP. */
const isPlainAnswer = (detail: string): boolean => /wrong version number|packet length too long/i.test(detail)

const NO_TLS = "the port does not speak TLS: use http: and ws: for it, or the port that does"

/** Makes the failures of a transport safe to show, before anything logs or traces them: `clean` is of its endpoint. */
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
