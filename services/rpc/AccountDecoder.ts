/** Decodes accounts: fast where they have the usual form, else with the path of the first wrong field. */
import type { Address } from "@solana/kit"
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as Base64 from "../../src/internal/base64.js"
import * as Addresses from "../../src/solana/Address.js"
import * as Lamports from "../../src/solana/Lamports.js"
import { AccountInfo } from "./AccountInfo.js"
import * as Decode from "./Decode.js"
import type * as Reply from "./Reply.js"

/** Caches the last result. The owner, space and lamports of consecutive accounts are mostly equal. */
const repeated = <A>(read: (input: unknown) => A | undefined): ((input: unknown) => A | undefined) => {
  let last: unknown
  let known: A | undefined
  return (input) => {
    if (known !== undefined && input === last) return known
    const value = read(input)
    if (value !== undefined) {
      last = input
      known = value
    }
    return value
  }
}

const integer = (input: unknown): bigint | undefined =>
  typeof input === "number" && input >= 0 && Number.isSafeInteger(input) ? BigInt(input) : undefined

const ownerOf = repeated((input) => (typeof input === "string" && Addresses.is(input) ? input : undefined))
const spaceOf = repeated(integer)
const lamportsOf = repeated((input) => {
  const amount = integer(input)
  return amount !== undefined && Lamports.is(amount) ? amount : undefined
})

/** Decodes a valid account fast, without paths for errors. `undefined` for any account that it does not recognise. */
const usualAccount = (address: Address, input: unknown): Reply.AccountInfo | undefined => {
  if (!Predicate.isRecord(input)) return undefined
  const { data, executable } = input
  const owner = ownerOf(input["owner"])
  const lamports = lamportsOf(input["lamports"])
  const space = spaceOf(input["space"])
  if (owner === undefined || lamports === undefined || space === undefined) return undefined
  if (typeof executable !== "boolean") return undefined
  if (!Array.isArray(data) || data.length !== 2 || data[1] !== "base64" || typeof data[0] !== "string") return undefined
  const bytes = Base64.codec.decode(data[0])
  return bytes === undefined ? undefined : new AccountInfo(address, bytes, lamports, owner, executable, space)
}

const anyAccount = (address: Address): Decode.Decoder<Reply.AccountInfo> =>
  Decode.object((field) =>
    Either.all({
      address: Either.right(address),
      data: field("data", Decode.base64),
      lamports: field("lamports", Decode.lamports),
      owner: field("owner", Decode.address),
      executable: field("executable", Decode.boolean),
      space: field("space", Decode.u64)
    })
  )

/** Decodes an account whose address is known from the request. */
export const account =
  (address: Address): Decode.Decoder<Reply.AccountInfo> =>
  (input) => {
    const usual = usualAccount(address, input)
    return usual === undefined ? anyAccount(address)(input) : Either.right(usual)
  }

const anyKeyedAccount: Decode.Decoder<Reply.AccountInfo> = Decode.object((field) =>
  Either.flatMap(field("pubkey", Decode.address), (address) => field("account", anyAccount(address)))
)

/** `{pubkey, account}`. */
export const keyedAccount: Decode.Decoder<Reply.AccountInfo> = (input) => {
  if (!Predicate.isRecord(input)) return anyKeyedAccount(input)
  const { account, pubkey } = input
  const usual = typeof pubkey === "string" && Addresses.is(pubkey) ? usualAccount(pubkey, account) : undefined
  return usual === undefined ? anyKeyedAccount(input) : Either.right(usual)
}
