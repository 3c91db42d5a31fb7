import { assert, describe, it } from "@effect/vitest"
import type { Signature } from "@solana/kit"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as EmbeddedCluster from "../../layers/EmbeddedCluster.js"
import * as RpcPoolEmbedded from "../../layers/RpcPoolEmbedded.js"
import { RpcPool } from "../../services/RpcPool.js"
import * as Event from "../../src/protocol/Event.js"
import * as Instruction from "../../src/protocol/Instruction.js"
import { PROGRAM_ID } from "../../src/protocol/Program.js"
import * as ProtocolEvent from "../../src/protocol/ProtocolEvent.js"
import * as Addresses from "../../src/solana/Address.js"
import * as Base58 from "../../src/solana/Base58.js"
import * as Blockhash from "../../src/solana/Blockhash.js"
import * as Message from "../../src/solana/Message.js"
import * as Signatures from "../../src/solana/Signature.js"
import * as Wire from "../../src/solana/Wire.js"
import * as Oracle from "../support/eventOracle.js"
import { assertProperty } from "../support/runs.js"
import * as Story from "../support/story.js"

/** Late enough for the program's rule of one message in ten seconds. */
const cluster = (options?: EmbeddedCluster.Options) =>
  Effect.provide(
    RpcPoolEmbedded.layer.pipe(Layer.provideMerge(EmbeddedCluster.layer({ genesisTime: 1_700_000_000n, ...options })))
  )

/** A transaction as our pool reads it, and as the node writes it. */
const landed = (signature: Signature) =>
  Effect.gen(function* () {
    const pool = yield* RpcPool
    const { request } = yield* EmbeddedCluster.EmbeddedCluster
    const config = { encoding: "base64", maxSupportedTransactionVersion: 0, commitment: "confirmed" }
    const reply = yield* Effect.flatMap(
      request("getTransaction", [signature, config]),
      Schema.decodeUnknown(Oracle.Reply)
    )
    return { signature, reply, transaction: yield* Effect.flatten(pool.getTransaction(signature)) }
  })

const eventsOf = (signature: Signature, transaction: ProtocolEvent.Transaction) =>
  Either.getOrThrow(ProtocolEvent.fromTransaction(signature, transaction))

const refusal = (signature: Signature, transaction: ProtocolEvent.Transaction) =>
  Either.getOrThrow(Either.flip(ProtocolEvent.fromTransaction(signature, transaction)))

const story = Effect.flatMap(Story.play, (signatures) => Effect.forEach(signatures, landed))

const reasonOf = (event: ProtocolEvent.ProtocolEvent | undefined) =>
  event?._tag === "Unknown" ? `${event.path}:${event.reason}` : event?._tag

/** A transaction that did what the message says, as a node could answer. */
const made = (message: Message.CompiledMessage, meta: Partial<ProtocolEventMeta> = {}): ProtocolEvent.Transaction => ({
  wire: Wire.encode(
    Array.from({ length: message.header.requiredSignatures }, () => new Uint8Array(64).fill(9)),
    Message.encode(message)
  ),
  slot: 7n,
  blockTime: Option.none(),
  meta: Option.some({
    err: null,
    logs: [],
    innerInstructions: [],
    loadedAddresses: { writable: [], readonly: [] },
    ...meta
  })
})

type ProtocolEventMeta = Option.Option.Value<ProtocolEvent.Transaction["meta"]>

const SIGNATURE = Signatures.fromBytes(new Uint8Array(64).fill(9))

const messageOf = ({ wire }: ProtocolEvent.Transaction): Message.CompiledMessage =>
  Either.getOrThrow(Wire.decode(wire)).message

