/** Keys of the second level. The name of an account is the 32 bytes of its address; other names are UTF-8. */
import type { Address, Blockhash } from "@solana/kit"
import * as Addresses from "../../src/solana/Address.js"
import * as StoreKey from "../internal/storeKey.js"

const utf8 = new TextEncoder()

export interface Keys {
  readonly account: (address: string) => Uint8Array
  readonly value: (name: string) => Uint8Array
  readonly group: (name: string) => Uint8Array
}

export const make = (genesis: Blockhash, program: Address): Keys => {
  const key = StoreKey.make(genesis, program)
  return {
    account: (address) => key("account", Addresses.toBytes(Addresses.known(address))),
    value: (name) => key("value", utf8.encode(name)),
    group: (name) => key("group", utf8.encode(name))
  }
}
