/**
 * A long result, `{context, value: […]}`, whose list is kept as text. Parsing it at once would block the event loop.
 *
 * The text is cut at `},{`, which is a guess; the parser decides whether the guess was right. If each piece is a list by
 * itself, the pieces together are the list of the text, because JSON can be read in one way only. If a piece fails (a cut
 * inside a string, a member that comes twice, a wrong reply), the whole text is parsed at once, and that result counts.
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
 * A result whose list is still text, beside the rest of the result.
 *
 * @since 0.1.0
 * @category models
 */
export class LongResult {
  constructor(
    /** The result with a number where the list stands. */
    readonly frame: { readonly [key: string]: unknown },
    /** The list in pieces, each the text of some items. */
    readonly pieces: ReadonlyArray<string>,
    /** The whole reply. */
    readonly text: string
  ) {}

  /** The context of the reply, as short results have it. */
  get context(): unknown {
    return this.frame["context"]
  }
}

/**
 * The method whose result may be a {@link LongResult}.
 *
 * @since 0.1.0
 * @category constants
 */
export const METHOD = "getProgramAccounts"

/** Characters of a piece: some hundred small accounts, a fraction of a millisecond. */
const PIECE = 64 * 1024

/** Characters around the list. More is no reply that we know. */
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
 * Reads a reply; where its text is longer than 4 Ki characters and has a list at `result.value`, the result is a
 * {@link LongResult}, in pieces of `size` characters (64 Ki).
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
  // What is put there twice, and read there twice, stands at `result.value` and nowhere else, inside no string.
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
 * The result, read at once.
 *
 * @since 0.1.0
 * @category decoding
 */
export const atOnce = ({ text }: LongResult): Either.Either<unknown, Decode.Mismatch> =>
  Either.mapBoth(Json.parseBounded(text), { onLeft: () => ({ path: "", expected: "JSON" }), onRight: resultOf })

/**
 * The list, read in turns of the event loop by a decoder that can read parts of it. It must refuse the number that a larger
 * integer was rounded to, as those of `Decode` do: only then is a piece read as it was written, in twice the time.
 * `quick` reads usual pieces without a parser, to the same.
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
 * The result with its list in it, whether that was left as text or not, and every integer as it was written.
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
