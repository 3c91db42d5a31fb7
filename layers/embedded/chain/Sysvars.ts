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
const COUNT_BYTES = 8

/**
 * Number of entries in the buffer. When it is full, the newest entries move to its end, so a push rarely moves bytes.
 */
const ROOM = 4 * MAX_SLOT_HASHES

/** The entries of SlotHashes: (slot u64, hash), newest first. */
export class SlotHashes {
  readonly #entries: Uint8Array
  #first: number
  #count: number
  /** Whether the machine has the newest entries. */
  isWritten = false

  constructor(other?: SlotHashes) {
    this.#entries = other === undefined ? new Uint8Array(ROOM * ENTRY_BYTES) : Uint8Array.from(other.#entries)
    this.#first = other === undefined ? ROOM : other.#first
    this.#count = other === undefined ? 0 : other.#count
  }

  /** Entries from the data of the sysvar. */
  static from(data: Uint8Array): SlotHashes {
    const made = new SlotHashes()
    const count = Number(new DataView(data.buffer, data.byteOffset, data.length).getBigUint64(0, true))
    if (count > MAX_SLOT_HASHES) throw new RangeError("too many slot hashes")
    made.#count = count
    made.#first = ROOM - count
    made.#entries.set(data.subarray(COUNT_BYTES, COUNT_BYTES + count * ENTRY_BYTES), made.#first * ENTRY_BYTES)
    return made
  }

  push(slot: number, blockhash: Blockhash): void {
    if (this.#first === 0) {
      this.#first = ROOM - this.#count
      this.#entries.copyWithin(this.#first * ENTRY_BYTES, 0, this.#count * ENTRY_BYTES)
    }
    const at = --this.#first * ENTRY_BYTES
    new DataView(this.#entries.buffer).setBigUint64(at, BigInt(slot), true)
    this.#entries.set(Blockhashes.toBytes(blockhash), at + 8)
    this.#count = Math.min(this.#count + 1, MAX_SLOT_HASHES)
    this.isWritten = false
  }

  /** The data of the sysvar, in its full length on a cluster: a u64 count, then the entries. */
  get data(): Uint8Array {
    const data = new Uint8Array(COUNT_BYTES + MAX_SLOT_HASHES * ENTRY_BYTES)
    new DataView(data.buffer).setBigUint64(0, BigInt(this.#count), true)
    const at = this.#first * ENTRY_BYTES
    data.set(this.#entries.subarray(at, at + this.#count * ENTRY_BYTES), COUNT_BYTES)
    return data
  }
}
