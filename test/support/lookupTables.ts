import { type Address, address, type Instruction } from "@solana/kit"
import * as Either from "effect/Either"
import * as Addresses from "../../src/solana/Address.js"
import * as ProgramAddress from "../../src/solana/ProgramAddress.js"

/** The program of lookup tables. */
export const PROGRAM = address("AddressLookupTab1e1111111111111111111111111")

const HEADER_BYTES = 56

const u64 = (value: bigint): Uint8Array => {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, value, true)
  return bytes
}

/** The owner of the table pays for it. */
const accounts = (table: Address, authority: Address): NonNullable<Instruction["accounts"]> => [
  { address: table, role: 1 },
  { address: authority, role: 2 },
  { address: authority, role: 3 },
  { address: Addresses.SYSTEM_PROGRAM, role: 0 }
]

/** The instruction that creates an empty table, and its address: one per authority and slot. */
export const create = (
  authority: Address,
  slot: bigint
): { readonly table: Address; readonly instruction: Instruction } => {
  const { address: table, bump } = Either.getOrThrow(
    ProgramAddress.find([Addresses.toBytes(authority), u64(slot)], PROGRAM)
  )
  return {
    table,
    instruction: {
      programAddress: PROGRAM,
      accounts: accounts(table, authority),
      data: Uint8Array.of(0, 0, 0, 0, ...u64(slot), bump)
    }
  }
}

/** The instruction that appends addresses, about 30 at most. */
export const extend = (authority: Address, table: Address, addresses: ReadonlyArray<Address>): Instruction => ({
  programAddress: PROGRAM,
  accounts: accounts(table, authority),
  data: Uint8Array.of(
    2,
    0,
    0,
    0,
    ...u64(BigInt(addresses.length)),
    ...addresses.flatMap((one) => [...Addresses.toBytes(one)])
  )
})

/** The account of a table whose last addresses are usable after that slot. */
export const image = (table: Address, addresses: ReadonlyArray<Address>, lastExtendedSlot: bigint) => {
  const data = new Uint8Array(HEADER_BYTES + 32 * addresses.length)
  const view = new DataView(data.buffer)
  view.setUint32(0, 1, true)
  view.setBigUint64(4, 2n ** 64n - 1n, true)
  view.setBigUint64(12, lastExtendedSlot, true)
  addresses.forEach((one, index) => data.set(Addresses.toBytes(one), HEADER_BYTES + 32 * index))
  return { address: table, owner: PROGRAM, lamports: 1_000_000_000n, data }
}
