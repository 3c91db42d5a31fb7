import { assert, describe, it } from "@effect/vitest"
import { getAddressEncoder, getProgramDerivedAddress } from "@solana/kit"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as MessageType from "../../src/protocol/MessageType.js"
import * as Pda from "../../src/protocol/Pda.js"
import { PROGRAM_ID } from "../../src/protocol/Program.js"
import * as Address from "../../src/solana/Address.js"
import * as Hash from "../../src/solana/Hash.js"
import { runs } from "../support/runs.js"
import * as Vectors from "./vectors.js"

const { agentA, agentB, channel, helloHash, walletA, walletB } = Vectors
const message = (recipient: typeof walletB, type: MessageType.MessageType) =>
  Either.getOrThrow(Pda.message({ sender: agentA.address, recipient, payloadHash: helloHash, type }))

const addresses = FastCheck.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Address.fromBytes(bytes))

describe("Pda", () => {
  it("Given the published vectors, When addresses are derived, Then they and their bumps are the same", () => {
    assert.deepStrictEqual(Pda.agent(walletA), agentA)
    assert.deepStrictEqual(Pda.agent(walletB), agentB)
    assert.deepStrictEqual(message(walletB, MessageType.Text), Vectors.messageToWallet)
    assert.deepStrictEqual(message(walletB, MessageType.Custom(7)), Vectors.messageCustom)
    assert.deepStrictEqual(message(agentB.address, MessageType.Text), Vectors.messageToAgent)
    assert.deepStrictEqual(Either.getOrThrow(Pda.channel(walletA, "general")), channel)
    assert.deepStrictEqual(Pda.participant(channel.address, agentA.address), Vectors.participantA)
    assert.deepStrictEqual(Pda.participant(channel.address, agentB.address), Vectors.participantB)
    assert.deepStrictEqual(Pda.invitation(channel.address, walletB), Vectors.invitation)
    assert.deepStrictEqual(Pda.escrow(channel.address, walletB), Vectors.escrow)
    assert.deepStrictEqual(Either.getOrThrow(Pda.channelMessage(channel.address, walletB, 1n)), Vectors.channelMessage1)
    assert.deepStrictEqual(
      Either.getOrThrow(Pda.channelMessage(channel.address, walletB, 1_700_000_000_000n)),
      Vectors.channelMessageLate
    )
  })

  it("Given an agent's bump, When its address is made before and after a search, Then both are the same", () => {
    const bumps = [agentA.bump, 255, 254, 253].map((bump) => {
      Pda.clearCache()
      const made = Pda.agentOfBump(walletA, bump)
      Pda.agent(walletA)
      assert.deepStrictEqual(Pda.agentOfBump(walletA, bump), made)
      return Option.isSome(made) && made.value === agentA.address
    })
    assert.deepStrictEqual(
      bumps,
      [agentA.bump, 255, 254, 253].map((bump) => bump === agentA.bump)
    )
  })

  it("Given the published vectors, When their hashes are made, Then they are the same", () => {
    const text = new TextEncoder().encode("hello")
    assert.deepStrictEqual(Hash.sha256(text), helloHash)
    assert.deepStrictEqual(Hash.blake3(text), Vectors.helloBlake3)
    assert.deepStrictEqual(Hash.blake3(new Uint8Array(32).fill(0x11)), Vectors.compressedHash)
    const invitation = new Uint8Array(112)
    invitation.set(Address.toBytes(channel.address), 0)
    invitation.set(Address.toBytes(walletA), 32)
    invitation.set(Address.toBytes(walletB), 64)
    const view = new DataView(invitation.buffer)
    view.setBigUint64(96, 42n, true)
    view.setBigInt64(104, 1_700_000_000n, true)
    assert.deepStrictEqual(Hash.keccak256(invitation), Vectors.invitationHash)
  })

  it("Given any wallets, names and nonces, When addresses are derived, Then Kit derives the same", async () => {
    const kit = getAddressEncoder()
    await FastCheck.assert(
      FastCheck.asyncProperty(
        addresses,
        addresses,
        FastCheck.string({ unit: "binary", maxLength: 8 }),
        FastCheck.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        async (first, second, name, nonce) => {
          const nonceBytes = new Uint8Array(8)
          new DataView(nonceBytes.buffer).setBigUint64(0, nonce, true)
          const pairs = [
            [Pda.agent(first), ["agent", kit.encode(first)]],
            [Either.getOrThrow(Pda.channel(first, name)), ["channel", kit.encode(first), name]],
            [
              Either.getOrThrow(Pda.channelMessage(first, second, nonce)),
              ["channel_message", kit.encode(first), kit.encode(second), nonceBytes]
            ]
          ] as const
          for (const [ours, seeds] of pairs) {
            const [address, bump] = await getProgramDerivedAddress({ programAddress: PROGRAM_ID, seeds: [...seeds] })
            assert.deepStrictEqual(ours, { address, bump: Number(bump) })
          }
        }
      ),
      { numRuns: Math.min(runs(20), 2000) }
    )
  })

  it("Given invalid seeds, When addresses are derived, Then the input is refused by name", () => {
    const refused = [
      [Pda.channel(walletA, "é".repeat(17)), "name", 34],
      [Pda.channelMessage(channel.address, walletA, 2n ** 64n), "nonce", 2n ** 64n],
      [
        Pda.message({ sender: walletA, recipient: walletB, payloadHash: helloHash, type: MessageType.Custom(252) }),
        "type",
        252
      ],
      [
        Pda.message({
          sender: walletA,
          recipient: walletB,
          payloadHash: new Uint8Array(33),
          type: MessageType.Text
        }),
        "payloadHash",
        33
      ]
    ] as const
    for (const [derived, field, size] of refused) {
      const error = Either.getOrThrow(Either.flip(derived))
      assert.deepStrictEqual([error.field, error.size], [field, size])
    }
  })
})

describe("MessageType", () => {
  it("Given the types, When their seeds are asked for, Then named ones are 0 to 3 and custom ones follow", () => {
    const types = [MessageType.Text, MessageType.Data, MessageType.Command, MessageType.Response, MessageType.Custom(0)]
    assert.deepStrictEqual(
      types.map((type) => Either.getOrThrow(MessageType.seed(type))),
      [0, 1, 2, 3, 4]
    )
    assert.strictEqual(Either.getOrThrow(MessageType.seed(MessageType.Custom(251))), 255)
    assert.isTrue(Either.isLeft(MessageType.seed(MessageType.Custom(1.5))))
  })

  it("Given two statuses, When one is to follow the other, Then only the way forward is open", () => {
    const all = MessageType.MessageStatus.literals
    const open = all.flatMap((from) => all.filter((to) => MessageType.canBecome(from, to)).map((to) => `${from}-${to}`))
    assert.deepStrictEqual(open, ["Pending-Delivered", "Pending-Failed", "Delivered-Read", "Delivered-Failed"])
  })
})
