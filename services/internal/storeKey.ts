/**
 * Keys of a `CacheStore`: `format u8 ‖ genesis 32 ‖ program 32 ‖ kind u8 ‖ name`. Keys of different clusters, programs,
 * kinds or formats in one store never collide.
 */
import type { Address, Blockhash } from "@solana/kit"
import * as Addresses from "../../src/solana/Address.js"
import * as Blockhashes from "../../src/solana/Blockhash.js"

const FORMAT = 1

/** The kind of value under a key. */
const KINDS = { account: 0x61, discovery: 0x64, group: 0x67, value: 0x76 } as const

/** Makes the keys of a program on a cluster. */
export const make = (
  genesis: Blockhash,
  program: Address
): ((kind: keyof typeof KINDS, name: Uint8Array) => Uint8Array) => {
  const prefix = Uint8Array.of(FORMAT, ...Blockhashes.toBytes(genesis), ...Addresses.toBytes(program))
  return (kind, name) => {
    const bytes = new Uint8Array(prefix.length + 1 + name.length)
    bytes.set(prefix)
    bytes[prefix.length] = KINDS[kind]
    bytes.set(name, prefix.length + 1)
    return bytes
  }
}
