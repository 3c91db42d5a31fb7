/**
 * Makes text from outside (a node's message, an on-chain name, a file) safe to show in an error, a log or a terminal.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import * as ParseResult from "effect/ParseResult"
import * as EffectSchema from "effect/Schema"
import type * as AST from "effect/SchemaAST"

/**
 * Default maximum length of the result of {@link make}, in UTF-16 units.
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

/** Terminal commands: control sequences, string sequences (titles, links, clipboard) and short escapes. */
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
/** Control and format characters: they are invisible or change the writing direction. */
const INVISIBLE = /[\p{Cc}\p{Cf}]/gu
const STACKED_MARKS = /(\p{M}{4})\p{M}+/gu

const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]|\p{M}{5}/u

/** Replaces lone surrogates first: removing text between two of them could join them into an invisible character. */
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

/** Input characters read for each output character. It bounds the work for long inputs. */
const READ_PER_CHARACTER = 4

/**
 * Returns one line of at most `maxLength` characters (UTF-16 units; default {@link MAX_LENGTH}). A shortened text ends
 * with `…`. Removes terminal commands, control characters, invisible characters, characters that change the writing
 * direction, and more than four combining marks in a row. Replaces line breaks and tabs with a blank. Returns a safe
 * text unchanged. The time depends only on `maxLength`.
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
 * A text field of a model. The field applies {@link make} when the model is constructed or decoded.
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

/** Replacement for a secret, as in Effect's `Redacted`. */
const REDACTED = "<redacted>"

/** Minimum length of a secret. Shorter parts of a URL are not keys and occur inside ordinary words. */
const MIN_SECRET_LENGTH = 4

/** Parts of URLs that are not keys and occur in many messages of a node. */
const PUBLIC_PARTS: ReadonlySet<string> = new Set(
  (
    "account block confirmed devnet finalized http https json json-rpc jsonrpc mainnet mainnet-beta node processed " +
    "program public slot solana solana-devnet solana-mainnet testnet transaction true false"
  ).split(" ")
)

const isSecret = (part: string): boolean => part.length >= MIN_SECRET_LENGTH && !PUBLIC_PARTS.has(part.toLowerCase())

/** Decodes percent escapes and `+`: a node may repeat either form. */
const decoded = (part: string): string => {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/**
 * The parts of a URL that may hold an API key or a password: path, query, fragment, user and password. Each is returned
 * whole and in parts, as written and decoded. The result is empty if the text is not a URL.
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

/** Matches the user of a URL, and the values of parameters with names of keys. */
const USERS = /\b([a-z][a-z\d+.-]{1,15}:\/\/)[^\s/@?#"']{1,256}@/gi
const KEYS = /([?&][\w-]{0,32}(?:auth|key|password|secret|token)[\w-]{0,8}=)[^&\s"'<>]+/gi

/** Most texts have neither: a search for a substring takes a tenth of the time of an expression. */
const withoutUsers = (text: string): string => (text.includes("://") ? text.replace(USERS, "$1") : text)
const withoutKeys = (text: string): string => (text.includes("=") ? text.replace(KEYS, `$1${REDACTED}`) : text)

/**
 * Returns a function that works as {@link make} and also removes each of `secrets`, ignoring case. It is for messages
 * of a node, which may repeat the URL or a header of the request. It also removes users and values of key-like
 * parameters from every URL in the text. `secrets` come from {@link secretsOf} and from headers.
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
    const read = withoutKeys(withoutUsers(cut(clean(isCut ? text.slice(0, limit) : text))))
    // The cut may split a secret, so drop as many characters as the longest secret has.
    return shorten(isCut ? read.slice(0, Math.max(read.length - longest, 0)) : read, maxLength, isCut)
  }
}

const escaped = (text: string): string => text.replace(/[$()*+.?[\\\]^{|}]/g, "\\$&")
