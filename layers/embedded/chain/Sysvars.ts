/** The sysvar accounts that change with each slot. */
import type { Address, Blockhash } from "@solana/kit"
import * as Addresses from "../../../src/solana/Address.js"
import * as Blockhashes from "../../../src/solana/Blockhash.js"

/** The owner of all sysvars. */
export const OWNER = Addresses.known("Sysvar1111111111111111111111111111111111111")

/** Slot, epoch and unix time. */
export const CLOCK = Addresses.known("SysvarC1ock11111111111111111111111111111111")

/** Hashes of recent blocks. */
export const SLOT_HASHES = Addresses.known("SysvarS1otHashes111111111111111111111111111")

const OTHERS = [
  "SysvarRent111111111111111111111111111111111",
  "SysvarFees111111111111111111111111111111111",
  "SysvarRecentB1ockHashes11111111111111111111",
  "SysvarStakeHistory1111111111111111111111111",
  "SysvarEpochSchedu1e111111111111111111111111",
  "SysvarEpochRewards1111111111111111111111111",
  "SysvarLastRestartS1ot1111111111111111111111",
  "SysvarS1otHistory11111111111111111111111111"
]

const ADDRESSES: ReadonlySet<Address> = new Set([CLOCK, SLOT_HASHES, ...OTHERS.map(Addresses.known)])

/** Whether the address is a sysvar's. */
export const is = (address: Address): boolean => ADDRESSES.has(address)

/** Slots per epoch, as on Solana's public clusters (about two days of 400 ms slots), without a warm-up. */
export const SLOTS_PER_EPOCH = 432_000

/** Maximum entries of SlotHashes. */
export const MAX_SLOT_HASHES = 512

const ENTRY_BYTES = 40

/** Returns new SlotHashes data with one more block in front: a u64 count, then (slot u64, hash), newest first. */
export const withSlotHash = (slotHashes: Uint8Array, slot: number, blockhash: Blockhash): Uint8Array => {
  const data = new Uint8Array(8 + MAX_SLOT_HASHES * ENTRY_BYTES)
  const view = new DataView(data.buffer)
  const count =
    slotHashes.length < 8 ? 0 : Number(new DataView(slotHashes.buffer, slotHashes.byteOffset).getBigUint64(0, true))
  const kept = Math.min(count, MAX_SLOT_HASHES - 1)
  view.setBigUint64(0, BigInt(kept + 1), true)
  view.setBigUint64(8, BigInt(slot), true)
  data.set(Blockhashes.toBytes(blockhash), 16)
  data.set(slotHashes.subarray(8, 8 + kept * ENTRY_BYTES), 8 + ENTRY_BYTES)
  return data
}

/** SlotHashes of a chain without blocks. */
export const NO_SLOT_HASHES = new Uint8Array(0)
