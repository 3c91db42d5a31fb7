/**
 * Derives a message from a compiled one of the same shape by patching a few bytes.
 *
 * It handles messages with one instruction and no lookup table. An account that is alone in its group (by signer and
 * writable) keeps its index for any address. So another address and other data of the same size can overwrite the old
 * bytes.
 *
 * Invariants: a filled message equals the compiler's, byte for byte. `fill` returns undefined if the program, fee
 * payer, version, roles, account count or data size differ, or if a new address is already in the message. A template's
 * own bytes never change.
 */
import type { Address, Instruction } from "@solana/kit"
import * as Slab from "../../internal/Slab.js"
import * as Addresses from "../Address.js"
import * as Blockhash from "../Blockhash.js"
import type { PreparedMessage, PrepareOptions } from "./messageModels.js"
import { VERSION_FLAG } from "./wireConstants.js"

/** The largest count that takes one byte. */
const ONE_BYTE = 0x7f

/** An account meta of the compiled message. */
interface Slot {
  readonly address: Address
  readonly role: number
  /** Offset of its 32 bytes, if another address may replace them. */
  readonly at: number | undefined
}

/** A compiled message with the positions that may be patched. */
export interface Template extends PreparedMessage {
  readonly version: PrepareOptions["version"]
  readonly programAddress: Address
  readonly slots: ReadonlyArray<Slot>
  readonly statics: ReadonlyArray<Address>
  readonly dataAt: number
  readonly dataSize: number
}

const NO_DATA = new Uint8Array(0)

/** The only instruction of a message without lookup tables. */
const onlyInstruction = ({ instructions, lookupTables }: PrepareOptions): Instruction | undefined =>
  instructions.length === 1 && (lookupTables === undefined || lookupTables.length === 0) ? instructions[0] : undefined

/** Makes a template of a compiled message; undefined if the message has another shape. */
export const learn = (options: PrepareOptions, prepared: PreparedMessage): Template | undefined => {
  const { blockhashAt, bytes } = prepared
  const instruction = onlyInstruction(options)
  if (instruction === undefined) return undefined
  const { accounts = [], data = NO_DATA, programAddress } = instruction
  if (accounts.length > ONE_BYTE || accounts.some((meta) => "lookupTableAddress" in meta)) return undefined

  const headerAt = bytes[0] === VERSION_FLAG ? 1 : 0
  const [signers = 0, readonlySigners = 0, readonly = 0, count = 0] = bytes.subarray(headerAt)
  const keysAt = headerAt + 4
  const firstIndex = blockhashAt + Blockhash.SIZE + 3
  /** Index of the first account of each group after the fee payer, and the end. */
  const bounds = [1, signers - readonlySigners, signers, count - readonly, count]
  const isAlone = (index: number): boolean =>
    bounds.some((bound, kind) => bound === index && bounds[kind + 1] === index + 1)

  const statics = Array.from({ length: count }, (_, index) =>
    Addresses.fromBytes(bytes, keysAt + index * Addresses.SIZE)
  )
  const slots = accounts.map(({ address, role }, position): Slot => {
    const index = bytes[firstIndex + position] ?? 0
    const isPatchable =
      isAlone(index) && address !== programAddress && accounts.filter((meta) => meta.address === address).length === 1
    return { address, role, at: isPatchable ? keysAt + index * Addresses.SIZE : undefined }
  })
  return {
    ...prepared,
    version: options.version,
    programAddress,
    slots,
    statics,
    // A message of version 0 ends with the count of its lookups, one byte.
    dataAt: bytes.length - data.length - headerAt,
    dataSize: data.length
  }
}

/** Patches the differences into a copy; undefined if the template does not allow them. */
export const fill = (template: Template, options: PrepareOptions): PreparedMessage | undefined => {
  const instruction = onlyInstruction(options)
  if (instruction === undefined || options.version !== template.version) return undefined
  const { accounts = [], data = NO_DATA, programAddress } = instruction
  const { blockhashAt, dataAt, dataSize, signers, slots, statics } = template
  if (
    programAddress !== template.programAddress ||
    options.feePayer !== signers[0] ||
    data.length !== dataSize ||
    accounts.length !== slots.length
  ) {
    return undefined
  }
  let bytes: Uint8Array | undefined
  let newSigners = signers
  for (let position = 0; position < slots.length; position++) {
    const slot = slots[position]
    const meta = accounts[position]
    if (slot === undefined || meta === undefined || meta.role !== slot.role || "lookupTableAddress" in meta) {
      return undefined
    }
    const { address } = meta
    if (address === slot.address) continue
    if (slot.at === undefined || statics.includes(address)) return undefined
    for (let before = 0; before < position; before++) if (accounts[before]?.address === address) return undefined
    // The address is invalid: the compiler reports it with its path.
    if (Addresses.check(address, "address") !== undefined) return undefined
    bytes ??= Slab.copy(template.bytes)
    bytes.set(Addresses.toBytes(address), slot.at)
    if (slot.role > 1) newSigners = newSigners.map((signer) => (signer === slot.address ? address : signer))
  }
  bytes ??= Slab.copy(template.bytes)
  bytes.set(data, dataAt)
  return { bytes, blockhashAt, signers: newSigners }
}
