/** Keys of the second level. The name of an account is the 32 bytes of its address; other names are UTF-8. */
import type { Address, Blockhash } from "@solana/kit"
import * as Addresses from "../../src/solana/Address.js"
import * as StoreKey from "../internal/storeKey.js"

const utf8 = new TextEncoder()

export interface Keys {
  readonly account: (address: string) => Uint8Array
  readonly value: (name: string) => Uint8Array
  readonly group: (name: string) => Uint8Array
  /** As `account`, in an array that the next call overwrites. */
  readonly unsafeAccount: (address: string) => Uint8Array
}

const bytesOf = (address: string): Uint8Array => Addresses.toBytes(Addresses.known(address))

export const make = (genesis: Blockhash, program: Address): Keys => {
  const key = StoreKey.make(genesis, program)
  const shared = key("account", new Uint8Array(Addresses.SIZE))
  return {
    account: (address) => key("account", bytesOf(address)),
    unsafeAccount: (address) => {
      shared.set(bytesOf(address), shared.length - Addresses.SIZE)
      return shared
    },
    value: (name) => key("value", utf8.encode(name)),
    group: (name) => key("group", utf8.encode(name))
  }
}
