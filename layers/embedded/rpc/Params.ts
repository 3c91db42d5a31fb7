/** Parsers of JSON-RPC parameters. Parameters are hostile: a value of any type can be anywhere. */
import type { Address, Blockhash, Signature } from "@solana/kit"
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as Check from "../../../src/internal/check.js"
import * as Addresses from "../../../src/solana/Address.js"
import * as Base58 from "../../../src/solana/Base58.js"
import * as Base64 from "../../../src/solana/Base64.js"
import * as Blockhashes from "../../../src/solana/Blockhash.js"
import * as Signatures from "../../../src/solana/Signature.js"
import { MAX_TRANSACTION_BYTES } from "../../../src/solana/Wire.js"
import { MAX_BYTES_V1 } from "../chain/AnyTransaction.js"
import type { Chain } from "../chain/Chain.js"
import type { Bank } from "../chain/ChainState.js"
import * as JsonRpcError from "./JsonRpcError.js"

/** The result of parsing a parameter. */
export type Read<A> = Either.Either<A, JsonRpcError.JsonRpcError>

/** A u64: `number` up to 2^53 - 1, `bigint` beyond. */
export const U64 = Schema.Union(
  Schema.NonNegativeInt.pipe(Schema.lessThanOrEqualTo(Number.MAX_SAFE_INTEGER)),
  Schema.BigIntFromSelf.pipe(Schema.betweenBigInt(0n, Check.MAX_U64))
)

/** An array index or a length. */
export const Count = Schema.NonNegativeInt.pipe(Schema.lessThanOrEqualTo(Number.MAX_SAFE_INTEGER))

export const Commitment = Schema.Literal("processed", "confirmed", "finalized")

export const AccountEncoding = Schema.Literal("binary", "base58", "base64", "base64+zstd", "jsonParsed")

export const TransactionEncoding = Schema.Literal("binary", "base58", "base64", "json", "jsonParsed")

/** An optional value. A node treats absent and null alike. */
export const maybe = <A, I>(schema: Schema.Schema<A, I>) => Schema.optional(Schema.NullishOr(schema))

export const bankFields = { commitment: maybe(Commitment), minContextSlot: maybe(U64) }

export const BankConfig = Schema.Struct(bankFields)

export const DataSlice = Schema.Struct({ offset: Count, length: Count })

export const accountFields = { ...bankFields, encoding: maybe(AccountEncoding), dataSlice: maybe(DataSlice) }

export const AccountConfig = Schema.Struct(accountFields)

export const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalElement(Schema.NullishOr(schema))

/** Maximum characters of an error description; the rest may be megabytes of the client's input. */
const MAX_COMPLAINT = 300

/** Parses the parameters of a call. It ignores elements beyond the schema's. */
export const decode = <A extends ReadonlyArray<unknown>, I extends ReadonlyArray<unknown>>(
  schema: Schema.Schema<A, I>,
  required: number,
  accepted: number
): ((params: ReadonlyArray<unknown>) => Read<A>) => {
  const read = Schema.decodeUnknownEither(schema)
  return (params) =>
    params.length < required
      ? Either.left(JsonRpcError.params(`\`params\` should have at least ${required} argument(s)`))
      : Either.mapLeft(read(params.slice(0, accepted)), complain)
}

/**
 * As `read`, but values that `is` accepts are taken as they are. For a call that is made often: a schema costs more
 * than a guard, and is needed only to say what is wrong.
 */
export const guarded =
  <A extends ReadonlyArray<unknown>>(
    is: (params: ReadonlyArray<unknown>) => params is A,
    read: (params: ReadonlyArray<unknown>) => Read<A>
  ): ((params: ReadonlyArray<unknown>) => Read<A>) =>
  (params) =>
    is(params) ? Either.right(params) : read(params)

const complain = (error: ParseResult.ParseError): JsonRpcError.JsonRpcError =>
  JsonRpcError.params(`Invalid params: ${describe(error).slice(0, MAX_COMPLAINT)}`)

/** Describes an error. Describing a value that is nested deeper than the stack throws. */
const describe = (error: ParseResult.ParseError): string =>
  Either.try(() => ParseResult.ArrayFormatter.formatErrorSync(error)).pipe(
    Either.map(([issue]) =>
      issue === undefined ? "invalid" : `${issue.path.map(String).join(".")}: ${issue.message}`
    ),
    Either.getOrElse(() => "nested too deep")
  )

