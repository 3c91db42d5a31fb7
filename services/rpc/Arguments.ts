/**
 * Checks the arguments of the pool's methods, before any I/O. Each check returns `InvalidInput` with the whole path of
 * the invalid value, or `undefined`.
 */
import type { Address, Blockhash, Lamports, Signature, Slot } from "@solana/kit"
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as Check from "../../src/internal/check.js"
import { InvalidInput } from "../../src/InvalidInput.js"
import * as Addresses from "../../src/solana/Address.js"
import * as Blockhashes from "../../src/solana/Blockhash.js"
import * as LamportAmounts from "../../src/solana/Lamports.js"
import * as Limits from "../../src/solana/Limits.js"
import * as Signatures from "../../src/solana/Signature.js"
import type { AccountOptions, HistoryOptions, ProgramAccountsOptions, SendOptions } from "./CallOptions.js"

type Refusal = InvalidInput | undefined

type LogsFilter = "all" | "allWithVotes" | { readonly mentions: Address }

/** Maximum filters of a `getProgramAccounts`, and maximum bytes of one filter. From Agave's `RpcFilterType`. */
const MAX_FILTERS = 4
const MAX_FILTER_BYTES = 128

const MAX_U32 = 2 ** 32 - 1

const refusalOf = (checked: Either.Either<unknown, InvalidInput>): Refusal =>
  Either.getOrUndefined(Either.flip(checked))

/** Checks the maximum number of items. The value must be a list. */
const list = (field: string, values: unknown, max: number): Refusal =>
  Array.isArray(values)
    ? refusalOf(Check.items(field, values.length, max))
    : new InvalidInput({ field, rule: "must be a list" })

/** The first refusal among the items. */
const first = <A>(items: ReadonlyArray<A>, check: (item: A, index: number) => Refusal): Refusal => {
  for (const [index, item] of items.entries()) {
    const refused = check(item, index)
    if (refused !== undefined) return refused
  }
  return undefined
}

const optional = <A>(value: A | undefined, check: (value: A) => Refusal): Refusal =>
  value === undefined ? undefined : check(value)

const count = (field: string, value: number, min: number, max?: number): Refusal =>
  refusalOf(Check.integer(field, value, min, max))

export const address = (value: Address, field = "address"): Refusal => refusalOf(Addresses.parse(value, field))

export const addresses = (field: string, values: ReadonlyArray<Address>, max: number): Refusal =>
  list(field, values, max) ?? first(values, (value, index) => address(value, `${field}[${index}]`))

export const signature = (value: Signature, field = "signature"): Refusal => refusalOf(Signatures.parse(value, field))

export const signatures = (values: ReadonlyArray<Signature>): Refusal =>
  list("signatures", values, Limits.MAX_SIGNATURE_STATUSES) ??
  first(values, (value, index) => signature(value, `signatures[${index}]`))

export const blockhash = (value: Blockhash): Refusal => refusalOf(Blockhashes.parse(value))

export const slot = (field: string, value: Slot): Refusal => refusalOf(Check.bigInteger(field, value))

export const lamports = (value: Lamports): Refusal => refusalOf(LamportAmounts.make(value))

/** Checks the size of an account. */
export const space = (value: number | bigint): Refusal =>
  typeof value === "bigint" ? refusalOf(Check.bigInteger("space", value)) : count("space", value, 0)

/** Checks the limit of `getRecentPerformanceSamples`. */
export const samples = (limit: number): Refusal => count("limit", limit, 1, Limits.MAX_PERFORMANCE_SAMPLES)

export const bytes = (field: string, value: Uint8Array, max = Infinity): Refusal =>
  value instanceof Uint8Array && value.length <= max
    ? undefined
    : new InvalidInput({
        field,
        rule: max === Infinity ? "must be a Uint8Array" : `must be a Uint8Array of at most ${max} bytes`,
        ...(value instanceof Uint8Array ? { size: value.length } : {})
      })

/** Checks a slice of an account's data. */
export const slice = (options?: Pick<AccountOptions, "dataSlice">): Refusal =>
  optional(
    options?.dataSlice,
    (slice) => count("dataSlice.offset", slice?.offset, 0) ?? count("dataSlice.length", slice.length, 0)
  )

/** Checks the options of a read of a program's accounts. */
export const programAccounts = (options?: Pick<ProgramAccountsOptions, "dataSlice" | "filters">): Refusal =>
  slice(options) ??
  optional(
    options?.filters,
    (filters) =>
      list("filters", filters, MAX_FILTERS) ??
      first(filters, (filter, index) =>
        !Predicate.isObject(filter)
          ? new InvalidInput({ field: `filters[${index}]`, rule: "must be a dataSize or a memcmp" })
          : "memcmp" in filter
            ? (count(`filters[${index}].memcmp.offset`, filter.memcmp?.offset, 0) ??
              bytes(`filters[${index}].memcmp.bytes`, filter.memcmp.bytes, MAX_FILTER_BYTES))
            : count(`filters[${index}].dataSize`, filter.dataSize, 0)
      )
  )

/** Checks a filter of logs. */
export const logs = (filter: LogsFilter): Refusal =>
  typeof filter === "string" || !Predicate.isObject(filter)
    ? filter === "all" || filter === "allWithVotes"
      ? undefined
      : new InvalidInput({ field: "filter", rule: "must be all, allWithVotes or an address under mentions" })
    : address(filter.mentions, "mentions")

/** Checks a page of an address's history. */
export const history = (options?: HistoryOptions): Refusal =>
  optional(options?.limit, (limit) => count("limit", limit, 1, Limits.MAX_SIGNATURES_FOR_ADDRESS)) ??
  optional(options?.before, (before) => signature(before, "before")) ??
  optional(options?.until, (until) => signature(until, "until"))

/** Checks the options of submitting a transaction. */
export const submission = (options?: SendOptions): Refusal =>
  optional(options?.maxRetries, (maxRetries) => count("maxRetries", maxRetries, 0, MAX_U32))
