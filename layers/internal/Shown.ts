/**
 * The words of an endpoint, made safe to show: gateways repeat the URL and the headers of a request.
 */
import * as Redacted from "effect/Redacted"
import * as SafeText from "../../src/SafeText.js"
import type { Endpoint } from "./Url.js"

/** A function that cuts out what the URLs and the headers of an endpoint keep secret. */
export const make = ({ url, wsUrl }: Endpoint, headers: { readonly [name: string]: string }) =>
  SafeText.redactor([
    ...SafeText.secretsOf(Redacted.value(url).href),
    ...SafeText.secretsOf(Redacted.value(wsUrl).href),
    ...Object.values(headers)
  ])
