/**
 * Messages that differ from one compiled before in a few bytes only.
 *
 * Where a message has one instruction, an account that is alone among the accounts of its kind (writable or not, signer
 * or not) has its place whatever its address is: another address and other data of the same size can be written over
 * the old, and the bytes are those that the compiler would have made.
 */
import type { Address, Instruction } from "@solana/kit"
import * as Addresses from "../Address.js"
import * as Blockhash from "../Blockhash.js"
import type { PreparedMessage, PrepareOptions } from "./messageModels.js"
import * as Slab from "../../internal/Slab.js"
import { VERSION_FLAG } from "./wireConstants.js"

/** Counts of accounts and metas take one byte up to here. */
const ONE_BYTE = 0x7f

/** An account meta of the compiled message. */
interface Slot {
  readonly address: Address
  readonly role: number
  /** Where its 32 bytes stand, if others may take their place. */
  readonly at: number | undefined
}

/** A compiled message and where it may be patched. */
export interface Template extends PreparedMessage {
  readonly version: PrepareOptions["version"]
  readonly programAddress: Address
  readonly slots: ReadonlyArray<Slot>
  readonly statics: ReadonlyArray<Address>
  readonly dataAt: number
  readonly dataSize: number
}

const NO_DATA = new Uint8Array(0)

/** The only instruction of a message that takes no account from a table. */
const onlyInstruction = ({ instructions, lookupTables }: PrepareOptions): Instruction | undefined =>
  instructions.length === 1 && (lookupTables === undefined || lookupTables.length === 0) ? instructions[0] : undefined

/** Learns from what the compiler has made; undefined where the message is too involved. */
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
  /** The first account of each kind but the fee payer, and the end. */
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

/** Finds what may differ; undefined where more differs than the template allows. */
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
    bytes ??= Slab.copy(template.bytes)
    bytes.set(Addresses.toBytes(address), slot.at)
    if (slot.role > 1) newSigners = newSigners.map((signer) => (signer === slot.address ? address : signer))
  }
  bytes ??= Slab.copy(template.bytes)
  bytes.set(data, dataAt)
  return { bytes, blockhashAt, signers: newSigners }
}
