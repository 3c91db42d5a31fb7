import { describe, expect, it } from "@effect/vitest"
import type { Address } from "@solana/kit"
import * as Either from "effect/Either"
import type { InvalidInput } from "../../src/InvalidInput.js"
import * as Instruction from "../../src/protocol/Instruction.js"
import * as MessageType from "../../src/protocol/MessageType.js"
import * as Pda from "../../src/protocol/Pda.js"
import { PROGRAM_ID } from "../../src/protocol/Program.js"
import * as NonceAccount from "../../src/solana/NonceAccount.js"
import * as ProgramAddress from "../../src/solana/ProgramAddress.js"
import { channel, helloHash, walletA, walletB } from "./vectors.js"

/** What a caller may take for an address. */
const unchecked = (value: unknown): Address => value as Address

const NONE = ["nope", "", "1".repeat(31), `${walletA} `, 5, null, {}].map(unchecked)

/** A builder with an input that names every address it takes. */
const builder = <Input extends object>(
  build: (input: Input) => Either.Either<unknown, InvalidInput>,
  input: Required<Input>
) => ({
  names: Object.entries(input).flatMap(([name, value]) => (value === walletB ? [name] : [])),
  with: (changes: object) => build({ ...input, ...changes })
})

const common = { wallet: walletB, programId: walletB }
const member = { ...common, channel: walletB, agent: walletB, participant: walletB }
const compression = {
  registeredProgram: walletB,
  noopProgram: walletB,
  accountCompressionAuthority: walletB,
  accountCompressionProgram: walletB,
  merkleTree: walletB,
  nullifierQueue: walletB,
  cpiAuthority: walletB
}
const compressed = { ...common, channel: walletB, feePayer: walletB, compression }
const created = {
  ...common,
  channel: walletB,
  name: "general",
  description: "",
  visibility: "Public",
  maxParticipants: 1,
  feePerMessage: 0n
} as const

const builders = {
  registerAgent: builder(Instruction.registerAgent, {
    ...common,
    agent: walletB,
    capabilities: 1n,
    metadataUri: "https://example.com"
  }),
  updateAgent: builder(Instruction.updateAgent, {
    ...common,
    agent: walletB,
    capabilities: 1n,
    metadataUri: "https://example.com"
  }),
  sendMessage: builder(Instruction.sendMessage, {
    ...common,
    recipient: walletB,
    payloadHash: helloHash,
    type: MessageType.Text,
    agent: walletB,
    message: walletB
  }),
  updateMessageStatus: builder(Instruction.updateMessageStatus, {
    ...common,
    message: walletB,
    status: "Read",
    agent: walletB
  }),
  createChannel: builder(Instruction.createChannel, created),
  createChannelV2: builder(Instruction.createChannelV2, { ...created, agent: walletB, participant: walletB }),
  updateChannel: builder(Instruction.updateChannel, {
    ...common,
    channel: walletB,
    name: "n",
    description: "",
    maxParticipants: 1,
    feePerMessage: 0n,
    isActive: true
  }),
  joinChannel: builder(Instruction.joinChannel, { ...member, invitation: walletB, escrow: walletB }),
  leaveChannel: builder(Instruction.leaveChannel, member),
  broadcastMessage: builder(Instruction.broadcastMessage, {
    ...member,
    content: "hi",
    type: MessageType.Text,
    replyTo: walletB,
    nonce: 1n,
    message: walletB
  }),
  inviteToChannel: builder(Instruction.inviteToChannel, {
    ...member,
    invitee: walletB,
    nonce: 1n,
    invitation: walletB
  }),
  getChannelParticipants: builder(Instruction.getChannelParticipants, { channel: walletB, programId: walletB }),
  broadcastMessageCompressed: builder(Instruction.broadcastMessageCompressed, {
    ...compressed,
    content: "hi",
    type: MessageType.Text,
    replyTo: walletB,
    ipfsHash: "Qm",
    participant: walletB
  }),
  joinChannelCompressed: builder(Instruction.joinChannelCompressed, {
    ...compressed,
    metadataHash: helloHash,
    agent: walletB,
    invitation: walletB,
    participant: walletB
  }),
  batchSyncCompressedMessages: builder(Instruction.batchSyncCompressedMessages, {
    ...compressed,
    messageHashes: [helloHash],
    syncTimestamp: 1n
  }),
  depositEscrow: builder(Instruction.depositEscrow, { ...common, channel: walletB, amount: 1n, escrow: walletB }),
  withdrawEscrow: builder(Instruction.withdrawEscrow, { ...common, channel: walletB, amount: 1n, escrow: walletB })
}

const refusalOf = <A>(built: Either.Either<A, InvalidInput>) => Either.getOrUndefined(Either.flip(built))

