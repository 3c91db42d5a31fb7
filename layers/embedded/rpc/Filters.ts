/** Filters of a program's accounts. */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as Base58 from "../../../src/solana/Base58.js"
import * as Base64 from "../../../src/solana/Base64.js"
import type { StoredAccount } from "../chain/StoredAccount.js"
import * as JsonRpcError from "./JsonRpcError.js"
import * as Params from "./Params.js"

/** Maximum bytes of a `memcmp`, and the length of their longest base58 text. */
const MAX_MEMCMP_BYTES = 128
const MAX_MEMCMP_CHARACTERS = 175

/** Maximum filters, as on a node. */
const MAX_FILTERS = 4

export const Filter = Schema.Union(
  Schema.Struct({ dataSize: Params.U64 }),
  Schema.Struct({
    memcmp: Schema.Struct({
      offset: Params.Count,
      bytes: Schema.Union(Schema.String, Schema.Array(Schema.Int.pipe(Schema.between(0, 255)))),
      encoding: Params.maybe(Schema.Literal("base58", "base64", "bytes"))
    })
  })
)

type Predicate = (account: StoredAccount) => boolean

/** Compiles filters to a predicate that holds if all of them do. */
export const compile = (filters: ReadonlyArray<typeof Filter.Type> | null | undefined): Params.Read<Predicate> => {
  if (filters == null) return Either.right(() => true)
  if (filters.length > MAX_FILTERS) {
    return Either.left(JsonRpcError.params(`Too many filters provided; max ${MAX_FILTERS}`))
  }
  return Either.map(Either.all(filters.map(predicate)), (predicates) => (account: StoredAccount) => {
    for (const accepts of predicates) if (!accepts(account)) return false
    return true
  })
}

const predicate = (filter: typeof Filter.Type): Params.Read<Predicate> => {
  if ("dataSize" in filter) {
    const size = Number(filter.dataSize)
    return Either.right(({ data }) => data.length === size)
  }
  const { offset, bytes, encoding } = filter.memcmp
  return Either.map(memcmpBytes(bytes, encoding ?? "base58"), (expected) => ({ data }) => {
    if (offset + expected.length > data.length) return false
    for (let at = 0; at < expected.length; at++) if (data[offset + at] !== expected[at]) return false
    return true
  })
}

const memcmpBytes = (bytes: string | ReadonlyArray<number>, encoding: string): Params.Read<Uint8Array> => {
  if (typeof bytes !== "string") return withinSize(Uint8Array.from(bytes))
  if (bytes.length > MAX_MEMCMP_CHARACTERS) return tooLarge()
  const decoded = encoding === "base64" ? Base64.decode(bytes) : Base58.decode(bytes)
  return Either.isLeft(decoded)
    ? Either.left(JsonRpcError.params(`Invalid param: memcmp bytes: ${decoded.left.rule}`))
    : withinSize(decoded.right)
}

const withinSize = (bytes: Uint8Array): Params.Read<Uint8Array> =>
  bytes.length > MAX_MEMCMP_BYTES ? tooLarge() : Either.right(bytes)

const tooLarge = () =>
  Either.left(JsonRpcError.params("Invalid param: encoded binary data should be less than 129 bytes"))
