/**
 * Text from outside (a node's words, an on-chain name, a file), made safe to show in an error, a log or a terminal.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import * as ParseResult from "effect/ParseResult"
import * as EffectSchema from "effect/Schema"
import type * as AST from "effect/SchemaAST"

/**
 * Characters that {@link make} leaves of a text by default.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_LENGTH = 500

const ELLIPSIS = "…"

const ESC = "\u001b"
const BEL = "\u0007"
/** The one-character forms of `ESC [`, `ESC P`, `ESC ]` and `ESC \`. */
const [CSI, DCS, OSC, ST] = ["\u009b", "\u0090", "\u009d", "\u009c"]

/** Terminal commands: control sequences, strings for the terminal (titles, links, clipboard), and short escapes. */
const COMMANDS = new RegExp(
  [
    `(?:${ESC}\\[|${CSI})[0-?]*[ -/]*[@-~]`,
    `(?:${ESC}[\\]PX^_]|[${DCS}${OSC}])[^${BEL}${ESC}${DCS}${OSC}${ST}]*(?:${BEL}|${ESC}\\\\|${ST})`,
    `${ESC}[ -/]*[0-~]`
  ].join("|"),
  "g"
)

const LONE_SURROGATES = /\p{Cs}/gu
const LINE_BREAKS = /[\t-\r\u0085\u2028\u2029]+/g
/** Format characters turn the direction of writing, or are not seen at all. */
const INVISIBLE = /[\p{Cc}\p{Cf}]/gu
const STACKED_MARKS = /(\p{M}{4})\p{M}+/gu

const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]|\p{M}{5}/u

/** Surrogates come first: what is removed between two of them would join them to another invisible character. */
const clean = (text: string): string =>
  UNSAFE.test(text)
    ? text
        .replace(LONE_SURROGATES, "\ufffd")
        .replace(COMMANDS, "")
        .replace(LINE_BREAKS, " ")
        .replace(INVISIBLE, "")
        .replace(STACKED_MARKS, "$1")
    : text

const isHighSurrogate = (code: number): boolean => code >= 0xd800 && code < 0xdc00

const shorten = (text: string, maxLength: number, isCut: boolean): string => {
  if (text.length <= maxLength && !isCut) return text
  const end = Math.min(text.length, Math.max(maxLength - ELLIPSIS.length, 0))
  return text.slice(0, isHighSurrogate(text.charCodeAt(end - 1)) ? end - 1 : end) + ELLIPSIS
}

/** Characters looked at for each that may be left, so that the work is bounded, too. */
const READ_PER_CHARACTER = 4

/**
 * One line of at most `maxLength` characters (UTF-16 units; default {@link MAX_LENGTH}); what is cut off leaves `…`.
 * Terminal commands, control characters, characters that turn the direction of writing or are not seen, and heaps of
 * combining marks are removed; line breaks and tabs become a blank. A text that is safe is returned as it is. The time
 * depends on `maxLength` alone.
 *
 * @example
 * ```ts
 * import { SafeText } from "@pod-protocol/effect"
 *
 * console.log(SafeText.make("agent\u001b[2J\u202e seven")) // "agent seven"
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (text: string, maxLength = MAX_LENGTH): string => {
  const limit = maxLength * READ_PER_CHARACTER
  const isCut = text.length > limit
  return shorten(clean(isCut ? text.slice(0, limit) : text), maxLength, isCut)
}

const reader =
  (read: (text: string) => string) =>
  () =>
  (input: unknown, _: unknown, ast: AST.Declaration): Effect.Effect<string, ParseResult.ParseIssue> =>
    typeof input === "string" ? ParseResult.succeed(read(input)) : ParseResult.fail(new ParseResult.Type(ast, input))

/**
 * A text in a model that is made safe, as {@link make} does, when the model is made or decoded.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Schema = (maxLength = MAX_LENGTH): EffectSchema.Schema<string> =>
  EffectSchema.declare(
    [],
    { decode: reader((text) => make(text, maxLength)), encode: reader((text) => text) },
    {
      identifier: "SafeText",
      jsonSchema: { type: "string", maxLength },
      arbitrary: () => (fc) => fc.string({ maxLength })
    }
  )

/** What stands in the place of a secret, as in Effect's `Redacted`. */
const REDACTED = "<redacted>"

/** A shorter part of a URL is no key, and may be part of any word. */
const MIN_SECRET_LENGTH = 4

/** Parts of URLs that are no keys, and stand in many sentences of a node. */
const PUBLIC_PARTS: ReadonlySet<string> = new Set(
  (
    "account block confirmed devnet finalized http https json json-rpc jsonrpc mainnet mainnet-beta node processed " +
    "program public slot solana solana-devnet solana-mainnet testnet transaction true false"
  ).split(" ")
)

const isSecret = (part: string): boolean => part.length >= MIN_SECRET_LENGTH && !PUBLIC_PARTS.has(part.toLowerCase())

/** `%2B` and `+` may both be written for the same byte. */
const decoded = (part: string): string => {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/**
 * The parts of a URL that may hold an API key or a password: path, query and user, as wholes and in parts, as they are
 * written and decoded. None for a text that is no URL.
 *
 * @since 0.1.0
 * @category redaction
 */
export const secretsOf = (url: string): ReadonlyArray<string> => {
  if (!URL.canParse(url)) return []
  const { hash, password, pathname, search, username } = new URL(url)
  const pairs = [search, hash].flatMap((part) => part.slice(1).split("&"))
  const values = pairs.map((pair) => pair.slice(pair.indexOf("=") + 1))
  const parts = [
    ...[pathname + search, pathname, search, hash].filter((part) => part.length > 1),
    ...pairs.filter((pair) => pair.includes("=")),
    ...(password === "" ? [] : [`${username}:${password}`]),
    ...[username, password, ...pathname.split("/"), ...values].filter(isSecret)
  ]
  return [...new Set(parts.flatMap((part) => [part, decoded(part)]))]
}

/** A user in a URL, and the values of parameters that are named as keys are. */
const USERS = /\b([a-z][a-z\d+.-]{1,15}:\/\/)[^\s/@?#"']{1,256}@/gi
const KEYS = /([?&][\w-]{0,32}(?:auth|key|password|secret|token)[\w-]{0,8}=)[^&\s"'<>]+/gi

/**
 * As {@link make}, and each of `secrets` is cut out, in capitals or not: for the words of a node, which may repeat the
 * URL or a header of the request. So are users and values named as keys in whatever URL the text has. `secrets` come
 * from {@link secretsOf} and from headers.
 *
 * @since 0.1.0
 * @category redaction
 */
export const redactor = (secrets: Iterable<string>): ((text: string, maxLength?: number) => string) => {
  const longestFirst = [...new Set(secrets)].filter((secret) => secret !== "").toSorted((a, b) => b.length - a.length)
  const longest = longestFirst[0]?.length ?? 0
  const known = new RegExp(longestFirst.map(escaped).join("|"), "gi")
  const cut = (text: string): string => (longest === 0 ? text : text.replace(known, REDACTED))
  return (text, maxLength = MAX_LENGTH) => {
    const limit = maxLength * READ_PER_CHARACTER + longest
    const isCut = text.length > limit
    const read = cut(clean(isCut ? text.slice(0, limit) : text))
      .replace(USERS, "$1")
      .replace(KEYS, `$1${REDACTED}`)
    // A secret that goes on after the cut is not known any more.
    return shorten(isCut ? read.slice(0, Math.max(read.length - longest, 0)) : read, maxLength, isCut)
  }
}

const escaped = (text: string): string => text.replace(/[$()*+.?[\\\]^{|}]/g, "\\$&")
