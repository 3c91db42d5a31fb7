/** The texts of the reasons of a `ProgramError`, and the codes of each. */
import type { InstructionTag } from "../instruction/data.js"
import { frameworkErrors, programErrors } from "./errorCodes.js"

/** The names of the codes that the program and its framework use. */
export type CodeName =
  | (typeof programErrors)[keyof typeof programErrors]["name"]
  | (typeof frameworkErrors)[keyof typeof frameworkErrors]["name"]

/** Reasons without a code of the program. */
export type OwnReason = keyof typeof ownReasons

export const codes: ReadonlyMap<number, { readonly name: CodeName; readonly text: string }> = new Map(
  Object.entries({ ...programErrors, ...frameworkErrors }).map(([code, error]) => [Number(code), error])
)

/** The texts of the reasons without a code of the program. */
const ownReasons = {
  AlreadyRegistered: "the wallet has an agent already: read it, or update it",
  DuplicateMessage: "a message with this address is there already: give it another id or nonce if it is to go twice",
  ChannelNameTaken: "the wallet has a channel that was created under this name: choose another name",
  AlreadyInvited: "the wallet has an invitation to this channel already",
  EscrowExists: "the wallet has deposited for this channel already, and this program takes one deposit only",
  AccountAlreadyInUse: "the account exists already",
  ProgramFailedToComplete: "the program aborted: an input is out of its range, or the program has a fault",
  PrivilegeEscalation: "an account was not passed as writable or signing though the program needs it so",
  ComputationalBudgetExceeded: "the transaction ran out of compute units: raise its limit",
  MissingRequiredSignature: "an account had to sign and did not",
  UnsupportedProgramId: "there is no such program on this cluster: check the program id and the endpoint",
  IncorrectProgramId: "the program is not the one that the instruction needs: check the program id",
  Unknown: "the program failed with an error of its own"
} as const

/** What to do about reasons whose text states only the fault. */
const advice: { readonly [Name in CodeName]?: string } = {
  AccountNotInitialized: "register the agent, join the channel or make the account first",
  AccountOwnedByWrongProgram: "make the account first, or check the address",
  AlreadyInChannel: "the agent is a participant, or it has left a channel that lets nobody back in",
  ChannelFull: "the channel has no room, or the new maximum is below its participants",
  DeclaredProgramIdMismatch: "the program is deployed under another id than it was built for",
  InstructionFallbackNotFound: "the program does not know this instruction: check the program id",
  InsufficientFunds: "fund the wallet, or deposit more into its escrow",
  InvalidProgramExecutable: "a program that the instruction names is not on this cluster",
  MessageContentTooLong: "the content is too long, blank or refused by the program's filter",
  NotInChannel: "join the channel first",
  PrivateChannelRequiresInvitation: "ask for an invitation that has not been used",
  RateLimitExceeded: "wait: one message a second, one in ten seconds after ten, a minute's silence after sixty",
  Unauthorized: "the wallet is not the owner, or the channel is not active"
}

/** Whether a text only repeats the name. */
const repeats = (text: string, name: string): boolean =>
  text.replace(/[^a-z]/gi, "").toLowerCase() === name.toLowerCase()

/** The text of each reason. */
export const details: ReadonlyMap<string, string> = new Map([
  ...Array.from(codes.values(), ({ name, text }): [string, string] => {
    const todo = advice[name]
    if (todo === undefined) return [name, text]
    return [name, repeats(text, name) ? todo : `${text}: ${todo}`]
  }),
  ...Object.entries(ownReasons)
])

/** The meaning of the System program's "account already in use" for each instruction that creates an account. */
export const existing: { readonly [Tag in InstructionTag]?: CodeName | OwnReason } = {
  RegisterAgent: "AlreadyRegistered",
  SendMessage: "DuplicateMessage",
  BroadcastMessage: "DuplicateMessage",
  CreateChannel: "ChannelNameTaken",
  CreateChannelV2: "ChannelNameTaken",
  JoinChannel: "AlreadyInChannel",
  InviteToChannel: "AlreadyInvited",
  DepositEscrow: "EscrowExists"
}
