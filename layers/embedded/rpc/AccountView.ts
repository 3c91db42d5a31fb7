/** The JSON form of accounts, as a node writes it. */
import type { Address } from "@solana/kit"
import * as Either from "effect/Either"
import * as Base58 from "../../../src/solana/Base58.js"
import * as Base64 from "../../../src/solana/Base64.js"
import type { StoredAccount } from "../chain/Svm.js"
import * as JsonInteger from "./JsonInteger.js"
import * as JsonRpcError from "./JsonRpcError.js"
import type { Read } from "./Params.js"

/** The requested form of account data. */
export interface AccountViewOptions {
  readonly encoding?: "binary" | "base58" | "base64" | "jsonParsed" | null | undefined
  readonly dataSlice?: { readonly offset: number; readonly length: number } | null | undefined
}

/** Nodes refuse base58 beyond this size, because its time grows with the square of the size. */
const MAX_BASE58_BYTES = 128

/** The rent epoch of rent-exempt accounts: all accounts. */
const RENT_EXEMPT_EPOCH = 2n ** 64n - 1n

/** An account with its data in the requested encoding: base58 by default. `jsonParsed` falls back to base64. */
export const view = (account: StoredAccount, { encoding, dataSlice }: AccountViewOptions): Read<unknown> => {
  const { data } = account
  const slice = dataSlice == null ? data : data.subarray(dataSlice.offset, dataSlice.offset + dataSlice.length)
  return Either.map(viewData(slice, encoding ?? "binary"), (encoded) => ({
    lamports: JsonInteger.fromBigInt(account.lamports),
    data: encoded,
    owner: account.owner,
    executable: account.executable,
    rentEpoch: RENT_EXEMPT_EPOCH,
    space: data.length
  }))
}

/** An optional account; `null` if it does not exist. */
export const viewMaybe = (account: StoredAccount | undefined, options: AccountViewOptions): Read<unknown> =>
  account === undefined ? Either.right(null) : view(account, options)

/** An account with its address, as `getProgramAccounts` and its subscription write it. */
export const viewKeyed = (pubkey: Address, account: StoredAccount, options: AccountViewOptions): Read<unknown> =>
  Either.map(view(account, options), (account) => ({ pubkey, account }))

const viewData = (data: Uint8Array, encoding: "binary" | "base58" | "base64" | "jsonParsed"): Read<unknown> => {
  if (encoding === "base64" || encoding === "jsonParsed") return Either.right([Base64.encode(data), "base64"])
  if (data.length > MAX_BASE58_BYTES) {
    return Either.left(
      JsonRpcError.request("Encoded binary (base 58) data should be less than 128 bytes, please use Base64 encoding.")
    )
  }
  const text = Base58.encode(data)
  return Either.right(encoding === "binary" ? text : [text, "base58"])
}
