/**
 * Parsed instructions from tables: the names of an instruction's accounts, and the layout of its data.
 *
 * A node shows an instruction as parsed only if all its named accounts exist. Otherwise it shows accounts and data.
 */
import type { Address } from "@solana/kit"
import * as Layout from "../../chain/Layout.js"
import { type Fields, type Parsed, present, struct } from "./Parsed.js"

/** An instruction's accounts in order, and its data. */
export interface Call {
  readonly accounts: ReadonlyArray<Address>
  readonly data: Uint8Array
}

/** One kind of instruction. */
export interface Spec {
  readonly type: string
  /** Names in order. A name with `?` may be missing; `_` is not shown. */
  readonly accounts: ReadonlyArray<string>
  /** Fields behind the discriminator. */
  readonly data?: Fields
  /**
   * The name of the authority behind the accounts. With more accounts behind it, the authority is a multisig, and the
   * others are its signers.
   */
  readonly authority?: string
  /** The name of the list of all further accounts. */
  readonly others?: string
  /** Adds to or changes the fields. */
  readonly adjust?: (fields: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>
}

/** A kind of instruction with these accounts and data. */
export const spec = (
  type: string,
  accounts: string,
  data?: Fields,
  more: Pick<Spec, "authority" | "others" | "adjust"> = {}
): Spec => ({ type, accounts: accounts.split(" ").filter((name) => name !== ""), ...(data && { data }), ...more })

/** Applies a table; undefined if accounts are missing. Data that is too short throws, as in a cursor. */
export const apply = (
  { type, accounts: names, data, authority, others, adjust }: Spec,
  cursor: Layout.Cursor,
  accounts: ReadonlyArray<Address>
): Parsed | undefined => {
  const required = names.filter((name) => !name.endsWith("?")).length + (authority === undefined ? 0 : 1)
  if (accounts.length < required) return undefined
  const named = names.flatMap((name, index): ReadonlyArray<readonly [string, unknown]> =>
    name === "_" || accounts[index] === undefined ? [] : [[name.replace("?", ""), accounts[index]]]
  )
  const behind = accounts.slice(names.length)
  const fields = present({
    ...Object.fromEntries(named),
    ...(data && struct(data)(cursor)),
    ...(authority === undefined ? {} : authorityOf(authority, behind)),
    ...(others === undefined ? {} : { [others]: behind })
  })
  return { type, info: adjust === undefined ? fields : adjust(fields) }
}

const authorityOf = (name: string, [authority, ...signers]: ReadonlyArray<Address>) =>
  signers.length === 0
    ? { [name]: authority }
    : { [`multisig${name.charAt(0).toUpperCase()}${name.slice(1)}`]: authority, signers }

/** A parser of a program whose instructions begin with a number. */
export const byNumber =
  (discriminator: Layout.Reader<number>, specs: Readonly<Record<number, Spec>>) =>
  ({ accounts, data }: Call): Parsed | undefined => {
    const cursor = new Layout.Cursor(data)
    const found = specs[discriminator(cursor)]
    return found === undefined ? undefined : apply(found, cursor, accounts)
  }
