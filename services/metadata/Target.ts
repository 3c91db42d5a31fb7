/**
 * Where a document may be fetched from.
 *
 * The text of a URI is parsed once. The request uses the parsed URL, in which the platform has made every spelling of an
 * IPv4 address canonical. So what is checked here is what is connected to, except for names: their addresses are checked
 * where the connection is made (`layers/MetadataNode`).
 */
import * as Either from "effect/Either"
import * as IpAddress from "../../src/internal/ipAddress.js"

/** What may be connected to. */
export interface Policy {
  readonly allowHttp: boolean
  readonly allowLoopback: boolean
}

/** Why a URI is refused. */
export interface Refusal {
  readonly reason: "Address" | "Uri"
  readonly detail: string
}

/** Bytes of the longest URI on the chain are 200; a redirect may be longer. */
const MAX_LENGTH = 2048

/** What RFC 3986 lets a URI hold, and what browsers take beside it: ASCII without blanks. */
const ASCII = /^[!-~]+$/

/** Names of this machine or of its network, which no public resolver answers. */
const LOCAL = /(?:^|\.)(?:localhost|localdomain|local|internal|intranet|lan|home\.arpa)$/

const refuse = (reason: Refusal["reason"], detail: string): Either.Either<never, Refusal> =>
  Either.left({ reason, detail })

/** Whether a connection to the address is allowed. A text that is no address is not. */
export const isAllowed = (address: string, { allowLoopback }: Policy): boolean => {
  const bytes = IpAddress.parse(address)
  return bytes !== undefined && (IpAddress.isPublic(bytes) || (allowLoopback && IpAddress.isLoopback(bytes)))
}

/** The address that a URL's host is, if it is none to look up. */
const literalOf = ({ hostname }: URL): string | undefined => {
  const host = hostname.startsWith("[") ? hostname.slice(1, -1) : hostname
  return IpAddress.parse(host) === undefined ? undefined : host
}

const isLocalName = ({ hostname }: URL): boolean => {
  const name = hostname.replace(/\.$/, "")
  return LOCAL.test(name) || !name.includes(".")
}

/** The URL of a URI, relative to that of a redirect, if something may connect to it. */
export const parse = (text: string, policy: Policy, base?: URL): Either.Either<URL, Refusal> => {
  if (typeof text !== "string" || text.length > MAX_LENGTH) {
    return refuse("Uri", `it is no text of at most ${MAX_LENGTH} characters`)
  }
  if (!ASCII.test(text))
    return refuse("Uri", "it has a character outside of printable ASCII: write such names as xn--…")
  if (!URL.canParse(text, base)) return refuse("Uri", "it is no absolute URL")
  const url = new URL(text, base)
  url.hash = ""
  if (url.protocol !== "https:" && !(url.protocol === "http:" && policy.allowHttp)) {
    return refuse("Uri", policy.allowHttp ? "it is neither https: nor http:" : "it is not https:")
  }
  if (base?.protocol === "https:" && url.protocol === "http:") return refuse("Uri", "it leads from https: to http:")
  if (url.username !== "" || url.password !== "") return refuse("Uri", "it holds credentials")
  const literal = literalOf(url)
  if (literal === undefined ? isLocalName(url) && !isLoopbackName(url, policy) : !isAllowed(literal, policy)) {
    return refuse("Address", "it names an address that is not public")
  }
  return Either.right(url)
}

const isLoopbackName = ({ hostname }: URL, { allowLoopback }: Policy): boolean =>
  allowLoopback && /(?:^|\.)localhost\.?$/.test(hostname)
