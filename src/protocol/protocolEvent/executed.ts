/**
 * Lists the instructions of a transaction in the order in which they ran, with their accounts.
 *
 * Invariants: nothing throws, whatever the message and the meta claim; an invalid index affects only its own
 * instruction, whose program or accounts become `undefined`; paths are unique.
 */
import type { Address } from "@solana/kit"
import type { CompiledInstruction, CompiledMessage } from "../../solana/Message.js"

/** An instruction that a program called, as the node lists it. */
export interface InnerInstruction {
  /** Index into the accounts of the transaction: static, then loaded writable, then loaded read-only. */
  readonly programIdIndex: number
  readonly accounts: ReadonlyArray<number>
  readonly data: Uint8Array
}

/** The calls and the accounts from lookup tables, as a node reports them. */
export interface Loaded {
  readonly innerInstructions: ReadonlyArray<{
    readonly index: number
    readonly instructions: ReadonlyArray<InnerInstruction>
  }>
  readonly loadedAddresses: { readonly writable: ReadonlyArray<Address>; readonly readonly: ReadonlyArray<Address> }
}

/** One instruction that ran. */
export interface Executed {
  readonly path: string
  /** Undefined if the index names no account. */
  readonly program: Address | undefined
  /** Undefined if an index names no account. */
  readonly accounts: ReadonlyArray<Address> | undefined
  readonly data: Uint8Array
}

const resolve = (all: ReadonlyArray<Address>, indices: ArrayLike<number>): ReadonlyArray<Address> | undefined => {
  const resolved: Array<Address> = []
  for (let at = 0; at < indices.length; at++) {
    const address = all[indices[at] ?? -1]
    if (address === undefined) return undefined
    resolved.push(address)
  }
  return resolved
}

/** Each instruction, followed by the calls that it made. Calls of an instruction that does not exist come last. */
export const executed = (
  message: CompiledMessage,
  { innerInstructions, loadedAddresses }: Loaded
): ReadonlyArray<Executed> => {
  const all = [...message.staticAccounts, ...loadedAddresses.writable, ...loadedAddresses.readonly]
  const calls = new Map<number, Array<InnerInstruction>>()
  for (const { index, instructions } of innerInstructions) {
    const known = calls.get(index)
    if (known === undefined) calls.set(index, [...instructions])
    else for (const instruction of instructions) known.push(instruction)
  }
  const ran: Array<Executed> = []
  const addCalls = (index: number, exists: boolean): void => {
    for (const [at, { accounts, data, programIdIndex }] of (calls.get(index) ?? []).entries()) {
      ran.push({
        path: `${index}.${at}`,
        program: exists ? all[programIdIndex] : undefined,
        accounts: exists ? resolve(all, accounts) : undefined,
        data
      })
    }
    calls.delete(index)
  }
  const addOuter = ({ accountIndices, data, programIndex }: CompiledInstruction, index: number): void => {
    ran.push({ path: `${index}`, program: all[programIndex], accounts: resolve(all, accountIndices), data })
    addCalls(index, true)
  }
  message.instructions.forEach(addOuter)
  for (const index of Array.from(calls.keys())) addCalls(index, false)
  return ran
}
