/**
 * The inputs of a chain: all changes of its state. Two chains with the same seed and settings, and with the same inputs
 * at the same times, have the same state, down to the blockhash.
 *
 * Invariants: an input contains all data that its effect depends on, so a replay reads nothing from outside. A refused
 * transaction, account or program is not an input. The numbers of the kinds and the order of their fields are the
 * format of ledger folders.
 */
import type { Address } from "@solana/kit"
import * as Addresses from "../../../src/solana/Address.js"
import { MAX_ACCOUNT_BYTES } from "../../../src/solana/Limits.js"
import * as Layout from "./Layout.js"
import type { StoredAccount } from "./StoredAccount.js"

/** One input. */
export type Input =
  | { readonly kind: "submit"; readonly wire: Uint8Array; readonly verify: boolean }
  | { readonly kind: "advance"; readonly count: number }
  | { readonly kind: "advanceTime"; readonly millis: number }
  | { readonly kind: "expireBlockhashes" }
  | { readonly kind: "setAccount"; readonly address: Address; readonly account: StoredAccount | undefined }
  | { readonly kind: "addProgram"; readonly address: Address; readonly elf: Uint8Array }

/** An input, and its time in milliseconds since genesis. */
export interface TimedInput {
  readonly elapsed: number
  readonly input: Input
}

const KINDS = ["submit", "advance", "advanceTime", "expireBlockhashes", "setAccount", "addProgram"] as const

/** An input as bytes: its kind, its time, its fields. */
export const encode = ({ elapsed, input }: TimedInput): Uint8Array => {
  const parts = [Uint8Array.of(KINDS.indexOf(input.kind)), f64(elapsed), ...fields(input)]
  return Buffer.concat(parts)
}

const f64 = (value: number): Uint8Array => new Uint8Array(Float64Array.of(value).buffer)
const u64 = (value: bigint): Uint8Array => new Uint8Array(BigUint64Array.of(value).buffer)

const fields = (input: Input): ReadonlyArray<Uint8Array> => {
  switch (input.kind) {
    case "submit":
      return [Uint8Array.of(input.verify ? 1 : 0), input.wire]
    case "advance":
      return [f64(input.count)]
    case "advanceTime":
      return [f64(input.millis)]
    case "expireBlockhashes":
      return []
    case "addProgram":
      return [Addresses.toBytes(input.address), input.elf]
    case "setAccount": {
      const { account } = input
      const address = Addresses.toBytes(input.address)
      if (account === undefined) return [address]
      const { data, executable, lamports, owner, rentEpoch } = account
      return [address, u64(lamports), Addresses.toBytes(owner), Uint8Array.of(executable ? 1 : 0), u64(rentEpoch), data]
    }
  }
}

/** Reads an input. Returns undefined if the bytes are not an input. */
export const decode = (bytes: Uint8Array): TimedInput | undefined =>
  Layout.attempt(() => {
    const cursor = new Layout.Cursor(bytes)
    const kind = KINDS[Layout.u8(cursor)]
    const elapsed = Layout.duration(cursor)
    const input = kind === undefined ? undefined : read(kind, cursor)
    return input === undefined ? undefined : { elapsed, input }
  })

const account = Layout.atMost(MAX_ACCOUNT_BYTES, Layout.rest)

const read = (kind: Input["kind"], cursor: Layout.Cursor): Input => {
  switch (kind) {
    case "submit":
      return { kind, verify: Layout.bool(cursor), wire: Layout.rest(cursor) }
    case "advance":
      return { kind, count: Layout.count(cursor) }
    case "advanceTime":
      return { kind, millis: Layout.duration(cursor) }
    case "expireBlockhashes":
      return { kind }
    case "addProgram":
      return { kind, address: Layout.address(cursor), elf: account(cursor) }
    case "setAccount": {
      const address = Layout.address(cursor)
      if (cursor.left === 0) return { kind, address, account: undefined }
      const lamports = Layout.u64(cursor)
      const owner = Layout.address(cursor)
      const executable = Layout.bool(cursor)
      const rentEpoch = Layout.u64(cursor)
      return { kind, address, account: { lamports, owner, executable, rentEpoch, data: account(cursor) } }
    }
  }
}
