/**
 * Makes exported data safe: every text, name and attribute of every signal passes through this module.
 *
 * - Known secrets (headers of the exporter, `secrets` of the application) are removed wherever they occur.
 * - URLs lose their query, their user, and path segments that look like keys.
 * - Bytes become their count. A printed list of bytes, such as the content of a keypair file, becomes `<redacted>`.
 * - `Redacted` values and attributes with names of secrets become `<redacted>`.
 * - Texts are cut at 4 KiB, lists at 128 items. Objects become JSON. Reading a foreign object never throws.
 */
import * as Outside from "../../src/internal/Outside.js"
import * as SafeText from "../../src/SafeText.js"
import type { AnyValue, Attributes, KeyValue } from "./Model.js"

/** Maximum length of a text, in UTF-16 units. */
export const MAX_TEXT = 4096

/** Maximum attributes of a span, an event or a log record: OpenTelemetry's default. */
export const MAX_ATTRIBUTES = 128

const MAX_ITEMS = 128
const MAX_KEY = 255
const MAX_FRAMES = 32

const REDACTED = "<redacted>"

const ABSOLUTE = /\b([a-z][a-z\d+.-]{1,15}:\/\/[^\s"'<>?#]+)([?#](?:<redacted>|[^\s"'<>])*)?/gi

/** The query of a URL without a host, as in spans and logs of servers. */
const QUERY = /[?#][\w.~%[\]-]{1,256}=(?:<redacted>|[^\s"'<>])*/g

/** Whether a path segment looks like a key, that is, a long segment of letters and digits. Gateways put keys there. */
const isKey = (segment: string): boolean => /^[\w-]{20,}$/.test(segment) && /\d/.test(segment) && /[a-z]/i.test(segment)

const withoutKeys = (path: string): string =>
  path
    .split("/")
    .map((segment) => (isKey(segment) ? REDACTED : segment))
    .join("/")

/** A printed list of 16 bytes or more, even if its end was cut. */
const BYTES = /(?:\d{1,3}\s*,\s*){15,}(?:\d{1,3})?/g

const SECRET_NAME =
  /(?:^|[._-])(?:authorization|cookie|passw(?:or)?d|secret|token|api-?key|private-?key|secret-?key|keypair|mnemonic)(?:$|[._-])/i

const isTexts = (value: unknown): value is ReadonlyArray<string> =>
  Array.isArray(value) && value.every((item) => typeof item === "string")

/** Attributes of HTTP spans that hold a part of a URL. */
const isQuery = (key: string): boolean => key === "url.query" || key === "url.fragment"
const isPath = (key: string): boolean => key === "url.path" || key === "http.target"

export interface Shown {
  /** One safe line. */
  readonly text: (text: string, maxLength?: number) => string
  readonly value: (value: unknown) => AnyValue
  /** The first 128 attributes. */
  readonly attributes: (entries: Iterable<readonly [key: string, value: unknown]>) => Attributes
  /** The lines of a stack. */
  readonly stack: (stack: string) => string
}

/** Matches names, addresses and signatures, which are most texts. Only a known secret can be removed from them. */
const PLAIN = /^[\w. -]{0,200}$/

/** Maximum attribute names in the cache. Applications use few names. */
const MAX_KEYS = 1000

/** The treatment of an attribute's value, by its name. */
interface Key {
  readonly shown: string
  readonly isHidden: boolean
  readonly isPath: boolean
}

export const make = (secrets: ReadonlyArray<string>): Shown => {
  const redact = SafeText.redactor(secrets)
  const lowerCase = secrets.map((secret) => secret.toLowerCase())
  const hasSecret = (input: string): boolean => {
    const lower = input.toLowerCase()
    return lowerCase.some((secret) => lower.includes(secret))
  }

  const text = (input: string, maxLength = MAX_TEXT): string => {
    if (input.length <= maxLength && PLAIN.test(input) && (secrets.length === 0 || !hasSecret(input))) return input
    const safe = redact(input, maxLength)
    if (!/[?#:,]/.test(safe)) return safe
    return safe
      .replace(ABSOLUTE, (_, path: string, query = "") => withoutKeys(path) + (query === "" ? "" : `?${REDACTED}`))
      .replace(QUERY, `?${REDACTED}`)
      .replace(BYTES, REDACTED)
  }

  const object = (input: object): AnyValue => {
    const copy = Outside.value(input, text)
    if (isTexts(copy)) return { arrayValue: { values: copy.slice(0, MAX_ITEMS).map(value) } }
    return { stringValue: text(typeof copy === "string" ? copy : JSON.stringify(copy)) }
  }

  const value = (input: unknown): AnyValue => {
    switch (typeof input) {
      case "string":
        return { stringValue: text(input) }
      case "boolean":
        return { boolValue: input }
      case "number":
        if (Number.isSafeInteger(input)) return { intValue: String(input) }
        return Number.isFinite(input) ? { doubleValue: input } : { stringValue: String(input) }
      case "bigint":
        return BigInt.asIntN(64, input) === input ? { intValue: String(input) } : { stringValue: String(input) }
      case "object":
        return input === null ? { stringValue: "null" } : object(input)
      default:
        return { stringValue: typeof input === "undefined" ? "undefined" : `[${typeof input}]` }
    }
  }

  const keys = new Map<string, Key>()
  const keyOf = (name: string): Key => {
    const known = keys.get(name)
    if (known !== undefined) return known
    const key = {
      shown: text(name, MAX_KEY),
      isHidden: SECRET_NAME.test(name) || isQuery(name),
      isPath: isPath(name)
    }
    if (keys.size < MAX_KEYS && name.length <= MAX_KEY) keys.set(name, key)
    return key
  }

  const attribute = (name: string, input: unknown): KeyValue => {
    const { isHidden, isPath, shown } = keyOf(name)
    if (isHidden) return { key: shown, value: { stringValue: REDACTED } }
    const safe = value(input)
    return {
      key: shown,
      value: isPath && "stringValue" in safe ? { stringValue: withoutKeys(safe.stringValue) } : safe
    }
  }

  return {
    text,
    value,
    attributes: (entries) => {
      const attributes: Array<KeyValue> = []
      for (const [key, input] of entries) {
        if (attributes.length === MAX_ATTRIBUTES) break
        attributes.push(attribute(key, input))
      }
      return attributes
    },
    stack: (stack) =>
      stack
        .slice(0, MAX_TEXT)
        .split("\n", MAX_FRAMES)
        .map((line) => text(line))
        .join("\n")
  }
}
