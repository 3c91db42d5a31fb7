/**
 * Decides which URIs may be fetched.
 *
 * The text of a URI is parsed once, and the request uses the parsed URL, in which every spelling of an IPv4 address is
 * canonical. So the checked address is the one that is connected to. Names are the exception: their addresses are
 * checked when the connection is made (`layers/MetadataNode`).
 */
import * as Either from "effect/Either"
import * as IpAddress from "../../src/internal/ipAddress.js"

/** The allowed targets. */
export interface Policy {
  readonly allowHttp: boolean
  readonly allowLoopback: boolean
}

/** The reason for refusing a URI. */
export interface Refusal {
  readonly reason: "Address" | "Uri"
  readonly detail: string
}

/** Maximum characters. A URI on the chain has at most 200 bytes, but a redirect may be longer. */
const MAX_LENGTH = 2048

/** The characters of a URI in RFC 3986, and those that browsers accept in addition: ASCII without blanks. */
const ASCII = /^[!-~]+$/

/** Names of this machine or of its network. Public resolvers do not answer them. */
const LOCAL = /(?:^|\.)(?:localhost|localdomain|local|internal|intranet|lan|home\.arpa)$/

const refuse = (reason: Refusal["reason"], detail: string): Either.Either<never, Refusal> =>
  Either.left({ reason, detail })

/** Whether a connection to the address is allowed. False for a text that is not an address. */
export const isAllowed = (address: string, { allowLoopback }: Policy): boolean => {
  const bytes = IpAddress.parse(address)
  return bytes !== undefined && (IpAddress.isPublic(bytes) || (allowLoopback && IpAddress.isLoopback(bytes)))
}

/** The address in a URL's host; `undefined` if the host is a name. */
const literalOf = ({ hostname }: URL): string | undefined => {
  const host = hostname.startsWith("[") ? hostname.slice(1, -1) : hostname
  return IpAddress.parse(host) === undefined ? undefined : host
}

const isLocalName = ({ hostname }: URL): boolean => {
  const name = hostname.replace(/\.$/, "")
  return LOCAL.test(name) || !name.includes(".")
}

/** Parses a URI, relative to the URL of a redirect, and checks whether it may be fetched. */
export const parse = (text: string, policy: Policy, base?: URL): Either.Either<URL, Refusal> => {
  if (typeof text !== "string" || text.length > MAX_LENGTH) {
    return refuse("Uri", `it is not a text of at most ${MAX_LENGTH} characters`)
  }
  if (!ASCII.test(text))
    return refuse("Uri", "it has a character that is not printable ASCII: write such names as xn--…")
  if (!URL.canParse(text, base)) return refuse("Uri", "it is not an absolute URL")
  const url = new URL(text, base)
  url.hash = ""
  if (url.protocol !== "https:" && !(url.protocol === "http:" && policy.allowHttp)) {
    return refuse("Uri", policy.allowHttp ? "it is neither https: nor http:" : "it is not https:")
  }
  if (base?.protocol === "https:" && url.protocol === "http:") return refuse("Uri", "it redirects from https: to http:")
  if (url.username !== "" || url.password !== "") return refuse("Uri", "it contains credentials")
  const literal = literalOf(url)
  if (literal === undefined ? isLocalName(url) && !isLoopbackName(url, policy) : !isAllowed(literal, policy)) {
    return refuse("Address", "its address is not public")
  }
  return Either.right(url)
}

const isLoopbackName = ({ hostname }: URL, { allowLoopback }: Policy): boolean =>
  allowLoopback && /(?:^|\.)localhost\.?$/.test(hostname)