describe("ProtocolEvent", () => {
  it.effect("Given a story with each instruction, When events are derived, Then they equal web3.js and Anchor's", () =>
    Effect.gen(function* () {
      const transactions = yield* story
      const seen = new Set<string>()
      for (const { reply, signature, transaction } of transactions) {
        const events = eventsOf(signature, transaction)
        assert.deepStrictEqual(events.map(Oracle.plain), Oracle.eventsOf(reply))
        for (const event of events) seen.add(event._tag)
        assert.isTrue(events.every((event) => event.slot === BigInt(reply.slot) && event.signature === signature))
        if (reply.meta.err !== null) assert.deepStrictEqual(events, [])
      }
      assert.deepStrictEqual([...seen, "Unknown"].toSorted(), ProtocolEvent.kinds.toSorted())
      assert.isTrue(transactions.some(({ reply }) => reply.meta.err !== null))
      assert.isTrue(transactions.some(({ reply }) => reply.meta.loadedAddresses.writable.length > 0))
    }).pipe(cluster())
  )

  it.effect("Given the story, When its log is read, Then each logged time is its event's time", () =>
    Effect.gen(function* () {
      let dated = 0
      for (const { signature, transaction } of yield* story) {
        const logged = Event.fromTransaction(Option.getOrThrow(transaction.meta)).flatMap((event) =>
          Either.isRight(event) && "timestamp" in event.right ? [event.right.timestamp] : []
        )
        const derived = eventsOf(signature, transaction).flatMap((event) =>
          "timestamp" in event ? Option.toArray(event.timestamp) : []
        )
        assert.deepStrictEqual(derived, logged)
        dated += derived.length
      }
      assert.isAbove(dated, 10)
    }).pipe(cluster())
  )

  it.effect("Given cut logs, When events are derived, Then none is missing and no time is another's", () =>
    Effect.gen(function* () {
      const whole = yield* story.pipe(cluster())
      const cut = yield* story.pipe(cluster({ maxLogBytes: 250 }))
      const read = (all: typeof whole) =>
        all.flatMap(({ signature, transaction }) => eventsOf(signature, transaction).map(Oracle.plain))
      assert.deepStrictEqual(read(cut), read(whole))
      const logged = cut.flatMap(({ transaction }) => Event.fromTransaction(Option.getOrThrow(transaction.meta)))
      assert.isBelow(logged.length, read(cut).length / 5)
      // Cut after each line, a log dates its own instructions or none.
      for (const { signature, transaction } of whole) {
        const meta = Option.getOrThrow(transaction.meta)
        const all = eventsOf(signature, transaction)
        for (let lines = 0; lines <= meta.logs.length; lines++) {
          const logs = [...meta.logs.slice(0, lines), "Log truncated", ...meta.logs.slice(lines + 1)]
          eventsOf(signature, { ...transaction, meta: Option.some({ ...meta, logs }) }).forEach((event, at) => {
            const before = all[at]
            if (!("timestamp" in event) || Option.isNone(event.timestamp)) return
            assert.deepStrictEqual(
              before !== undefined && "timestamp" in before ? before.timestamp : undefined,
              event.timestamp
            )
          })
        }
      }
    })
  )

  // No program at hand calls ours, so the meta of a call is made from the meta of the real instruction.
  it.effect("Given calls by another program, When events are derived, Then each call is there with its path", () =>
    Effect.gen(function* () {
      for (const { reply, signature, transaction } of yield* story) {
        const message = messageOf(transaction)
        const caller = Addresses.fromBytes(new Uint8Array(32).fill(5))
        const meta = Option.getOrThrow(transaction.meta)
        if (meta.err !== null || message.version === 0) continue
        const called = made(
          {
            ...message,
            header: { ...message.header, readonlyUnsigned: message.header.readonlyUnsigned + 1 },
            staticAccounts: [...message.staticAccounts, caller],
            instructions: [
              {
                programIndex: message.staticAccounts.length,
                accountIndices: new Uint8Array(),
                data: new Uint8Array()
              }
            ]
          },
          {
            innerInstructions: [
              {
                index: 0,
                instructions: message.instructions.map(({ accountIndices, data, programIndex }) => ({
                  programIdIndex: programIndex,
                  accounts: Array.from(accountIndices),
                  data
                }))
              }
            ]
          }
        )
        const direct = eventsOf(signature, transaction)
        const inner = eventsOf(SIGNATURE, called)
        assert.deepStrictEqual(
          inner.map(Oracle.plain),
          direct.map((event) => ({ ...Object(Oracle.plain(event)), path: `0.${event.path}` }))
        )
        const asReply = {
          slot: 7,
          transaction: [Buffer.from(called.wire).toString("base64"), "base64"] as const,
          meta: {
            ...reply.meta,
            innerInstructions: Option.getOrThrow(called.meta).innerInstructions.map(({ index, instructions }) => ({
              index,
              instructions: instructions.map((call) => ({ ...call, data: Base58.encode(call.data) }))
            }))
          }
        }
        assert.deepStrictEqual(inner.map(Oracle.plain), Oracle.eventsOf(asReply))
      }
    }).pipe(cluster())
  )

  it.effect(
    "Given false claims of a node, When events are derived, Then they are Unknown or the reply is unreadable",
    () =>
      Effect.gen(function* () {
        const [first] = yield* story
        if (first === undefined) return assert.fail("the story is empty")
        const { signature, transaction } = first
        const message = messageOf(transaction)
        const [instruction] = message.instructions
        if (instruction === undefined) return assert.fail("no instruction")
        const own = { programIdIndex: instruction.programIndex, accounts: [0, 1, 2], data: instruction.data }
        const withInner = (...instructions: ReadonlyArray<typeof own>) =>
          eventsOf(SIGNATURE, made(message, { innerInstructions: [{ index: 0, instructions }] }))
            .slice(1)
            .map(reasonOf)

        // Given no meta, or another transaction
        assert.strictEqual(refusal(signature, { ...transaction, meta: Option.none() }).reason, "Meta")
        assert.strictEqual(refusal(SIGNATURE, transaction).reason, "Signature")
        assert.isTrue(refusal(SIGNATURE, transaction).isRetryable)
        // Given bytes that are no transaction, and a message of version 1
        const versioned = Uint8Array.from(transaction.wire)
        versioned[65] = 0x81
        for (const wire of [new Uint8Array(), new Uint8Array(2000), versioned]) {
          assert.deepStrictEqual(eventsOf(signature, { ...transaction, wire }).map(reasonOf), [":Wire"])
        }
        // Given indices that name nothing
        assert.deepStrictEqual(withInner({ ...own, programIdIndex: 4_000_000_000 }), ["0.0:Index"])
        assert.deepStrictEqual(withInner({ ...own, accounts: [0, 255] }), ["0.0:Index"])
        assert.deepStrictEqual(withInner({ ...own, accounts: [-1, Number.NaN, 0.5] }), ["0.0:Index"])
        // Given a newer program's instruction, cut arguments, and too few accounts
        assert.deepStrictEqual(withInner({ ...own, data: new Uint8Array(7) }), ["0.0:Discriminator"])
        assert.deepStrictEqual(withInner({ ...own, data: instruction.data.slice(0, 12) }), ["0.0:Layout"])
        assert.deepStrictEqual(withInner({ ...own, accounts: [0] }), ["0.0:Accounts"])
        // Given calls of an instruction that is not there, and the same index twice
        const misplaced = made(message, {
          innerInstructions: [
            { index: 9, instructions: [own] },
            { index: 0, instructions: [own] },
            { index: 0, instructions: [own] }
          ]
        })
        assert.deepStrictEqual(
          eventsOf(SIGNATURE, misplaced).map(({ path }) => path),
          ["0", "0.0", "0.1", "9.0"]
        )
        // Given 255 calls
        assert.strictEqual(withInner(...Array.from({ length: 255 }, () => own)).length, 255)
      }).pipe(cluster())
  )

  it("Given any meta, When events are derived, Then nothing throws and each path comes once", async () => {
    const index = FastCheck.oneof(FastCheck.nat(5), FastCheck.integer())
    const data = FastCheck.oneof(
      FastCheck.uint8Array({ maxLength: 40 }),
      FastCheck.constantFrom("879d42c30271af1e", "7c277359d91a261d", "68004b865f5044ba").map((hex) =>
        Uint8Array.from(Buffer.from(hex, "hex"))
      )
    )
    const call = FastCheck.record({ programIdIndex: index, accounts: FastCheck.array(index), data })
    const arbitrary = FastCheck.record({
      wire: FastCheck.uint8Array({ maxLength: 200 }),
      innerInstructions: FastCheck.array(
        FastCheck.record({ index, instructions: FastCheck.array(call, { maxLength: 3 }) }),
        { maxLength: 4 }
      ),
      logs: FastCheck.array(FastCheck.oneof(FastCheck.string(), FastCheck.constant(`Program ${PROGRAM_ID} invoke [1]`)))
    })
    const message: Message.CompiledMessage = {
      version: "legacy",
      header: { requiredSignatures: 1, readonlySigned: 0, readonlyUnsigned: 1 },
      staticAccounts: [Addresses.fromBytes(new Uint8Array(32).fill(1)), PROGRAM_ID],
      blockhash: Blockhash.fromBytes(new Uint8Array(32)),
      instructions: [{ programIndex: 1, accountIndices: Uint8Array.of(0), data: new Uint8Array(8) }],
      lookups: []
    }
    await assertProperty(
      FastCheck.property(arbitrary, ({ innerInstructions, logs, wire }) => {
        const events = eventsOf(SIGNATURE, made(message, { innerInstructions, logs }))
        assert.strictEqual(new Set(events.map(({ path }) => path)).size, events.length)
        assert.strictEqual(
          Either.getOrThrow(
            ProtocolEvent.fromTransaction(SIGNATURE, { ...made(message), wire }).pipe(
              Either.orElse(() => Either.right([]))
            )
          ).length <= 1,
          true
        )
      }),
      500
    )
  })

  it("Given any event, When it is written as JSON and read back, Then it is the same", async () => {
    await assertProperty(
      FastCheck.property(Arbitrary.make(Schema.typeSchema(ProtocolEvent.ProtocolEvent)), (event) => {
        const json = JSON.stringify(event)
        const back = Schema.decodeUnknownSync(ProtocolEvent.ProtocolEvent)(JSON.parse(json))
        assert.deepStrictEqual(back, event)
        assert.strictEqual(Object.getPrototypeOf(back), Object.getPrototypeOf(event))
      }),
      300
    )
  })

  it("Given the seventeen instructions, When they are listed, Then each but the question has a kind", () => {
    assert.strictEqual(ProtocolEvent.kinds.length, 16)
    assert.isTrue(Instruction.isTag("GetChannelParticipants"))
  })
})
