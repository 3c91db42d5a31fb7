/**
 * A long result, `{context, value: […]}`, whose list stays text until it is decoded in parts. Parsing it at once would
 * block the event loop.
 *
 * The text is cut into pieces at `},{`. Each cut is a guess, which the parser checks. If each piece is a valid list, the
 * pieces together are the list of the text, because JSON has only one reading. If a piece fails, the whole text is parsed
 * at once, and that result counts. A cut inside a string, a repeated member and a wrong reply make a piece fail.
 *
 * The accounts of `getMultipleAccounts` are few, so they are read at once. A text that is not as a node writes it is parsed at
 * once too: if it is invalid, the call fails at its endpoint, and another one may answer it.
 *
 * @since 0.1.0
 */
import type { Address } from "@solana/kit"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import { SYSTEM_PROGRAM } from "../src/solana/Address.js"
import * as Json from "../src/solana/Json.js"
import { MAX_MULTIPLE_ACCOUNTS } from "../src/solana/Limits.js"
import * as Turns from "./internal/eventLoop.js"
import { account } from "./rpc/AccountDecoder.js"
import * as AccountTexts from "./rpc/AccountTexts.js"
import * as Decode from "./rpc/Decode.js"
import type { AccountInfo } from "./rpc/Reply.js"

/**
 * A result whose list is text; the rest of the result is parsed.
 *
 * @since 0.1.0
 * @category models
 */
export class LongResult {
  constructor(
    /** The result with a number in the place of the list. */
    readonly frame: { readonly [key: string]: unknown },
    /** The list in pieces; each is the text of some items. */
    readonly pieces: ReadonlyArray<string>,
    /** The whole reply. */
    readonly text: string
  ) {}

  /** The context of the reply, under the same name as in a parsed result. */
  get context(): unknown {
    return this.frame["context"]
  }
}

/**
 * The result of `getMultipleAccounts`, if its accounts were read from the text.
 *
 * @since 0.1.0
 * @category models
 */
export class AccountsResult extends LongResult {
  readonly #list: string
  /** The accounts, until a call has them. */
  #accounts: ReadonlyArray<Option.Option<AccountInfo>> | undefined

  constructor(
    frame: LongResult["frame"],
    list: string,
    text: string,
    /** In the order of the request. Their addresses are placeholders. */
    accounts: ReadonlyArray<Option.Option<AccountInfo>>
  ) {
    super(frame, [list], text)
    this.#list = list
    this.#accounts = accounts
  }

  /**
   * The accounts at these addresses; `undefined` unless there are as many. Equal calls may share a reply, so each reads
   * its own bytes from the text.
   */
  at(addresses: ReadonlyArray<Address>): ReadonlyArray<Option.Option<AccountInfo>> | undefined {
    const accounts = this.#accounts ?? accountsOf(this.#list)
    this.#accounts = undefined
    return accounts?.length === addresses.length
      ? Arr.zipWith(addresses, accounts, (address, account) =>
          Option.map(account, (read) => AccountTexts.withData(read, address, read.data))
        )
      : undefined
  }
}

const atPlaceholder = account(SYSTEM_PROGRAM)

const accountsOf = (list: string): ReadonlyArray<Option.Option<AccountInfo>> | undefined =>
  AccountTexts.bare(list, atPlaceholder, MAX_MULTIPLE_ACCOUNTS)

/** Default characters of a piece: some hundred small accounts, which take a fraction of a millisecond to parse. */
const PIECE = 64 * 1024

/** Maximum characters around the list; known replies have fewer. */
const MAX_FRAME = 4096

const KEY = '"value":['
const CUT = "},{"

const resultOf = (reply: unknown): unknown => (Predicate.isRecord(reply) ? reply["result"] : undefined)

const cut = (text: string, start: number, end: number, size: number): ReadonlyArray<string> => {
  const pieces: Array<string> = []
  let at = start
  while (at < end) {
    const brace = text.indexOf(CUT, at + size)
    const to = brace === -1 || brace >= end ? end : brace + 1
    pieces.push(text.slice(at, to))
    at = to + 1
  }
  return pieces
}

/** A reply whose list is still text. */
interface Framed {
  readonly reply: { readonly [key: string]: unknown }
  readonly frame: { readonly [key: string]: unknown }
  /** Where the list starts and ends in the text, without its brackets. */
  readonly start: number
  readonly end: number
}

