/**
 * A long result, `{context, value: […]}`, whose list stays text until it is decoded in parts. Parsing it at once would
 * block the event loop.
 *
 * The text is cut into pieces at `},{`. Each cut is a guess, which the parser checks. If each piece is a valid list, the
 * pieces together are the list of the text, because JSON has only one reading. If a piece fails, the whole text is parsed
 * at once, and that result counts. A cut inside a string, a repeated member and a wrong reply make a piece fail.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as Json from "../src/solana/Json.js"
import * as Turns from "./internal/eventLoop.js"
import * as Decode from "./rpc/Decode.js"

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
 * Whether the result of a method may be a {@link LongResult}: those of `getProgramAccounts` and `getMultipleAccounts`.
 *
 * @since 0.1.0
 * @category decoding
 */
export const isOf = (method: string): boolean => method === "getProgramAccounts" || method === "getMultipleAccounts"

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

/**
 * Parses a reply. The result is a {@link LongResult} with pieces of about `size` characters, if the text is longer than
 * `size / 16` and has a list at `result.value`. Default of `size`: 65,536.
 *
 * @since 0.1.0
 * @category decoding
 */
export const parse = (text: string, size = PIECE): Either.Either<unknown, Json.JsonError> => {
  if (text.length <= size / 16) return Json.parseBounded(text)
  const start = text.indexOf(KEY) + KEY.length
  const end = text.lastIndexOf("]")
  if (start < KEY.length || start + text.length - end > MAX_FRAME) return Json.parseBounded(text)
  const framed = (value: number): unknown =>
    Either.getOrUndefined(Json.parseBounded(`${text.slice(0, start - 1)}${value}${text.slice(end + 1)}`))
  // Two different numbers are put in the place of the list. If both are read at `result.value`, the list is there, and the
  // place is not inside a string.
  const reply = framed(0)
  const frame = resultOf(reply)
  const again = resultOf(framed(1))
  return Predicate.isRecord(reply) &&
    Predicate.isRecord(frame) &&
    Predicate.isRecord(again) &&
    frame["value"] === 0 &&
    again["value"] === 1
    ? Either.right({ ...reply, result: new LongResult(frame, cut(text, start, end, size), text) })
    : Json.parseBounded(text)
}

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
