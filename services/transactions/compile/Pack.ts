/**
 * Packs items into as few transactions as their order and 1232 bytes allow.
 *
 * - An item stays whole, and items keep their order.
 * - Sizes are computed, because compiling for each item takes several times as long. With lookup tables, the size
 *   depends on the accounts that a table provides, so each attempt is compiled.
 * - An item that is too large gets its own transaction. Compiling that one gives the error.
 */
import type { Address, Instruction } from "@solana/kit"
import * as Either from "effect/Either"
import { MAX_INSTRUCTIONS } from "../../../src/solana/Limits.js"
import type { Version } from "../../../src/solana/Message.js"
import * as Wire from "../../../src/solana/Wire.js"
import type { Service as Wallet } from "../../Wallet.js"
import type { PackedItem, PackedOptions } from "../Model.js"
import * as UnsignedTransaction from "./UnsignedTransaction.js"

/** A transaction that is being filled. */
interface Room {
  /** Adds the instructions if there is room for all of them. Returns whether there was. */
  readonly add: (instructions: ReadonlyArray<Instruction>) => boolean
}

/** The lowest of Kit's roles that signs. */
const READONLY_SIGNER = 2

/** Bytes of a compact-u16 count on the wire, with seven bits per byte. */
const countSize = (count: number): number => (count < 0x80 ? 1 : 2)

const ADDRESS = 32
const BLOCKHASH = 32

/** Bytes of the three account counts at the start of a message. */
const HEADER = 3

/** Additional bytes of a version 0 message: its version, and its number of look-ups. */
const VERSION = 2

/** Computes the size of a message without lookup tables, in the compiler's layout. */
export class MeasuredRoom implements Room {
  readonly #version: number
  readonly #signs = new Map<Address, boolean>()
  #signers = 1
  #instructions = 0
  #instructionBytes = 0

  constructor(feePayer: Address, version: Version) {
    this.#version = version === "legacy" ? 0 : VERSION
    this.#signs.set(feePayer, true)
  }

  add(instructions: ReadonlyArray<Instruction>): boolean {
    const met = new Map<Address, boolean>()
    let accountCount = this.#signs.size
    let signers = this.#signers
    const meet = (address: Address, isSigner: boolean): void => {
      const signed = met.get(address) ?? this.#signs.get(address)
      if (signed === undefined) accountCount++
      if (isSigner && signed !== true) signers++
      if (signed === undefined || (isSigner && !signed)) met.set(address, isSigner)
    }
    let bytes = this.#instructionBytes
    for (const { accounts = [], data = [], programAddress } of instructions) {
      meet(programAddress, false)
      for (const { address, role } of accounts) meet(address, role >= READONLY_SIGNER)
      bytes += 1 + countSize(accounts.length) + accounts.length + countSize(data.length) + data.length
    }
    const count = this.#instructions + instructions.length
    const message =
      this.#version + HEADER + countSize(accountCount) + ADDRESS * accountCount + BLOCKHASH + countSize(count) + bytes
    if (count > MAX_INSTRUCTIONS || Wire.messageAt(signers) + message > Wire.MAX_TRANSACTION_BYTES) return false
    for (const [address, isSigner] of met) this.#signs.set(address, isSigner)
    this.#signers = signers
    this.#instructions = count
    this.#instructionBytes = bytes
    return true
  }
}

/** A room that compiles the message for each attempt. */
const compiledRoom = (wallet: Wallet, options: PackedOptions): Room => {
  let taken: ReadonlyArray<Instruction> = []
  return {
    add: (instructions) => {
      const all = [...taken, ...instructions]
      const fits = Either.isRight(UnsignedTransaction.make(wallet, all, options))
      if (fits) taken = all
      return fits
    }
  }
}

const usesTables = (items: ReadonlyArray<PackedItem>, { lookupTables = [] }: PackedOptions): boolean =>
  lookupTables.length > 0 ||
  items.some(({ instructions }) =>
    instructions.some(({ accounts = [] }) => accounts.some((meta) => "lookupTableAddress" in meta))
  )

/** The items of each transaction. */
export const pack = (
  wallet: Wallet,
  items: ReadonlyArray<PackedItem>,
  options: PackedOptions
): ReadonlyArray<ReadonlyArray<PackedItem>> => {
  const { feePayer = wallet, version = 0 } = options
  const frame = UnsignedTransaction.frame(wallet, options)
  if (Either.isLeft(frame)) return items.map((item) => [item])
  const open = (): Room => {
    if (usesTables(items, options)) return compiledRoom(wallet, options)
    const room = new MeasuredRoom(feePayer.address, version)
    room.add([...frame.right.before, ...frame.right.after])
    return room
  }
  const packs: Array<Array<PackedItem>> = []
  let room: Room | undefined
  for (const item of items) {
    const isEmpty = item.instructions.length === 0
    if (!isEmpty && room?.add(item.instructions) === true) packs.at(-1)?.push(item)
    else {
      packs.push([item])
      const fresh = open()
      room = !isEmpty && fresh.add(item.instructions) ? fresh : undefined
    }
  }
  return packs
}
