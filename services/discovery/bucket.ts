/** The accounts of one saved bucket, as bytes: `(address 32 ‖ slot u64 ‖ length u32 ‖ data)*`, little-endian. */
import type { Address } from "@solana/kit"
import * as Either from "effect/Either"
import type { InvalidInput } from "../../src/InvalidInput.js"
import * as Accounts from "../../src/protocol/Account.js"
import * as Addresses from "../../src/solana/Address.js"
import type { Dated } from "./SearchIndex.js"

/** Buckets of a table. Fewer: a change writes more bytes. More: a restart reads more rows. */
export const BUCKETS = 256

const ADDRESS = 32
const HEAD = ADDRESS + 8 + 4

/** The bucket of an address. */
export const bucketOf = (address: string): number => {
  let hash = 0
  for (let at = 0; at < address.length; at++) hash = Math.imul(hash, 31) + address.charCodeAt(at)
  return (hash ^ (hash >>> 8) ^ (hash >>> 16)) & (BUCKETS - 1)
}

/** A saved account. */
export interface Saved {
  readonly address: Address
  readonly slot: bigint
  readonly data: Uint8Array
}

export const encode = (accounts: ReadonlyArray<Dated<Accounts.Account>>): Either.Either<Uint8Array, InvalidInput> =>
  Either.map(Either.all(accounts.map(({ account }) => Accounts.encode(account))), (datas) => {
    const bytes = new Uint8Array(datas.reduce((size, data) => size + HEAD + data.length, 0))
    const view = new DataView(bytes.buffer)
    let at = 0
    for (const [index, { address, slot }] of accounts.entries()) {
      const data = datas[index]
      if (data === undefined) continue
      bytes.set(Addresses.toBytes(address), at)
      view.setBigUint64(at + ADDRESS, slot, true)
      view.setUint32(at + ADDRESS + 8, data.length, true)
      bytes.set(data, at + HEAD)
      at += HEAD + data.length
    }
    return bytes
  })

/** Returns `undefined` for bytes that are not a bucket. */
export const decode = (bytes: Uint8Array): ReadonlyArray<Saved> | undefined => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const saved: Array<Saved> = []
  let at = 0
  while (at < bytes.length) {
    if (at + HEAD > bytes.length) return undefined
    const end = at + HEAD + view.getUint32(at + ADDRESS + 8, true)
    if (end > bytes.length) return undefined
    saved.push({
      address: Addresses.fromBytes(bytes.subarray(at, at + ADDRESS)),
      slot: view.getBigUint64(at + ADDRESS, true),
      data: bytes.subarray(at + HEAD, end)
    })
    at = end
  }
  return saved
}
