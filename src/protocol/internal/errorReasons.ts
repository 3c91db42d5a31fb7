/** The reasons of a `ProgramError`: their codes, and a text with advice for each. */
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
  DuplicateMessage: "a message with this address exists already: give another id or nonce to send it twice",
  ChannelNameTaken: "the wallet has a channel that was created under this name: choose another name",
  AlreadyInvited: "the wallet has an invitation to this channel already: let it join",
  EscrowExists:
    "the wallet has deposited for this channel already, and this program takes one deposit only: join with it",
  AccountAlreadyInUse: "the account exists already: read it, or make another",
  ProgramFailedToComplete: "the program aborted: check that each input is in its range",
  PrivilegeEscalation: "an account must be writable or must sign, and was not passed so: check the accounts",
  ComputationalBudgetExceeded: "the transaction ran out of compute units: raise its limit",
  MissingRequiredSignature: "an account had to sign and did not: add its signer",
  UnsupportedProgramId: "this cluster does not have the program: check the program id and the endpoint",
  IncorrectProgramId: "the program is not the one that the instruction needs: check the program id",
  Unknown: "the program failed with an error of its own, see its logs"
} as const

const ACCOUNTS = "check the accounts that the instruction is given"
const PROGRAM = "check the program id, and that this program has the protocol's instructions"
const INPUT = "check the input against the program's rules"

/** Advice for the codes of the framework, by the first code of each family. */
const families: ReadonlyArray<readonly [from: number, advice: string]> = [
  [5000, PROGRAM],
  [4101, INPUT],
  [4100, PROGRAM],
  [3000, ACCOUNTS],
  [2500, INPUT],
  [2000, ACCOUNTS],
  [0, PROGRAM]
]

const ofFamily = (code: number): string => families.find(([from]) => code >= from)?.[1] ?? PROGRAM

/** Advice for codes that need more than the advice of their family. */
const advice: { readonly [Name in CodeName]?: string } = {
  InvalidMetadataUriLength: "give a URI of 10 to 200 bytes",
  MessageExpired: "send a new message",
  InvalidMessageStatusTransition: "read the current status of the message",
  ChannelNameTooLong: "give a name of at most 32 bytes",
  ChannelDescriptionTooLong: "give at most 200 bytes, and 226 together with the name",
  InsufficientReputation: "wait until the agent's reputation has risen",
  HashingFailed: "change the content",
  SecureMemoryAllocationFailed: "try again",
  InvalidTimestamp: "use the chain's time",
  InvalidMessageHash: "give a hash of 32 bytes that is not all zeros",
  AccountNotInitialized: "register the agent, join the channel or make the account first",
  AccountOwnedByWrongProgram: "make the account first, or check the address",
  AlreadyInChannel:
    "the agent is a participant, or it has left a channel that cannot be joined again: use another channel",
  ChannelFull:
    "the channel has no room, or the new maximum is below its participants: use another, or a higher maximum",
  DeclaredProgramIdMismatch: "the program is deployed under another id than it was built for: check the program id",
  InstructionFallbackNotFound: "the program does not know this instruction: check the program id",
  InsufficientFunds: "fund the wallet, or deposit more into its escrow",
  InvalidProgramExecutable: "a program that the instruction names is not on this cluster: check the endpoint",
  MessageContentTooLong: "the content is too long, blank or refused by the program's filter: change it",
  NotInChannel: "join the channel first",
  PrivateChannelRequiresInvitation: "ask for an invitation that has not been used",
  RateLimitExceeded: "wait: one message a second, one in ten seconds after ten, a minute's silence after sixty",
  Unauthorized:
    "the wallet is not the owner, or the channel is not active: use the owner's wallet, or activate the channel"
}

/** Whether a text only repeats the name. */
const repeats = (text: string, name: string): boolean =>
  text.replace(/[^a-z]/gi, "").toLowerCase() === name.toLowerCase()

/** The text of each reason. */
export const details: ReadonlyMap<string, string> = new Map([
  ...Array.from(codes, ([code, { name, text }]): [string, string] => {
    const todo = advice[name] ?? ofFamily(code)
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
