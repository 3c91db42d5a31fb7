/**
 * What an endpoint keeps secret: its URLs and headers, which gateways repeat in what they answer.
 */
import * as Redacted from "effect/Redacted"
import type * as Outside from "../../src/internal/Outside.js"
import * as SafeText from "../../src/SafeText.js"
import type { Endpoint } from "./Url.js"

/** A function that cuts out what the URLs and the headers of an endpoint keep secret. */
export const redactor = ({ url, wsUrl }: Endpoint, headers: { readonly [name: string]: string }): Outside.Show =>
  SafeText.redactor([
    ...SafeText.secretsOf(Redacted.value(url).href),
    ...SafeText.secretsOf(Redacted.value(wsUrl).href),
    ...Object.values(headers).flatMap((value) => [value, ...value.split(" ").filter(isToken)])
  ])

/** Not the scheme of an `Authorization` header. */
const isToken = (part: string): boolean => part.length > MAX_SCHEME_LENGTH

const MAX_SCHEME_LENGTH = 7
