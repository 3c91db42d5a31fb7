/**
 * Decoders of untrusted JSON values.
 *
 * - An error names the path of the first wrong value and what was expected there, never the value itself.
 * - An integer may be a `number` or a `bigint`. A number that may have been rounded is refused.
 * - A decoder allocates no more than the reply already holds.
 */
import type { Address, Blockhash, Commitment, Lamports, Signature } from "@solana/kit"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type * as Types from "effect/Types"
import * as Jsonable from "../../src/internal/jsonable.js"
import * as AddressText from "../../src/solana/Address.js"
import * as Base58 from "../../src/solana/Base58.js"
import * as Base64 from "../../src/solana/Base64.js"
import * as BlockhashText from "../../src/solana/Blockhash.js"
import * as LamportsAmount from "../../src/solana/Lamports.js"
import * as SignatureText from "../../src/solana/Signature.js"

/** The path of a wrong value, and what was expected there. The path of the whole value is the empty string. */
export interface Mismatch {
  readonly path: string
  readonly expected: string
}

/** Decodes one untrusted value. */
export type Decoder<A> = (input: unknown) => Either.Either<A, Mismatch>

/** Decodes one field of an object. A missing field is decoded as `undefined`. */
export type Field = <A>(key: string, decoder: Decoder<A>) => Either.Either<A, Mismatch>

const mismatch = (expected: string): Either.Either<never, Mismatch> => Either.left({ path: "", expected })

const under = <A>(step: string | number, result: Either.Either<A, Mismatch>): Either.Either<A, Mismatch> => {
  if (Either.isRight(result)) return result
  const { path, expected } = result.left
  return Either.left({ path: typeof step === "number" ? `[${step}]${path}` : `.${step}${path}`, expected })
}

/** Decodes a value that satisfies a guard. */
export const guard =
  <A>(expected: string, is: (input: unknown) => input is A): Decoder<A> =>
  (input) =>
    is(input) ? Either.right(input) : mismatch(expected)

const text =
  <A extends string>(expected: string, is: (input: string) => input is A): Decoder<A> =>
  (input) =>
    typeof input === "string" && is(input) ? Either.right(input) : mismatch(expected)

const bytes =
  (expected: string, decode: (input: string) => Option.Option<Uint8Array>): Decoder<Uint8Array> =>
  (input) =>
    typeof input === "string" ? Either.fromOption(decode(input), () => ({ path: "", expected })) : mismatch(expected)

/** The error of a transaction: `null` for a success, a name, or an object with a name as its only key. */
export const failure: Decoder<unknown> = (input) => {
  const isOne =
    typeof input === "object"
      ? input === null || (!Array.isArray(input) && Object.keys(input).length === 1)
      : typeof input === "string" && input !== ""
  return isOne ? Either.right(input) : mismatch("null or the error of a transaction")
}

export const string = guard("a string", (input) => typeof input === "string")

export const boolean = guard("a boolean", (input) => typeof input === "boolean")

/** An unsigned 64-bit integer. */
export const u64: Decoder<bigint> = (input) => {
  if (typeof input === "bigint") return LamportsAmount.is(input) ? Either.right(input) : mismatch("a u64")
  return typeof input === "number" && input >= 0 && Number.isSafeInteger(input)
    ? Either.right(BigInt(input))
    : mismatch("a u64")
}

/** A signed 64-bit integer. */
export const i64: Decoder<bigint> = (input) => {
  if (typeof input === "bigint") return BigInt.asIntN(64, input) === input ? Either.right(input) : mismatch("an i64")
  return Number.isSafeInteger(input) && typeof input === "number" ? Either.right(BigInt(input)) : mismatch("an i64")
}

/** An integer from 0 to 2^32 - 1. */
export const u32: Decoder<number> = (input) => {
  const value = typeof input === "bigint" ? Number(input) : input
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff
    ? Either.right(value)
    : mismatch("a u32")
}

export const lamports: Decoder<Lamports> = (input) =>
  Either.flatMap(u64(input), (amount) => (LamportsAmount.is(amount) ? Either.right(amount) : mismatch("lamports")))

export const address: Decoder<Address> = text("an address", AddressText.is)

export const signature: Decoder<Signature> = text("a signature", SignatureText.is)

export const blockhash: Decoder<Blockhash> = text("a blockhash", BlockhashText.is)

export const commitment: Decoder<Commitment> = guard(
  "a commitment",
  (input): input is Commitment => input === "processed" || input === "confirmed" || input === "finalized"
)

/** Maximum bytes of data that one program can pass to another. */
const MAX_CALL_DATA = 10_240

/** The data of an instruction that a program called. */
export const callData: Decoder<Uint8Array> = bytes("base58 bytes", (input) =>
  Either.getRight(Base58.decode(input, MAX_CALL_DATA))
)

const base64Text: Decoder<Uint8Array> = bytes("base64 bytes", (input) => Either.getRight(Base64.decode(input)))

/** Bytes in Solana's form `[text, "base64"]`. */
export const base64: Decoder<Uint8Array> = (input) =>
  Array.isArray(input) && input.length === 2 && input[1] === "base64"
    ? under(0, base64Text(input[0]))
    : mismatch('[bytes, "base64"]')

/** The value; `None` if it is `null` or missing. */
export const optional =
  <A>(decoder: Decoder<A>): Decoder<Option.Option<A>> =>
  (input) =>
    input === null || input === undefined ? Either.right(Option.none()) : Either.map(decoder(input), Option.some)

/** The value, or a default if it is `null` or missing. */
export const withDefault =
  <A>(decoder: Decoder<A>, fallback: Types.NoInfer<A>): Decoder<A> =>
  (input) =>
    input === null || input === undefined ? Either.right(fallback) : decoder(input)

const each = <A>(
  input: ReadonlyArray<unknown>,
  decode: (item: unknown, index: number) => Either.Either<A, Mismatch>
): Either.Either<ReadonlyArray<A>, Mismatch> => {
  const items: Array<A> = []
  for (let index = 0; index < input.length; index++) {
    const result = under(index, decode(input[index], index))
    if (Either.isLeft(result)) return Either.left(result.left)
    items.push(result.right)
  }
  return Either.right(items)
}

export const array =
  <A>(decoder: Decoder<A>): Decoder<ReadonlyArray<A>> =>
  (input) =>
    Array.isArray(input) ? each(input, decoder) : mismatch("an array")

/** An array with one item for each key, each decoded by the decoder of its key. */
export const forEach =
  <K, A>(keys: ReadonlyArray<K>, decoder: (key: K) => Decoder<A>): Decoder<ReadonlyArray<A>> =>
  (input) => {
    const decoders = keys.map(decoder)
    return Array.isArray(input) && input.length === decoders.length
      ? each(input, (item, index) => decoders[index]?.(item) ?? mismatch("nothing"))
      : mismatch(`an array of ${decoders.length}`)
  }

/** Decodes the fields of an object. A result that is an object literal becomes a model. */
export const object =
  <A>(read: (field: Field) => Either.Either<A, Mismatch>): Decoder<A> =>
  (input) =>
    Predicate.isRecord(input)
      ? Either.map(
          read((key, decoder) => under(key, decoder(Object.hasOwn(input, key) ? input[key] : undefined))),
          Jsonable.fromLiteral
        )
      : mismatch("an object")
