/**
 * Texts from outside, made fit for an error: without control characters, and without what the endpoint's URL and headers
 * keep secret, since gateways repeat the URL that they were asked for.
 */
import * as Redacted from "effect/Redacted"
import type { Endpoint } from "./Url.js"

/** Shorter values are no secrets, and cutting them out would leave holes in words. */
const MIN_SECRET = 4

const CUT = "<redacted>"

const CONTROL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu

const partsOf = ({ pathname, search, searchParams }: URL): ReadonlyArray<string> => [
  `${pathname}${search}`,
  search,
  pathname,
  ...pathname.split("/"),
  ...searchParams.values()
]

/** As a URL, and as it reads. */
const spellings = (text: string): ReadonlyArray<string> => {
  try {
    return [text, decodeURIComponent(text)]
  } catch {
    return [text]
  }
}

/**
 * A function that cleans a text for the errors of one endpoint.
 */
export const make = (
  { url, wsUrl }: Endpoint,
  headers: { readonly [name: string]: string }
): ((text: string) => string) => {
  const secrets = [...partsOf(Redacted.value(url)), ...partsOf(Redacted.value(wsUrl)), ...Object.values(headers)]
    .flatMap(spellings)
    .filter((text) => text.length >= MIN_SECRET)
    .toSorted((a, b) => b.length - a.length)
  return (text) =>
    secrets
      .reduce((shown, secret) => shown.replaceAll(secret, CUT), text)
      .replace(CONTROL, " ")
      .trim()
}
