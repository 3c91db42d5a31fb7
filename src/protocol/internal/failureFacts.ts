/**
 * Finds the account that made a transaction fail, and the lamports that it lacked. The System program's log has them.
 * Without a log they come from the instruction: nodes may omit the log, and the runtime writes none if the fee cannot
 * be paid.
 */
import type { Address, ReadonlyUint8Array } from "@solana/kit"
import * as Either from "effect/Either"
import * as Addresses from "../../solana/Address.js"
import * as Rent from "../../solana/Rent.js"
import { accounts } from "../instruction/build.js"
import { decode, type InstructionTag } from "../instruction/data.js"
import type { TransactionFailure } from "./transactionFailure.js"

export interface Facts {
  readonly address?: Address | undefined
  readonly available?: bigint | undefined
  readonly required?: bigint | undefined
}

/** An instruction of the transaction in Kit's form; an unknown account is `undefined`. */
export interface GivenInstruction {
  readonly programAddress: Address
  readonly accounts?: ReadonlyArray<{ readonly address: Address } | undefined> | undefined
  readonly data?: ReadonlyUint8Array | undefined
}

const IN_USE = /account Address \{ address: ([1-9A-HJ-NP-Za-km-z]{32,44}), base: .{1,64} \} already in use$/
const TOO_FEW = /insufficient lamports (\d{1,20}), need (\d{1,20})$/

/** The facts in the System program's log. */
export const ofLog = (logs: ReadonlyArray<string>): Facts => {
  const address = logs.map((line) => IN_USE.exec(line)?.[1]).findLast((text) => text !== undefined)
  const [, available, required] = logs.map((line) => TOO_FEW.exec(line)).findLast((match) => match !== null) ?? []
  return {
    ...(address !== undefined && Addresses.is(address) ? { address } : {}),
    ...(available === undefined || required === undefined
      ? {}
      : { available: BigInt(available), required: BigInt(required) })
  }
}

/** The account that each instruction creates. */
const made: { readonly [Tag in InstructionTag]?: string } = {
  RegisterAgent: "agentAccount",
  SendMessage: "messageAccount",
  BroadcastMessage: "messageAccount",
  CreateChannel: "channelAccount",
  CreateChannelV2: "channelAccount",
  JoinChannel: "participantAccount",
  InviteToChannel: "invitationAccount",
  DepositEscrow: "escrowAccount"
}

const WRITABLE_SIGNER = 3

/** The first account of the instruction that satisfies `is`; `undefined` if it is an omitted optional account. */
const accountOf = (
  tag: InstructionTag,
  instruction: GivenInstruction,
  is: (rule: { readonly name: string; readonly role: number }) => boolean
): Address | undefined => {
  const address = instruction.accounts?.[accounts(tag).findIndex(is)]?.address
  return address === instruction.programAddress ? undefined : address
}

/** The account that the instruction would have created. */
export const madeBy = (tag: InstructionTag, instruction: GivenInstruction): Facts => ({
  address: accountOf(tag, instruction, ({ name }) => name === made[tag])
})

/** The wallet that pays for the account that the instruction creates. */
export const paidBy = (tag: InstructionTag, instruction: GivenInstruction): Facts => ({
  address: accountOf(tag, instruction, ({ role }) => role === WRITABLE_SIGNER)
})

/**
 * The escrow that holds too little. Only a withdrawal states the required amount; a fee is in the channel's account.
 */
export const escrowOf = (tag: InstructionTag, instruction: GivenInstruction): Facts => {
  const data = Either.getOrUndefined(decode(Uint8Array.from(instruction.data ?? [])))
  return {
    address: accountOf(tag, instruction, ({ name }) => name === "escrowAccount"),
    required: data?._tag === "WithdrawEscrow" ? data.amount : undefined
  }
}

const CREATE_ACCOUNT = 0
const TRANSFER = 2

/** The wallet from which an instruction of the System program takes lamports, and the amount. */
export const ofTransfer = ({ accounts, data }: GivenInstruction): Facts => {
  const bytes = Uint8Array.from(data ?? [])
  if (bytes.length < 12) return {}
  const view = new DataView(bytes.buffer)
  const kind = view.getUint32(0, true)
  return kind === CREATE_ACCOUNT || kind === TRANSFER
    ? { address: accounts?.[0]?.address, required: view.getBigUint64(4, true) }
    : {}
}

/** The account that cannot pay for the transaction as a whole. The first account pays the fee and holds no data. */
export const unpaid = (
  { accountIndex, kind }: TransactionFailure,
  accounts: ReadonlyArray<Address>,
  fee: bigint | undefined
): Facts => {
  switch (kind) {
    case "InsufficientFundsForRent":
      return { address: accounts[accountIndex ?? -1], required: accountIndex === 0 ? Rent.minimum(0) : undefined }
    case "AccountNotFound":
      return { address: accounts[0], available: 0n, required: fee }
    default:
      return { address: accounts[0], required: fee }
  }
}
