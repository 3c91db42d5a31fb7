/**
 * Keys of the second level: `format u8 ‖ genesis 32 ‖ program 32 ‖ kind u8 ‖ name`.
 *
 * The kind is `a` for an account, whose name is its address in 32 bytes, `v` for a value of a namespace and `g` for a
 * group, whose names are UTF-8. Clusters, programs and formats that share a folder never meet.
 */
import type { Address, Blockhash } from "@solana/kit"
import * as Addresses from "../../src/solana/Address.js"
import * as Blockhashes from "../../src/solana/Blockhash.js"

const FORMAT = 1
const KINDS = { account: 0x61, value: 0x76, group: 0x67 } as const

const utf8 = new TextEncoder()

export interface Keys {
  readonly account: (address: string) => Uint8Array
  readonly value: (name: string) => Uint8Array
  readonly group: (name: string) => Uint8Array
}

export const make = (genesis: Blockhash, program: Address): Keys => {
  const prefix = Uint8Array.of(FORMAT, ...Blockhashes.toBytes(genesis), ...Addresses.toBytes(program))
  const key = (kind: number, name: Uint8Array): Uint8Array => {
    const bytes = new Uint8Array(prefix.length + 1 + name.length)
    bytes.set(prefix)
    bytes[prefix.length] = kind
    bytes.set(name, prefix.length + 1)
    return bytes
  }
  return {
    account: (address) => key(KINDS.account, Addresses.toBytes(Addresses.known(address))),
    value: (name) => key(KINDS.value, utf8.encode(name)),
    group: (name) => key(KINDS.group, utf8.encode(name))
  }
}