const base58Of =
  <A extends string>(size: number, maxCharacters: number, is: (text: string) => text is A) =>
  (text: string): Read<A> => {
    if (is(text)) return Either.right(text)
    const isWrongSize = text.length > maxCharacters || Either.isRight(Base58.decode(text, size + 1))
    return Either.left(JsonRpcError.params(`Invalid param: ${isWrongSize ? "WrongSize" : "Invalid"}`))
  }

export const address: (text: string) => Read<Address> = base58Of(Addresses.SIZE, 44, Addresses.is)

export const signature: (text: string) => Read<Signature> = base58Of(Signatures.SIZE, 88, Signatures.is)

export const blockhash: (text: string) => Read<Blockhash> = base58Of(Blockhashes.SIZE, 44, Blockhashes.is)

/** Maximum characters of 1232 bytes in each encoding. */
const MAX_BASE58 = 1683
const MAX_BASE64 = 1644

/** The length of the largest version-1 transaction in base64, and the first characters of such a text. */
const MAX_BASE64_V1 = 5464
const BASE64_V1 = /^g[Q-Za-f]/

/** Decodes a transaction or a message in base58 or base64, at most 1232 bytes. `what` is a node's name for it. */
export const wireBytes = (text: string, encoding: "base58" | "base64", what: string): Read<Uint8Array> => {
  const isV1 = encoding === "base64" && BASE64_V1.test(text)
  const maxCharacters = encoding === "base58" ? MAX_BASE58 : isV1 ? MAX_BASE64_V1 : MAX_BASE64
  const maxBytes = isV1 ? MAX_BYTES_V1 : MAX_TRANSACTION_BYTES
  if (text.length > maxCharacters) {
    return Either.left(
      JsonRpcError.params(
        `${encoding} encoded ${what} too large: ${text.length} bytes (max: encoded/raw ${maxCharacters}/${maxBytes})`
      )
    )
  }
  const bytes = encoding === "base58" ? Base58.decode(text, MAX_TRANSACTION_BYTES) : Base64.decode(text)
  if (Either.isLeft(bytes)) {
    const fault = encoding === "base64" ? base64Fault(text) : bytes.left.rule
    return Either.left(JsonRpcError.params(`invalid ${encoding} encoding: ${fault}`))
  }
  return bytes.right.length > maxBytes
    ? Either.left(
        JsonRpcError.params(`decoded ${what} too large: ${bytes.right.length} bytes (max: ${maxBytes} bytes)`)
      )
    : Either.right(bytes.right)
}

const NOT_BASE64 = /[^A-Za-z0-9+/]/

/** Why a text is not base64, with the message of a node's decoder. */
const base64Fault = (text: string): string => {
  const body = text.replace(/=+$/, "")
  const bad = NOT_BASE64.exec(body)
  if (bad !== null) return `InvalidByte(${Buffer.byteLength(body.slice(0, bad.index))}, ${firstByte(bad[0])})`
  if (body.length % 4 === 1) return `InvalidLength(${body.length})`
  if (text.length % 4 !== 0 || text.length - body.length > 2) return "InvalidPadding"
  return `InvalidLastSymbol(${body.length - 1}, ${firstByte(body.slice(-1))})`
}

const firstByte = (text: string): number => Buffer.from(text)[0] ?? 0

/** The options that select a call's bank. */
export interface BankOptions {
  readonly commitment?: "processed" | "confirmed" | "finalized" | null | undefined
  readonly minContextSlot?: number | bigint | null | undefined
}

/** The bank of the commitment, by default `finalized`. Fails if the bank is older than `minContextSlot`. */
export const bank = (chain: Chain, options?: BankOptions | null): Read<Bank> => {
  const found = chain.bank(options?.commitment ?? "finalized")
  const least = options?.minContextSlot ?? 0
  return found.slot < least ? Either.left(JsonRpcError.minContextSlot(found.slot)) : Either.right(found)
}

/** The bank of a call about blocks and history, by default `finalized`. These calls do not support `processed`. */
export const settledBank = (chain: Chain, options?: BankOptions | null): Read<Bank> =>
  options?.commitment === "processed"
    ? Either.left(JsonRpcError.params("Method does not support commitment below `confirmed`"))
    : bank(chain, options)
