import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { InvalidInput } from "../../src/InvalidInput.js"
import * as Instruction from "../../src/protocol/Instruction.js"
import * as MessageType from "../../src/protocol/MessageType.js"
import * as Pda from "../../src/protocol/Pda.js"
import { COMPRESSION_PROGRAM, PROGRAM_ID } from "../../src/protocol/Program.js"
import { SYSTEM_PROGRAM } from "../../src/solana/Address.js"
import * as Hash from "../../src/solana/Hash.js"
import { assertProperty } from "../support/runs.js"
import { arbitraryBytes, headed, mutated } from "./hostile.js"
import * as Oracles from "./oracles.js"
import * as Vectors from "./vectors.js"

const instructions = Arbitrary.make(Schema.typeSchema(Instruction.InstructionData))
const encoded = instructions.map((data) => Either.getOrThrow(Instruction.encode(data)))

const { agentA, agentB, channel, walletA, walletB } = Vectors
const metadataHash = new Uint8Array(32).fill(0x22)
const messageHash = new Uint8Array(32).fill(0x11)
const text = MessageType.Text
const newChannel = { wallet: walletA, name: "general", description: "d", maxParticipants: 10 } as const

type Built = Either.Either<Instruction.ProgramInstruction, InvalidInput>

/** Every builder, with the bytes that another client makes of the same. */
const cases: ReadonlyArray<readonly [tag: Instruction.InstructionTag, built: Built, bytes: string]> = [
  [
    "RegisterAgent",
    Instruction.registerAgent({
      wallet: walletA,
      capabilities: 3n,
      metadataUri: "https://example.com/agent.json"
    }),
    "879d42c30271af1e03000000000000001e00000068747470733a2f2f6578616d706c652e636f6d2f6167656e742e6a736f6e"
  ],
  [
    "UpdateAgent",
    Instruction.updateAgent({ wallet: walletA, capabilities: 4n }),
    "5502b209778b66a401040000000000000000"
  ],
  [
    "UpdateAgent",
    Instruction.updateAgent({ wallet: walletA, metadataUri: "https://example.com/b.json" }),
    "5502b209778b66a400011a00000068747470733a2f2f6578616d706c652e636f6d2f622e6a736f6e"
  ],
  [
    "SendMessage",
    Instruction.sendMessage({ wallet: walletA, recipient: walletB, payloadHash: Vectors.helloHash, type: text }),
    "392822b2bd0a411a8139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b3942cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b982400"
  ],
  [
    "SendMessage",
    Instruction.sendMessage({
      wallet: walletA,
      recipient: walletB,
      payloadHash: Vectors.helloHash,
      type: MessageType.Custom(7)
    }),
    "392822b2bd0a411a8139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b3942cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b98240407"
  ],
  [
    "UpdateMessageStatus",
    Instruction.updateMessageStatus({
      wallet: walletB,
      message: Vectors.messageToWallet.address,
      status: "Read"
    }),
    "52649c4a61bef88402"
  ],
  [
    "CreateChannel",
    Instruction.createChannel({ ...newChannel, visibility: "Public", feePerMessage: 0n }),
    "2569fd63572edf140700000067656e6572616c0100000064000a0000000000000000000000"
  ],
  [
    "CreateChannelV2",
    Instruction.createChannelV2({ ...newChannel, visibility: "Private", feePerMessage: 5n }),
    "aea033cda9ca11900700000067656e6572616c0100000064010a0000000500000000000000"
  ],
  [
    "UpdateChannel",
    Instruction.updateChannel({ wallet: walletA, channel: channel.address, maxParticipants: 20, isActive: true }),
    "4bcc5ea53cb4c1d900000114000000000101"
  ],
  [
    "JoinChannel",
    Instruction.joinChannel({ wallet: walletB, channel: channel.address, invitation: true, escrow: true }),
    "7c277359d91a261d"
  ],
  ["LeaveChannel", Instruction.leaveChannel({ wallet: walletB, channel: channel.address }), "68004b865f5044ba"],
  ["GetChannelParticipants", Instruction.getChannelParticipants({ channel: channel.address }), "5710604956386246"],
  [
    "BroadcastMessage",
    Instruction.broadcastMessage({
      wallet: walletB,
      channel: channel.address,
      content: "hi",
      type: text,
      nonce: 1n
    }),
    "fd90cb2adb7a936102000000686900000100000000000000"
  ],
  [
    "InviteToChannel",
    Instruction.inviteToChannel({
      wallet: walletA,
      channel: channel.address,
      invitee: walletB,
      nonce: 42n,
      participant: true
    }),
    "cb34c230ad052beb8139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b3942a00000000000000"
  ],
  [
    "DepositEscrow",
    Instruction.depositEscrow({ wallet: walletB, channel: channel.address, amount: 1000n }),
    "e2709eb0b2769980e803000000000000"
  ],
  [
    "WithdrawEscrow",
    Instruction.withdrawEscrow({ wallet: walletB, channel: channel.address, amount: 1000n }),
    "5154e280f52f6068e803000000000000"
  ],
  [
    "BatchSyncCompressedMessages",
    Instruction.batchSyncCompressedMessages({
      wallet: walletA,
      channel: channel.address,
      messageHashes: [messageHash],
      syncTimestamp: 1_700_000_000n
    }),
    "d9aa54dcea40d0ef01000000111111111111111111111111111111111111111111111111111111111111111100f1536500000000"
  ],
  [
    "JoinChannelCompressed",
    Instruction.joinChannelCompressed({
      wallet: walletB,
      channel: channel.address,
      metadataHash,
      invitation: true
    }),
    "a7c2cb8285a20a582222222222222222222222222222222222222222222222222222222222222222"
  ],
  [
    "BroadcastMessageCompressed",
    Instruction.broadcastMessageCompressed({
      wallet: walletB,
      channel: channel.address,
      content: "hi",
      type: text,
      ipfsHash: "QmX"
    }),
    "0f117123baf6296c020000006869000003000000516d58"
  ]
]

