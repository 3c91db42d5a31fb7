/**
 * Decides which browser requests a served cluster answers.
 *
 * A web page may send requests to any host, including this machine, and a page's name may be rebound to this machine
 * after loading (DNS rebinding). `Origin` names the page, and `Host` the name by which the client reached the machine.
 * A client other than a browser sends no `Origin`, and its user chose the `Host`.
 */
import { isIP } from "node:net"
import * as Either from "effect/Either"
import { InvalidInput } from "../../../src/InvalidInput.js"
import * as SafeText from "../../../src/SafeText.js"

/** The headers that name the page and the machine. */
interface Named {
  readonly host?: string | undefined
  readonly origin?: string | undefined
}

export interface Admission {
  /** The reason to refuse a request with these headers; undefined if it is admitted. */
  readonly refusal: (headers: Named) => string | undefined
}

const LOOPBACK = /^(?:(?:[^.]+\.)*localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

const WILDCARDS: ReadonlySet<string> = new Set(["0.0.0.0", "::", ""])

/** Maximum length of a header: more than any origin with scheme, name and port. */
const MAX_HEADER = 300

const MAX_SHOWN = 100

const urlOf = (text: string): URL | undefined =>
  text.length <= MAX_HEADER && URL.canParse(text) ? new URL(text) : undefined

const hostOf = (address: string): string => (address.includes(":") ? `[${address}]` : address.toLowerCase())

const isAddress = (name: string): boolean => isIP(name.replace(/^\[|\]$/g, "")) !== 0

/** The name in a `Host` header, in the form of a URL's hostname. */
const nameOf = (header: string): string | undefined =>
  /[\s/?#@\\]/.test(header) ? undefined : urlOf(`http://${header}`)?.hostname

/** A name that a content policy may contain. */
const PLAIN_NAME = /^[\w.:[\]-]+$/

/**
 * The origin of the WebSocket server, one port above the server in the `Host` header; undefined without a valid one.
 */
export const socketsOf = (host: string | undefined): string | undefined => {
  const url = host === undefined || nameOf(host) === undefined ? undefined : urlOf(`http://${host}`)
  return url && PLAIN_NAME.test(url.hostname)
    ? `ws://${url.hostname}:${Number(url.port === "" ? 80 : url.port) + 1}`
    : undefined
}

/**
 * Admits pages and names of this machine, of the listening address, and of the given origins. A server that listens on
 * all addresses also admits any IP address.
 */
export const make = (listensOn: string, allowOrigins: ReadonlyArray<string>): Either.Either<Admission, InvalidInput> =>
  Either.gen(function* () {
    const everywhere = allowOrigins.includes("*")
    const origins = new Set<string>()
    const names = new Set([hostOf(listensOn)])
    for (const [index, text] of allowOrigins.entries()) {
      if (text === "*") continue
      const url = urlOf(text)
      if (url === undefined || url.origin === "null" || `${url.origin}/` !== url.href) {
        const rule = "must be * or an origin, such as https://app.example"
        return yield* Either.left(new InvalidInput({ field: `allowOrigins[${index}]`, rule }))
      }
      origins.add(url.origin)
      names.add(url.hostname)
    }
    const takesAddresses = WILDCARDS.has(listensOn)

    const admitsOrigin = (origin: string) => {
      const url = urlOf(origin)
      return everywhere || (url !== undefined && (LOOPBACK.test(url.hostname) || origins.has(url.origin)))
    }
    const admitsHost = (header: string) => {
      const name = nameOf(header)
      if (everywhere) return true
      return name !== undefined && (LOOPBACK.test(name) || names.has(name) || (takesAddresses && isAddress(name)))
    }

    return {
      refusal: ({ host, origin }) => {
        if (host !== undefined && !admitsHost(host)) {
          return `the host ${SafeText.make(host, MAX_SHOWN)} is not a name of this machine: allow its origin (--allow-origin)`
        }
        if (origin !== undefined && !admitsOrigin(origin)) {
          return `pages of ${SafeText.make(origin, MAX_SHOWN)} are refused: allow the origin (--allow-origin)`
        }
        return undefined
      }
    }
  })
