import { describe, expect, it, layer } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as EmbeddedCluster from "../../layers/EmbeddedCluster.js"
import * as Pod from "../../layers/Pod.js"
import * as TestWallets from "../../layers/TestWallets.js"
import * as Agent from "../../services/Agent.js"
import * as Channel from "../../services/Channel.js"
import * as DurableNonce from "../../services/DurableNonce.js"
import * as Escrow from "../../services/Escrow.js"
import * as Follow from "../../services/Follow.js"
import * as Journal from "../../services/Journal.js"
import * as Message from "../../services/Message.js"
import * as Receipt from "../../services/Receipt.js"
import * as RpcPool from "../../services/RpcPool.js"
import * as Transactions from "../../services/Transactions.js"
import { jsonable, model } from "../../src/internal/jsonable.js"
import * as Event from "../../src/protocol/Event.js"
import * as Instruction from "../../src/protocol/Instruction.js"
import { PROGRAM_ID } from "../../src/protocol/Program.js"
import * as Rules from "../../src/protocol/Rules.js"
import * as Addresses from "../../src/solana/Address.js"
import { as, registered } from "../support/agents.js"
import { transfer } from "../support/transfers.js"

/** Every integer of a value as the text that stands for it in JSON. */
const bigints = (value: unknown): ReadonlyArray<string> => {
  if (typeof value === "bigint") return [value.toString()]
  if (typeof value !== "object" || value === null || value instanceof Uint8Array || value instanceof Error) return []
  if (Chunk.isChunk(value)) return Chunk.toReadonlyArray(value).flatMap(bigints)
  return Object.values(value).flatMap(bigints)
}

/** It is written, and whole. */
const isWritten = (name: string, value: unknown): void => {
  const text = JSON.stringify(value)
  const parsed = JSON.stringify(JSON.parse(text))
  for (const integer of bigints(value)) expect(parsed, name).toContain(`"${integer}"`)
}

