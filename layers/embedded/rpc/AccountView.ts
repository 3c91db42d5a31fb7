/** The JSON form of accounts, as a node writes it. */
import type { Address } from "@solana/kit"
import * as Either from "effect/Either"
import type * as Schema from "effect/Schema"
import * as Base58 from "../../../src/solana/Base58.js"
import * as Base64 from "../../../src/solana/Base64.js"
import type { StoredAccount } from "../chain/StoredAccount.js"
import * as JsonInteger from "./JsonInteger.js"
import * as JsonRpcError from "./JsonRpcError.js"
import type { AccountEncoding, Read } from "./Params.js"
import * as ParsedAccount from "./parsed/account.js"
import * as Zstd from "./Zstd.js"

/** A name of an encoding. */
export type Encoding = Schema.Schema.Type<typeof AccountEncoding>

/** The requested form of account data. */
export interface AccountViewOptions {
  readonly encoding?: Encoding | null | undefined
  readonly dataSlice?: { readonly offset: number; readonly length: number } | null | undefined
}

/** Reads another account at the same slot: the form of a token account depends on its mint. */
export type Lookup = (address: Address) => StoredAccount | undefined

/** Nodes refuse base58 beyond this size, because its time grows with the square of the size. */
const MAX_BASE58_BYTES = 128

/**
 * An account with its data in the requested encoding: base58 by default. `jsonParsed` shows the whole account, whatever
 * the slice, and falls back to base64.
 */
export const view = (
  address: Address,
  account: StoredAccount,
  { encoding, dataSlice }: AccountViewOptions,
  lookup: Lookup
): Read<unknown> => {
  const { data } = account
  const parsed = encoding === "jsonParsed" ? ParsedAccount.parse(address, account, lookup) : undefined
  const slice = dataSlice == null ? data : data.subarray(dataSlice.offset, dataSlice.offset + dataSlice.length)
  const shown = parsed === undefined ? viewData(slice, encoding ?? "binary") : Either.right(parsed)
  return Either.map(shown, (encoded) => ({
    lamports: JsonInteger.fromBigInt(account.lamports),
    data: encoded,
    owner: account.owner,
    executable: account.executable,
    rentEpoch: JsonInteger.fromBigInt(account.rentEpoch),
    space: data.length
  }))
}

/** An optional account; `null` if it does not exist. */
export const viewMaybe = (
  address: Address,
  account: StoredAccount | undefined,
  options: AccountViewOptions,
  lookup: Lookup
): Read<unknown> => (account === undefined ? Either.right(null) : view(address, account, options, lookup))

/** An account with its address, as `getProgramAccounts` and its subscription write it. */
export const viewKeyed = (
  pubkey: Address,
  account: StoredAccount,
  options: AccountViewOptions,
  lookup: Lookup
): Read<unknown> => Either.map(view(pubkey, account, options, lookup), (account) => ({ pubkey, account }))

/** Maximum data of the accounts of one reply: its base64 must fit into a string. */
const MAX_DATA_BYTES = 128 * 1024 * 1024

/** Refuses accounts that do not fit into one reply, before it encodes them. */
export const checkSize = (
  accounts: ReadonlyArray<StoredAccount | undefined>,
  { dataSlice }: AccountViewOptions = {}
): Read<void> => {
  const most = dataSlice?.length ?? Infinity
  let left = MAX_DATA_BYTES
  for (const account of accounts) {
    left -= Math.min(account?.data.length ?? 0, most)
    if (left < 0) return Either.left(JsonRpcError.tooMuchData())
  }
  return Either.void
}

const viewData = (data: Uint8Array, encoding: Encoding): Read<unknown> => {
  if (encoding === "base64" || encoding === "jsonParsed") return Either.right([Base64.encode(data), "base64"])
  if (encoding === "base64+zstd") return Either.right([Base64.encode(Zstd.stored(data)), encoding])
  if (data.length > MAX_BASE58_BYTES) {
    return Either.left(
      JsonRpcError.request("Encoded binary (base 58) data should be less than 128 bytes, please use Base64 encoding.")
    )
  }
  const text = Base58.encode(data)
  return Either.right(encoding === "binary" ? text : [text, "base58"])
}