/** What is thrown. */
const thrownBy = (run: () => unknown): unknown => {
  try {
    return run()
  } catch (error) {
    return error
  }
}

describe("a text that is no address", () => {
  it("Given every builder, When one of its addresses is none, Then InvalidInput names that member", () => {
    expect(Object.keys(builders)).toHaveLength(Instruction.InstructionData.members.length)
    for (const [name, { names, with: build }] of Object.entries(builders)) {
      expect(refusalOf(build({})), name).toBeUndefined()
      expect(names.length, name).toBeGreaterThan(1)
      for (const field of names) {
        for (const none of NONE) {
          expect(refusalOf(build({ [field]: none })), `${name}.${field}`).toMatchObject({ _tag: "InvalidInput", field })
        }
      }
    }
    // What a builder derives is derived from checked addresses alone.
    for (const none of NONE) {
      const derived = { agent: undefined, participant: undefined, message: undefined, escrow: true, invitation: true }
      expect(refusalOf(builders.joinChannel.with({ ...derived, wallet: none }))).toMatchObject({ field: "wallet" })
      expect(refusalOf(builders.sendMessage.with({ ...derived, recipient: none }))).toMatchObject({
        field: "recipient"
      })
    }
    expect(refusalOf(builders.joinChannel.with({ wallet: undefined }))).toMatchObject({ field: "wallet" })
    expect(refusalOf(builders.joinChannel.with({ wallet: true }))).toMatchObject({ field: "wallet" })
  })

  it("Given accounts of compression programs, When one is none, Then InvalidInput has its whole path", () => {
    for (const name of Object.keys(compression)) {
      for (const build of [builders.joinChannelCompressed, builders.batchSyncCompressedMessages]) {
        const refused = refusalOf(build.with({ compression: { ...compression, [name]: NONE[0] } }))
        expect(refused).toMatchObject({ _tag: "InvalidInput", field: `compression.${name}` })
      }
    }
  })

  it("Given all accounts of an instruction, When one is none or missing, Then InvalidInput has the account's name", () => {
    const accounts = { channelAccount: walletA, signer: walletB }
    const data = { _tag: "GetChannelParticipants" } as const
    for (const none of NONE) {
      expect(refusalOf(Instruction.make(data, { channelAccount: none }))).toMatchObject({ field: "channelAccount" })
      expect(refusalOf(Instruction.make(data, accounts, none))).toMatchObject({ field: "programId" })
    }
  })

  it("Given a derivation that can fail, When an address is none, Then its Either has the parameter's name", () => {
    const seeds = { sender: walletA, recipient: walletB, payloadHash: helloHash, type: MessageType.Text }
    for (const none of NONE) {
      const derivations = {
        sender: Pda.message({ ...seeds, sender: none }),
        recipient: Pda.message({ ...seeds, recipient: none }),
        creator: Pda.channel(none, "general"),
        channel: Pda.channelMessage(none, walletA, 1n),
        program: ProgramAddress.find([], none)
      }
      for (const [field, derived] of Object.entries(derivations)) {
        expect(refusalOf(derived), field).toMatchObject({ _tag: "InvalidInput", field })
      }
      expect(refusalOf(Pda.channelMessage(channel.address, none, 1n))).toMatchObject({ field: "sender" })
      const programs = [
        Pda.message(seeds, none),
        Pda.channel(walletA, "general", none),
        Pda.channelMessage(channel.address, walletA, 1n, none)
      ]
      for (const derived of programs) expect(refusalOf(derived)).toMatchObject({ field: "programId" })
    }
  })

  it("Given a derivation of addresses alone, When one is none, Then it throws InvalidInput with the parameter's name", () => {
    for (const none of NONE) {
      const calls: ReadonlyArray<readonly [field: string, call: () => unknown]> = [
        ["wallet", () => Pda.agent(none)],
        ["programId", () => Pda.agent(walletA, none)],
        ["channel", () => Pda.participant(none, walletA)],
        ["agent", () => Pda.participant(walletA, none)],
        ["programId", () => Pda.participant(walletA, walletB, none)],
        ["channel", () => Pda.invitation(none, walletA)],
        ["invitee", () => Pda.invitation(walletA, none)],
        ["channel", () => Pda.escrow(none, walletA)],
        ["depositor", () => Pda.escrow(walletA, none)],
        ["program", () => ProgramAddress.create([], none)],
        ["newAuthority", () => NonceAccount.authorize({ account: walletA, authority: walletB, newAuthority: none })]
      ]
      for (const [field, call] of calls) expect(thrownBy(call), field).toMatchObject({ _tag: "InvalidInput", field })
    }
    expect(Pda.agent(walletA, PROGRAM_ID)).toEqual(Pda.agent(walletA))
  })
})