layer(Pod.layerTest)("everything public that holds a bigint", (it) => {
  it.effect("Given receipts and accounts, When they are written as JSON, Then their integers are whole", () =>
    Effect.gen(function* () {
      const agents = yield* Agent.Agent
      const messages = yield* Message.Message
      const channels = yield* Channel.Channel
      const escrows = yield* Escrow.Escrow
      const nonces = yield* DurableNonce.DurableNonce
      const transactions = yield* Transactions.Transactions
      const { agent, wallet } = yield* registered
      const { wallet: other } = yield* registered
      yield* Effect.gen(function* () {
        const recipient = other.address
        const sent = yield* messages.send({ recipient, payload: "x" })
        const many = yield* messages.sendAll([
          { recipient, payload: "y" },
          { recipient, payload: "z", raw: true, id: "no" }
        ])
        const channel = yield* channels.create({ name: "json", feePerMessage: 5n })
        const deposit = yield* escrows.deposit(channel.address, 2n ** 33n)
        const free = yield* channels.create({ name: "free" })
        const joined = yield* channels.join(free.address).pipe(as(other))
        const said = yield* channels.broadcast(channel.address, { content: "hello" })
        const invited = yield* channels.invite(channel.address, recipient)
        const nonce = yield* nonces.create()
        const plain = yield* transactions.send([transfer(wallet.address, wallet.address, 1n)])
        const signed = yield* transactions.sign([transfer(wallet.address, wallet.address, 2n)])
        const lasting = yield* transactions.sign([transfer(wallet.address, wallet.address, 3n)], {
          durableNonce: { account: nonce.address }
        })
        const values = {
          sent,
          many,
          channel,
          deposit,
          joined,
          said,
          invited,
          nonce,
          plain,
          signed,
          lifetime: signed.lifetime,
          lasting,
          resumed: yield* transactions.resume(signed.wire),
          entry: Journal.JournalEntry.make({ signed, creates: [agent] }),
          again: yield* messages.send({ recipient, payload: "x", id: "named" }),
          known: yield* messages.send({ recipient, payload: "x", id: "named" }),
          simulation: yield* transactions.simulate([transfer(wallet.address, wallet.address, 1n)]),
          details: yield* transactions.details(sent.signature),
          failed: yield* Effect.flip(agents.register({ metadataUri: "https://example.com/agent.json" })),
          account: yield* agents.get(wallet.address),
          message: yield* messages.get(sent.address),
          inbox: yield* Stream.runCollect(messages.inbox(recipient)),
          spoken: yield* Stream.runCollect(channels.messages(channel.address)),
          participants: yield* channels.participants(channel.address),
          invitation: yield* channels.invitation(channel.address, recipient),
          escrow: yield* escrows.get(channel.address, wallet.address),
          durable: yield* nonces.get(nonce.address),
          left: yield* channels.leave(free.address).pipe(as(other)),
          outcome: Either.right(sent)
        }
        for (const [name, value] of Object.entries(values)) isWritten(name, value)
        // A receipt is written as its Schema writes it.
        expect(JSON.parse(JSON.stringify(sent))).toEqual(Schema.encodeSync(Receipt.MessageReceipt)(sent))
        expect(JSON.parse(JSON.stringify(plain))).toEqual(Schema.encodeSync(Receipt.Receipt)(plain))
        // And it is an object literal in all other ways.
        const { fee, signature, slot } = plain
        expect(plain).toStrictEqual({ signature, slot, fee })
        expect({ ...plain }).toStrictEqual(plain)
        expect(structuredClone(plain)).toStrictEqual(plain)
      }).pipe(as(wallet))
    })
  )

  it.effect("Given what a pool answers, When it is written as JSON, Then its integers are whole", () =>
    Effect.gen(function* () {
      const pool = yield* RpcPool.RpcPool
      const cluster = yield* EmbeddedCluster.EmbeddedCluster
      const transactions = yield* Transactions.Transactions
      const wallet = yield* TestWallets.funded
      const { address } = wallet
      const { signature, slot } = yield* transactions.send([transfer(address, address, 1n)]).pipe(as(wallet))
      const { wire } = yield* transactions.sign([transfer(address, address, 2n)]).pipe(as(wallet))
      const values = {
        epochInfo: yield* pool.getEpochInfo(),
        epochSchedule: yield* pool.getEpochSchedule,
        version: yield* pool.getVersion,
        block: yield* pool.getBlock(slot),
        latest: yield* pool.getLatestBlockhash(),
        balance: yield* pool.getBalance(address),
        account: yield* pool.getAccountInfo(address),
        accounts: yield* pool.getMultipleAccounts([address, PROGRAM_ID]),
        program: yield* pool.getProgramAccounts(Addresses.SYSTEM_PROGRAM),
        supply: yield* pool.getSupply(),
        statuses: yield* pool.getSignatureStatuses([signature, signature]),
        history: yield* pool.getSignaturesForAddress(address),
        transaction: yield* pool.getTransaction(signature),
        simulation: yield* pool.simulateTransaction(wire, { accounts: [address] }),
        fees: yield* pool.getRecentPrioritizationFees(),
        samples: yield* pool.getRecentPerformanceSamples(),
        snapshot: yield* cluster.snapshot,
        update: yield* Stream.runCollect(Stream.take(Follow.account(address), 1)),
        followed: yield* Stream.runCollect(Follow.signature(signature)),
        updates: yield* Stream.runCollect(Stream.take(Follow.program(Addresses.SYSTEM_PROGRAM), 1))
      }
      for (const [name, value] of Object.entries(values)) {
        isWritten(name, value)
      }
      expect(JSON.parse(JSON.stringify(values.balance))).toEqual({
        slot: values.balance.slot.toString(),
        value: values.balance.value.toString()
      })
    })
  )
})

describe("models", () => {
  it("Given events, data of instructions and a rate, When they are written as JSON, Then they are whole", () => {
    const event = Event.AgentRegistered.make({
      wallet: PROGRAM_ID,
      capabilities: 2n ** 64n - 1n,
      metadataUri: "https://example.com",
      timestamp: -1n
    })
    const made = Either.flatMap(
      Instruction.depositEscrow({ wallet: Addresses.SYSTEM_PROGRAM, channel: PROGRAM_ID, amount: 2n ** 33n }),
      ({ data }) => Instruction.decode(data)
    )
    isWritten("event", event)
    isWritten("instruction", Either.getOrThrow(made))
    isWritten("rate", Rules.afterBroadcast({ lastMessageAt: 1n, messagesSent: 2n }, 3n))
  })

  it("Given bytes, options and any answer of a node, When they are written, Then the JSON is that of the Schemas", () => {
    const Point = jsonable(
      class {
        constructor(
          readonly x: bigint,
          readonly rest: unknown
        ) {}
      }
    )
    const own = JSON.parse('{"__proto__":{"x":1},"toJSON":5}')
    const value = new Point(1n, { bytes: Uint8Array.of(1, 2), list: [2n, Point.name], nested: model({ y: 3n }), own })
    expect(JSON.stringify(value)).toBe(
      '{"x":"1","rest":{"bytes":"AQI=","list":["2",""],"nested":{"y":"3"},"own":{"__proto__":{"x":1},"toJSON":5}}}'
    )
    expect(JSON.stringify(model({ none: null, undefined, big: 5n }))).toBe('{"none":null,"big":"5"}')
    expect(Object.keys(value)).toEqual(["x", "rest"])
  })
})
