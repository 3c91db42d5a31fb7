import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import * as Account from "../../src/protocol/Account.js"
import * as Hash from "../../src/solana/Hash.js"
import { assertProperty } from "../support/runs.js"
import { arbitraryBytes, headed, mutated } from "./hostile.js"
import * as Oracles from "./oracles.js"
import * as Vectors from "./vectors.js"

const accounts = Arbitrary.make(Schema.typeSchema(Account.Account))
const encoded = accounts.map((account) => Either.getOrThrow(Account.encode(account)))

const kinds: ReadonlyArray<Account.AccountTag> = [
  "AgentAccount",
  "DirectMessage",
  "ChannelAccount",
  "ChannelParticipant",
  "ChannelInvitation",
  "ChannelMessage",
  "EscrowAccount"
]

const check = <A>(arbitrary: FastCheck.Arbitrary<A>, property: (value: A) => void): Promise<void> =>
  assertProperty(FastCheck.property(arbitrary, property), 200)

describe("Account", () => {
  it("Given the published bytes of an agent, When they are decoded and encoded, Then they are the same", () => {
    const agent = Either.getOrThrow(Account.decodeAgent(Vectors.agentAccount))
    assert.deepStrictEqual(
      agent,
      new Account.AgentAccount({
        wallet: Vectors.walletA,
        capabilities: 3n,
        reputation: 100n,
        lastUpdated: 1_700_000_000n,
        metadataUri: "https://example.com/agent.json",
        invitesSent: 0,
        lastInviteAt: 0n,
        bump: 252
      })
    )
    assert.deepStrictEqual(Either.getOrThrow(Account.encode(agent)), Vectors.agentAccount)
  })

  it("Given the published bytes of a message, When they are decoded and encoded, Then they are the same", () => {
    const message = Either.getOrThrow(Account.decodeDirectMessage(Vectors.messageAccount))
    assert.deepStrictEqual(
      message,
      new Account.DirectMessage({
        sender: Vectors.agentA.address,
        recipient: Vectors.walletB,
        payloadHash: Vectors.helloHash,
        createdAt: 1_700_000_000n,
        expiresAt: 1_700_604_800n,
        type: { _tag: "Text" },
        status: "Pending",
        bump: 255
      })
    )
    assert.deepStrictEqual(Either.getOrThrow(Account.encode(message)), Vectors.messageAccount)
  })

  it("Given a decoded account, When it is turned to JSON text and back, Then it is a model of the same values", async () => {
    await check(accounts, (account) => {
      const decoded = Either.getOrThrow(Account.decodeAny(Either.getOrThrow(Account.encode(account))))
      const text = JSON.stringify(Schema.encodeSync(Account.Account)(decoded))
      assert.deepStrictEqual(Schema.decodeUnknownSync(Account.Account)(JSON.parse(text)), account)
    })
  })

  it("Given any account, When a log writes it as JSON, Then that is its JSON form, which reads back", async () => {
    await check(accounts, (account) => {
      const written: unknown = JSON.parse(JSON.stringify(account))
      assert.deepStrictEqual(Schema.decodeUnknownSync(Account.Account)(written), account)
    })
  })

  it("Given any account, When it is encoded and decoded, Then it is the same account, an instance of its class", async () => {
    await check(accounts, (account) => {
      const decoded = Either.getOrThrow(Account.decodeAny(Either.getOrThrow(Account.encode(account))))
      assert.deepStrictEqual(decoded, account)
      assert.strictEqual(Object.getPrototypeOf(decoded), Object.getPrototypeOf(account))
    })
  })

  it("Given any account, When others decode our bytes, Then they read the same", async () => {
    await check(accounts, (account) => {
      const bytes = Either.getOrThrow(Account.encode(account))
      assert.deepStrictEqual(
        Oracles.codama("accounts", account._tag, bytes),
        Oracles.asKitReads(Oracles.plain(account))
      )
      assert.deepStrictEqual(Oracles.anchorAccount(account._tag, bytes), Oracles.plain(account))
    })
  })

  it("Given arbitrary bytes after the fields and in the reserved bytes, When decoded, Then they change nothing", async () => {
    await check(FastCheck.tuple(accounts, FastCheck.uint8Array({ maxLength: 300 })), ([account, leftovers]) => {
      const bytes = Either.getOrThrow(Account.encode(account))
      bytes.fill(0xff, bytes.length - 5)
      const padded = new Uint8Array([...bytes, ...leftovers])
      assert.deepStrictEqual(Either.getOrThrow(Account.decodeAny(padded)), account)
    })
  })

  it("Given a slice of a larger Buffer, When decoded, Then no field references the Buffer", () => {
    const pool = Buffer.concat([Buffer.alloc(7), Vectors.messageAccount, Buffer.alloc(7)])
    const { payloadHash } = Either.getOrThrow(Account.decodeDirectMessage(pool.subarray(7)))
    assert.deepStrictEqual(payloadHash, Vectors.helloHash)
    assert.notStrictEqual(payloadHash.buffer, pool.buffer)
    assert.isAtMost(payloadHash.buffer.byteLength, 4096)
  })

  it("Given many accounts decoded, When a field of one or its bytes are changed, Then the others stay as they are", () => {
    const bytes = Vectors.messageAccount.slice()
    const messages = Array.from({ length: 300 }, () => Either.getOrThrow(Account.decodeDirectMessage(bytes)))
    bytes.fill(0)
    messages[150]?.payloadHash.fill(0)
    const changed = messages.filter(({ payloadHash }) => !Buffer.from(payloadHash).equals(Vectors.helloHash))
    assert.deepStrictEqual(changed, messages.slice(150, 151))
  })

  it("Given an account cut anywhere, When decoded, Then it is refused with field and offset", () => {
    for (let size = 0; size < Vectors.agentAccount.length; size++) {
      const failure = Either.flip(Account.decodeAgent(Vectors.agentAccount.subarray(0, size)))
      const error = Either.getOrThrow(failure)
      assert.strictEqual(error._tag, "AccountDecodeError")
      assert.strictEqual(error.reason, size < 8 ? "Discriminator" : "Layout")
      assert.isAtMost(error.offset, size)
    }
  })

  it("Given an account of another kind, When decoded as an agent, Then the failure says so", () => {
    const error = Either.getOrThrow(Either.flip(Account.decodeAgent(Vectors.messageAccount)))
    assert.strictEqual(error.reason, "Discriminator")
    assert.strictEqual(error.message, "not AgentAccount: must begin with f177458ce9097032; check the address")
  })

  it("Given a text length beyond the bytes, When decoded, Then nothing is allocated for it", () => {
    const bytes = Vectors.agentAccount.slice()
    bytes.set([0xff, 0xff, 0xff, 0xff], 64)
    const error = Either.getOrThrow(Either.flip(Account.decodeAgent(bytes)))
    assert.strictEqual(
      error.message,
      "AgentAccount.metadataUri at byte 68: must have 4294967295 bytes, 48 are left; read it again, or update this library"
    )
  })

  it("Given a text that is not UTF-8, When decoded, Then it is refused", () => {
    const bytes = Vectors.agentAccount.slice()
    bytes[70] = 0xff
    const error = Either.getOrThrow(Either.flip(Account.decodeAgent(bytes)))
    assert.strictEqual(error.field, "metadataUri")
    assert.strictEqual(error.rule, "must be UTF-8")
  })

  it("Given a value out of its range, When a model made without validation is encoded, Then it is refused", () => {
    const agent = Either.getOrThrow(Account.decodeAgent(Vectors.agentAccount))
    const broken = new Account.AgentAccount({ ...agent, capabilities: 2n ** 64n }, true)
    const error = Either.getOrThrow(Either.flip(Account.encode(broken)))
    assert.strictEqual(error.field, "capabilities")
    assert.strictEqual(error.size, 2n ** 64n)
  })

  it("Given the kinds, When their discriminators are asked for, Then they are the hashes that the program uses", () => {
    for (const kind of kinds) {
      const name = kind === "DirectMessage" ? "MessageAccount" : kind
      const hash = Hash.sha256(new TextEncoder().encode(`account:${name}`))
      assert.deepStrictEqual(Account.discriminator(kind), hash.slice(0, 8))
    }
  })

  it("Given hostile bytes, When decoded, Then they decode or fail typed", async () => {
    const hostile = FastCheck.oneof(mutated(encoded), headed(kinds.map(Account.discriminator)), arbitraryBytes)
    await check(hostile, (bytes) => {
      const result = Account.decodeAny(bytes)
      if (Either.isLeft(result)) assert.strictEqual(result.left._tag, "AccountDecodeError")
      else assert.isTrue(Schema.is(Account.Account)(result.right))
    })
  })
})
