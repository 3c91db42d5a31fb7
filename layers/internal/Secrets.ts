/** Redacts the secrets of an endpoint, its URLs and headers, because gateways repeat them in their answers. */
import * as Redacted from "effect/Redacted"
import type * as Outside from "../../src/internal/Outside.js"
import * as SafeText from "../../src/SafeText.js"
import type { Endpoint } from "./Url.js"

/** A function that removes the secrets of an endpoint's URLs and headers from a text. */
export const redactor = ({ url, wsUrl }: Endpoint, headers: { readonly [name: string]: string }): Outside.Show =>
  SafeText.redactor([
    ...SafeText.secretsOf(Redacted.value(url).href),
    ...SafeText.secretsOf(Redacted.value(wsUrl).href),
    ...Object.values(headers)
      .filter(isLong)
      .flatMap((value) => [value, ...value.split(" ").filter(isToken)])
  ])

/** Whether a value may be a key. A shorter one, such as `on`, occurs inside ordinary words and the names of errors. */
const isLong = (value: string): boolean => value.length >= MIN_SECRET_LENGTH

/** As for the parts of a URL in `SafeText.secretsOf`. */
const MIN_SECRET_LENGTH = 4

/** Whether a part of a header may be secret: the scheme of `Authorization` is not. */
const isToken = (part: string): boolean => part.length > MAX_SCHEME_LENGTH

const MAX_SCHEME_LENGTH = 7
