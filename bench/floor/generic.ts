/**
 * Compiles instructions in Kit's form to a version-0 message, without tables, checks or limits: the minimum work of a
 * compiler.
 */
import type { Address, Blockhash, Instruction } from "@solana/kit"
import { decode32 } from "./base58.js"

const known = new Map<string, Uint8Array>()

const bytesOf = (text: Address | Blockhash): Uint8Array => {
  const found = known.get(text) ?? decode32(text)
  if (known.size < 4096) known.set(text, found)
  return found
}

const collator = new Intl.Collator("en", {
  caseFirst: "lower",
  ignorePunctuation: false,
  localeMatcher: "best fit",
  numeric: false,
  sensitivity: "variant",
  usage: "sort"
})

const scratch = new Uint8Array(1400)

export const compile = (
  feePayer: Address,
  blockhash: Blockhash,
  instructions: ReadonlyArray<Instruction>
): Uint8Array => {
  const roles = new Map<Address, number>([[feePayer, 3]])
  for (const { accounts = [], programAddress } of instructions) {
    if (!roles.has(programAddress)) roles.set(programAddress, 0)
    for (const { address, role } of accounts) roles.set(address, (roles.get(address) ?? 0) | role)
  }
  const kinds: ReadonlyArray<Array<Address>> = [[], [], [], []]
  for (const [address, role] of roles) if (address !== feePayer) kinds[3 - role]?.push(address)
  for (const kind of kinds) if (kind.length > 1) kind.sort(collator.compare)
  const order = [feePayer, ...kinds.flat()]
  const indices = new Map(order.map((address, index) => [address, index]))
  const [writableSigners = [], readonlySigners = [], , readonly = []] = kinds
  let at = 0
  scratch[at++] = 0x80
  scratch[at++] = 1 + writableSigners.length + readonlySigners.length
  scratch[at++] = readonlySigners.length
  scratch[at++] = readonly.length
  scratch[at++] = order.length
  for (const address of order) {
    scratch.set(bytesOf(address), at)
    at += 32
  }
  scratch.set(bytesOf(blockhash), at)
  at += 32
  scratch[at++] = instructions.length
  for (const { accounts = [], data = [], programAddress } of instructions) {
    scratch[at++] = indices.get(programAddress) ?? 0
    scratch[at++] = accounts.length
    for (const { address } of accounts) scratch[at++] = indices.get(address) ?? 0
    if (data.length < 128) scratch[at++] = data.length
    else {
      scratch[at++] = (data.length & 127) | 128
      scratch[at++] = data.length >> 7
    }
    scratch.set(data, at)
    at += data.length
  }
  scratch[at++] = 0
  return scratch.slice(0, at)
}