const check = <A>(arbitrary: FastCheck.Arbitrary<A>, property: (value: A) => void): Promise<void> =>
  assertProperty(FastCheck.property(arbitrary, property), 200)

const addresses = (instruction: Instruction.ProgramInstruction) => instruction.accounts.map(({ address }) => address)

/** The accounts of the first case of the instruction. */
const named = (tag: Instruction.InstructionTag) => {
  const [instruction] = cases.filter(([candidate]) => candidate === tag).map(([, built]) => Either.getOrThrow(built))
  return Instruction.nameAccounts(tag, instruction === undefined ? [] : addresses(instruction))
}

describe("Instruction", () => {
  it("Given each builder, When it is called, Then its data are the bytes that other clients send", () => {
    for (const [tag, built, bytes] of cases) {
      const instruction = Either.getOrThrow(built)
      assert.strictEqual(Buffer.from(instruction.data).toString("hex"), bytes, tag)
      assert.strictEqual(instruction.programAddress, PROGRAM_ID)
      assert.strictEqual(Instruction.tagOf(instruction.data), tag)
    }
    assert.strictEqual(new Set(cases.map(([tag]) => tag)).size, Instruction.InstructionData.members.length)
  })

  it("Given each builder, When all optional accounts are given, Then the metas are those of the IDL", () => {
    for (const [tag, built] of cases) {
      const declared = Oracles.idl.instructions.find(
        ({ name }) => name.replaceAll("_", "") === tag.toLowerCase()
      )?.accounts
      const expected = declared?.map((account) =>
        "accounts" in account ? undefined : (account.signer === true ? 2 : 0) + (account.writable === true ? 1 : 0)
      )
      const { accounts } = Either.getOrThrow(built)
      assert.deepStrictEqual(
        accounts.map(({ role }) => Number(role)),
        expected,
        tag
      )
      assert.deepStrictEqual(
        Instruction.accounts(tag).map(({ name }) => name),
        declared?.map(({ name }) => name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()))
      )
      assert.deepStrictEqual(
        Instruction.accounts(tag).map(({ isOptional }) => isOptional),
        declared?.map((account) => "optional" in account && account.optional === true)
      )
    }
  })

  it("Given only the wallet's input, When instructions are built, Then the other accounts are derived", () => {
    assert.deepStrictEqual(named("RegisterAgent"), {
      agentAccount: agentA.address,
      signer: walletA,
      systemProgram: SYSTEM_PROGRAM
    })
    assert.deepStrictEqual(named("SendMessage"), {
      messageAccount: Vectors.messageToWallet.address,
      senderAgent: agentA.address,
      signer: walletA,
      systemProgram: SYSTEM_PROGRAM
    })
    assert.deepStrictEqual(named("CreateChannelV2"), {
      agentAccount: agentA.address,
      channelAccount: channel.address,
      participantAccount: Vectors.participantA.address,
      creator: walletA,
      systemProgram: SYSTEM_PROGRAM
    })
    assert.deepStrictEqual(named("JoinChannel"), {
      channelAccount: channel.address,
      participantAccount: Vectors.participantB.address,
      agentAccount: agentB.address,
      invitationAccount: Vectors.invitation.address,
      escrowAccount: Vectors.escrow.address,
      user: walletB,
      systemProgram: SYSTEM_PROGRAM
    })
    assert.deepStrictEqual(named("BroadcastMessage"), {
      channelAccount: channel.address,
      participantAccount: Vectors.participantB.address,
      agentAccount: agentB.address,
      messageAccount: Vectors.channelMessage1.address,
      user: walletB,
      systemProgram: SYSTEM_PROGRAM
    })
    assert.deepStrictEqual(named("InviteToChannel"), {
      channelAccount: channel.address,
      participantAccount: Vectors.participantA.address,
      agentAccount: agentA.address,
      invitationAccount: Vectors.invitation.address,
      inviter: walletA,
      systemProgram: SYSTEM_PROGRAM
    })
    assert.include(named("BatchSyncCompressedMessages"), {
      compressionProgram: COMPRESSION_PROGRAM,
      authority: walletA
    })
  })

  it("Given no invitation and no escrow, When joining, Then the program stands in their places, read-only", () => {
    const join = Either.getOrThrow(Instruction.joinChannel({ wallet: walletB, channel: channel.address }))
    assert.deepStrictEqual(join.accounts.slice(3, 5), [
      { address: PROGRAM_ID, role: 0 },
      { address: PROGRAM_ID, role: 0 }
    ])
    const names = Instruction.nameAccounts("JoinChannel", addresses(join))
    assert.isFalse("invitationAccount" in names)
    assert.isFalse("escrowAccount" in names)
  })

  it("Given another program id, When instructions are built, Then it owns the derived accounts", () => {
    const programId = walletB
    const join = Either.getOrThrow(Instruction.joinChannel({ wallet: walletA, channel: channel.address, programId }))
    const agent = Pda.agent(walletA, programId).address
    assert.strictEqual(join.programAddress, programId)
    assert.deepStrictEqual(Instruction.nameAccounts("JoinChannel", addresses(join), programId), {
      channelAccount: channel.address,
      participantAccount: Pda.participant(channel.address, agent, programId).address,
      agentAccount: agent,
      user: walletA,
      systemProgram: SYSTEM_PROGRAM
    })
  })

  it("Given accounts in the input, When instructions are built, Then they take the derived ones' places", () => {
    const send = Either.getOrThrow(
      Instruction.sendMessage({
        wallet: walletA,
        recipient: walletB,
        payloadHash: Vectors.helloHash,
        type: text,
        agent: agentB.address,
        message: channel.address
      })
    )
    assert.deepStrictEqual(addresses(send).slice(0, 2), [channel.address, agentB.address])
  })

  it("Given values that the wire cannot hold, When instructions are built, Then they fail with field and size", () => {
    const refused: ReadonlyArray<readonly [Built, field: string, size: number | bigint | undefined]> = [
      [Instruction.updateAgent({ wallet: walletA, capabilities: 2n ** 64n }), "capabilities", 2n ** 64n],
      [Instruction.updateAgent({ wallet: walletA, capabilities: -1n }), "capabilities", -1n],
      [Instruction.updateAgent({ wallet: walletA, metadataUri: "\ud800" }), "metadataUri", undefined],
      [
        Instruction.updateChannel({ wallet: walletA, channel: channel.address, maxParticipants: 1.5 }),
        "maxParticipants",
        1.5
      ],
      [
        Instruction.sendMessage({ wallet: walletA, recipient: walletB, payloadHash: new Uint8Array(31), type: text }),
        "payloadHash",
        31
      ],
      [
        Instruction.sendMessage({
          wallet: walletA,
          recipient: walletB,
          payloadHash: Vectors.helloHash,
          type: MessageType.Custom(252)
        }),
        "type",
        252
      ],
      [
        Instruction.createChannelV2({ ...newChannel, name: "n".repeat(33), visibility: "Public", feePerMessage: 0n }),
        "name",
        33
      ],
      [
        Instruction.broadcastMessage({
          wallet: walletA,
          channel: channel.address,
          content: "",
          type: text,
          nonce: -1n
        }),
        "nonce",
        -1n
      ]
    ]
    for (const [built, field, size] of refused) {
      const error = Either.getOrThrow(Either.flip(built))
      assert.strictEqual(error._tag, "InvalidInput")
      assert.strictEqual(error.field, field)
      assert.strictEqual(error.size, size)
    }
  })

  it("Given any instruction, When it is encoded and decoded, Then it is the same, whatever follows the arguments", async () => {
    await check(FastCheck.tuple(instructions, FastCheck.uint8Array({ maxLength: 20 })), ([data, tail]) => {
      const bytes = Either.getOrThrow(Instruction.encode(data))
      assert.deepStrictEqual(Either.getOrThrow(Instruction.decode(bytes)), data)
      assert.deepStrictEqual(Either.getOrThrow(Instruction.decode(new Uint8Array([...bytes, ...tail]))), data)
    })
  })

  it("Given any instruction, When others decode our bytes, Then they read the same", async () => {
    await check(instructions, (data) => {
      const bytes = Either.getOrThrow(Instruction.encode(data))
      assert.deepStrictEqual(Oracles.codama("instructions", data._tag, bytes), Oracles.asKitReads(Oracles.plain(data)))
      assert.deepStrictEqual(Oracles.anchorInstruction(bytes), Oracles.plain(data))
    })
  })

  it("Given any instruction, When it is turned to JSON text and back, Then it is the same", async () => {
    await check(instructions, (data) => {
      const json = JSON.stringify(Schema.encodeSync(Instruction.InstructionData)(data))
      assert.deepStrictEqual(Schema.decodeUnknownSync(Instruction.InstructionData)(JSON.parse(json)), data)
    })
  })

  it("Given an absent option, When it is turned to JSON, Then it is null", () => {
    const data = { _tag: "UpdateAgent", capabilities: Option.some(1n), metadataUri: Option.none() } as const
    assert.deepStrictEqual(Schema.encodeSync(Instruction.InstructionData)(data), {
      _tag: "UpdateAgent",
      capabilities: "1",
      metadataUri: null
    })
  })

  it("Given a count beyond the bytes, When a batch is decoded, Then nothing is allocated for it", () => {
    const bytes = new Uint8Array([...Vectors.fromHex("d9aa54dcea40d0ef"), 0xff, 0xff, 0xff, 0xff, 0, 0])
    const error = Either.getOrThrow(Either.flip(Instruction.decode(bytes)))
    assert.strictEqual(
      error.message,
      "BatchSyncCompressedMessages.messageHashes at byte 12: must hold 4294967295 items, 2 bytes are left; check its program, or update this library"
    )
  })

  it("Given a variant that no type allows, When it is encoded, Then it is refused by name", () => {
    const wallet = walletA
    const made = { ...newChannel, channel: walletB, feePerMessage: 0n }
    const message = { wallet, agent: wallet, recipient: wallet, message: wallet, payloadHash: new Uint8Array(32) }
    const refused = [
      [Instruction.createChannelV2({ ...made, visibility: JSON.parse('"private"') }), "visibility"],
      [Instruction.updateMessageStatus({ wallet, message: wallet, status: JSON.parse('"read"') }), "status"],
      [Instruction.sendMessage({ ...message, type: JSON.parse('{"_tag":"text"}') }), "type"]
    ] as const
    for (const [result, field] of refused) {
      assert.deepInclude(Either.getOrThrow(Either.flip(result)), { field, rule: "must be a known variant" })
    }
  })

  it("Given the names, When they are hashed, Then the discriminators follow", () => {
    for (const { discriminator, name } of Oracles.idl.instructions) {
      const hash = Hash.sha256(new TextEncoder().encode(`global:${name}`)).slice(0, 8)
      assert.deepStrictEqual([...hash], discriminator)
      assert.strictEqual(Instruction.tagOf(hash)?.toLowerCase(), name.replaceAll("_", ""))
    }
  })

  it("Given hostile bytes, When decoded, Then they decode or fail typed", async () => {
    const heads = Oracles.idl.instructions.map(({ discriminator }) => Uint8Array.from(discriminator))
    await check(FastCheck.oneof(mutated(encoded), headed(heads), arbitraryBytes), (bytes) => {
      const result = Instruction.decode(bytes)
      if (Either.isLeft(result)) assert.strictEqual(result.left._tag, "InstructionDecodeError")
      else assert.isTrue(Schema.is(Instruction.InstructionData)(result.right))
    })
  })
})
