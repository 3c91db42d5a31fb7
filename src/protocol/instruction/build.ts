/**
 * Builds an instruction with the account metas that the program expects, from data and addresses.
 *
 * @since 0.1.0
 */
import type { AccountMeta, Address, Instruction } from "@solana/kit"
import * as Either from "effect/Either"
import type { InvalidInput } from "../../InvalidInput.js"
import * as Addresses from "../../solana/Address.js"
import { type Access, definitions } from "../internal/instructionTable.js"
import { PROGRAM_ID } from "../Program.js"
import { encode, type InstructionData, type InstructionTag } from "./data.js"

/**
 * An instruction of the program, as a Kit instruction.
 *
 * @since 0.1.0
 * @category models
 */
export interface ProgramInstruction extends Instruction {
  readonly accounts: ReadonlyArray<AccountMeta>
  /** The bytes of the data. They may share an `ArrayBuffer` with other arrays. */
  readonly data: Uint8Array
}

type AccountsOf<Tag extends InstructionTag> = (typeof definitions)[Tag]["accounts"]

/**
 * The accounts of an instruction by name. `undefined` omits an optional account.
 *
 * @since 0.1.0
 * @category models
 */
export type AccountAddresses<Tag extends InstructionTag> = {
  readonly [Name in keyof AccountsOf<Tag>]: AccountsOf<Tag>[Name] extends `${string}?` ? Address | undefined : Address
}

/**
 * One account of an instruction: its name, its access, and whether it is optional.
 *
 * @since 0.1.0
 * @category models
 */
export interface AccountRule {
  readonly name: string
  readonly role: AccountMeta["role"]
  readonly isOptional: boolean
}

// Kit's AccountRole is an enum that lives in Kit's runtime; these are its values.
const roles: { readonly [_ in Access]: AccountMeta["role"] } = { r: 0, "r?": 0, w: 1, "w?": 1, s: 2, sw: 3 }
const READONLY = roles.r

const rules = new Map<string, ReadonlyArray<AccountRule>>(
  Object.entries(definitions).map(([tag, { accounts }]) => [
    tag,
    Object.entries(accounts).map(([name, access]) => ({ name, role: roles[access], isOptional: access.endsWith("?") }))
  ])
)

/**
 * The accounts of an instruction, in the order of the wire.
 *
 * @since 0.1.0
 * @category decoding
 */
export const accounts = (tag: InstructionTag): ReadonlyArray<AccountRule> => rules.get(tag) ?? []

/**
 * Names the accounts of an instruction by position: `nameAccounts("SendMessage", addresses)` has a `messageAccount`. It
 * gives no name to omitted optional accounts, missing accounts, and accounts after the declared ones.
 *
 * @since 0.1.0
 * @category decoding
 */
export function nameAccounts<Tag extends InstructionTag>(
  tag: Tag,
  addresses: ReadonlyArray<Address>,
  programId?: Address
): { readonly [Name in keyof AccountsOf<Tag>]?: Address }
export function nameAccounts(
  tag: InstructionTag,
  addresses: ReadonlyArray<Address>,
  programId: Address = PROGRAM_ID
): Record<string, Address> {
  const named: Record<string, Address> = {}
  for (const [position, { isOptional, name }] of accounts(tag).entries()) {
    const address = addresses[position]
    if (address !== undefined && !(isOptional && address === programId)) named[name] = address
  }
  return named
}

/** As {@link nameAccounts}; `undefined` if a required account is missing. */
export function requireAccounts<Tag extends InstructionTag>(
  tag: Tag,
  addresses: ReadonlyArray<Address>,
  programId?: Address
): AccountAddresses<Tag> | undefined
export function requireAccounts(
  tag: InstructionTag,
  addresses: ReadonlyArray<Address>,
  programId?: Address
): Record<string, Address | undefined> | undefined {
  const named: Record<string, Address | undefined> = nameAccounts(tag, addresses, programId)
  return accounts(tag).every(({ isOptional, name }) => isOptional || named[name] !== undefined) ? named : undefined
}

/** Builds an instruction from accounts that have been checked. */
export const assemble = <Data extends InstructionData>(
  data: Data,
  addresses: AccountAddresses<Data["_tag"]>,
  programId: Address = PROGRAM_ID
): Either.Either<ProgramInstruction, InvalidInput> => {
  const bytes = encode(data)
  if (Either.isLeft(bytes)) return Either.left(bytes.left)
  const byName: { readonly [name: string]: Address | undefined } = addresses
  const metas = accounts(data._tag).map(({ name, role }): AccountMeta => {
    const address = byName[name]
    return address === undefined ? { address: programId, role: READONLY } : { address, role }
  })
  return Either.right({ programAddress: programId, accounts: metas, data: bytes.right })
}

/**
 * Builds an instruction from its data and all its accounts. The functions named after the instructions derive most
 * accounts; this one takes them all from the caller. Fails if the wire cannot hold a value, or if an account or
 * `programId` is not an address.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <Data extends InstructionData>(
  data: Data,
  addresses: AccountAddresses<Data["_tag"]>,
  programId: Address = PROGRAM_ID
): Either.Either<ProgramInstruction, InvalidInput> => {
  const byName: { readonly [name: string]: Address | undefined } = addresses
  let refused = Addresses.check(programId, "programId")
  for (const { isOptional, name } of accounts(data._tag)) {
    const address = byName[name]
    if (address !== undefined || !isOptional) refused ??= Addresses.check(address, name)
  }
  return refused === undefined ? assemble(data, addresses, programId) : Either.left(refused)
}