const framed = (text: string): Framed | undefined => {
  const start = text.indexOf(KEY) + KEY.length
  const end = text.lastIndexOf("]")
  if (start < KEY.length || start + text.length - end > MAX_FRAME) return undefined
  const withValue = (value: number): unknown =>
    Either.getOrUndefined(Json.parseBounded(`${text.slice(0, start - 1)}${value}${text.slice(end + 1)}`))
  // Two different numbers are put in the place of the list. If both are read at `result.value`, the list is there, and the
  // place is not inside a string.
  const reply = withValue(0)
  const frame = resultOf(reply)
  const again = resultOf(withValue(1))
  return Predicate.isRecord(reply) &&
    Predicate.isRecord(frame) &&
    Predicate.isRecord(again) &&
    frame["value"] === 0 &&
    again["value"] === 1
    ? { reply, frame, start, end }
    : undefined
}

/**
 * Parses a reply. The result is a {@link LongResult} with pieces of about `size` characters, if the text is longer than
 * `size / 16` and has a list at `result.value`. Default of `size`: 65,536.
 *
 * @since 0.1.0
 * @category decoding
 */
export const parse = (text: string, size = PIECE): Either.Either<unknown, Json.JsonError> => {
  const parts = text.length <= size / 16 ? undefined : framed(text)
  if (parts === undefined) return Json.parseBounded(text)
  const { end, frame, reply, start } = parts
  return Either.right({ ...reply, result: new LongResult(frame, cut(text, start, end, size), text) })
}

/**
 * Parses a reply to `getMultipleAccounts`. The result is an {@link AccountsResult}, if the text is longer than
 * `size / 16` and its accounts have the form that Agave writes. Default of `size`: 65,536.
 *
 * @since 0.1.0
 * @category decoding
 */
export const parseAccounts = (text: string, size = PIECE): Either.Either<unknown, Json.JsonError> => {
  const parts = text.length <= size / 16 ? undefined : framed(text)
  if (parts === undefined) return Json.parseBounded(text)
  const { end, frame, reply, start } = parts
  const list = text.slice(start, end)
  const accounts = accountsOf(list)
  return accounts === undefined
    ? Json.parseBounded(text)
    : Either.right({ ...reply, result: new AccountsResult(frame, list, text, accounts) })
}

/**
 * Parses a reply to a method.
 *
 * @since 0.1.0
 * @category decoding
 */
export const parseOf = (method: string, text: string): Either.Either<unknown, Json.JsonError> =>
  method === "getProgramAccounts"
    ? parse(text)
    : method === "getMultipleAccounts"
      ? parseAccounts(text)
      : Json.parseBounded(text)

/**
 * Parses the whole result at once.
 *
 * @since 0.1.0
 * @category decoding
 */
export const atOnce = ({ text }: LongResult): Either.Either<unknown, Decode.Mismatch> =>
  Either.mapBoth(Json.parseBounded(text), { onLeft: () => ({ path: "", expected: "JSON" }), onRight: resultOf })

/**
 * Decodes the list piece by piece, in several turns of the event loop.
 *
 * Numbers are first parsed with rounding, which takes half the time. So `decode` must refuse a number that may have been
 * rounded, as the decoders of `Decode` do; then the piece is parsed exactly. `quick` may read a piece without a parser, if
 * its result equals that of `decode`.
 *
 * @since 0.1.0
 * @category decoding
 */
export const list = <A>(
  { pieces }: LongResult,
  decode: Decode.Decoder<ReadonlyArray<A>>,
  quick: (items: string) => ReadonlyArray<A> | undefined
): Effect.Effect<ReadonlyArray<A>, Decode.Mismatch | Json.JsonError> => {
  const read = (value: Either.Either<unknown, Json.JsonError>) => Either.flatMap(value, decode)
  return Turns.flatMap(pieces, (piece): Either.Either<ReadonlyArray<A>, Decode.Mismatch | Json.JsonError> => {
    const items = quick(piece)
    if (items !== undefined) return Either.right(items)
    const text = `[${piece}]`
    const excess = Json.excess(text)
    if (excess !== undefined) return Either.left(excess)
    return Either.orElse(read(Json.parseRounded(text)), () => read(Json.parse(text)))
  })
}

/**
 * The parsed result, with its list and with exact integers. Any other result is returned unchanged.
 *
 * @since 0.1.0
 * @category decoding
 */
export const whole = (result: unknown): Effect.Effect<unknown, Decode.Mismatch> => {
  if (!(result instanceof LongResult)) return Effect.succeed(result)
  const items = Turns.flatMap(result.pieces, (piece) =>
    Either.flatMap(Json.parseBounded(`[${piece}]`), Decode.array<unknown>(Either.right))
  )
  return Effect.matchEffect(items, {
    onFailure: () => atOnce(result),
    onSuccess: (value) => Effect.succeed({ ...result.frame, value })
  })
}
