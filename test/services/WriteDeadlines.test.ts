import { assert, describe, it } from "@effect/vitest"
import { lamports } from "@solana/kit"
import * as Arr from "effect/Array"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as Pod from "../../layers/Pod.js"
import * as Agent from "../../services/Agent.js"
import * as Channel from "../../services/Channel.js"
import * as DurableNonce from "../../services/DurableNonce.js"
import * as Escrow from "../../services/Escrow.js"
import * as Journal from "../../services/Journal.js"
import * as Message from "../../services/Message.js"
import * as PayloadStore from "../../services/PayloadStore.js"
import * as RpcPool from "../../services/RpcPool.js"
import { RpcError } from "../../services/RpcTransport.js"
import * as Transactions from "../../services/Transactions.js"
import * as Wallet from "../../services/Wallet.js"
import { registered, as } from "../support/agents.js"
import * as FakeNode from "../support/fakeNode.js"
import { STRANGER, transfer, walletOf } from "../support/transfers.js"

type Services =
  | Agent.Agent
  | Channel.Channel
  | DurableNonce.DurableNonce
  | Escrow.Escrow
  | Message.Message
  | Transactions.Transactions
  | Wallet.Wallet

type Write = (options: Transactions.SendOptions) => Effect.Effect<unknown, unknown, Services>

const HASH = new Uint8Array(32).fill(1)

/** The recipient of messages: a wallet. */
const recipient = Effect.map(walletOf(82), ({ address }) => address)

const agents = (f: (agents: Agent.Service) => ReturnType<Write>) => Effect.flatMap(Agent.Agent, f)
const channels = (f: (channels: Channel.Service) => ReturnType<Write>) => Effect.flatMap(Channel.Channel, f)
const escrows = (f: (escrows: Escrow.Service) => ReturnType<Write>) => Effect.flatMap(Escrow.Escrow, f)
const messages = (f: (messages: Message.Service) => ReturnType<Write>) => Effect.flatMap(Message.Message, f)
const nonces = (f: (nonces: DurableNonce.Service) => ReturnType<Write>) => Effect.flatMap(DurableNonce.DurableNonce, f)
const transactions = (f: (transactions: Transactions.Service) => ReturnType<Write>) =>
  Effect.flatMap(Transactions.Transactions, f)

const instruction = Effect.map(Wallet.Wallet, ({ address }) => transfer(address, STRANGER, 1n))

const first = <A, E, E2, R>(outcomes: Effect.Effect<ReadonlyArray<Either.Either<A, E>>, E2, R>) =>
  Effect.flatMap(outcomes, (outcomes): Either.Either<A, E> => Option.getOrThrow(Arr.head(outcomes)))

const uri = "https://example.com"

/** Every public write. */
const writes: Readonly<Record<string, Write>> = {
  "Agent.register": (options) => agents((it) => it.register({ metadataUri: uri }, options)),
  "Agent.update": (options) => agents((it) => it.update({ metadataUri: uri }, options)),
  "Channel.create": (options) => channels((it) => it.create({ name: "late" }, options)),
  "Channel.update": (options) => channels((it) => it.update(STRANGER, { isActive: true }, options)),
  "Channel.join": (options) => channels((it) => it.join(STRANGER, options)),
  "Channel.leave": (options) => channels((it) => it.leave(STRANGER, options)),
  "Channel.invite": (options) => channels((it) => it.invite(STRANGER, STRANGER, options)),
  "Channel.broadcast": (options) => channels((it) => it.broadcast(STRANGER, { content: "x" }, options)),
  "Channel.broadcastCompressed": (options) =>
    channels((it) => it.broadcastCompressed(STRANGER, { content: "x", ipfsHash: "Qm" }, options)),
  "Channel.joinCompressed": (options) => channels((it) => it.joinCompressed(STRANGER, { metadataHash: HASH }, options)),
  "Channel.syncCompressed": (options) =>
    channels((it) => it.syncCompressed(STRANGER, { messageHashes: [HASH] }, options)),
  "Escrow.deposit": (options) => escrows((it) => it.deposit(STRANGER, 1n, options)),
  "Escrow.withdraw": (options) => escrows((it) => it.withdraw(STRANGER, 1n, options)),
  "Message.send": (options) =>
    Effect.flatMap(recipient, (recipient) => messages((it) => it.send({ recipient, payload: "x" }, options))),
  "Message.sendAll": (options) =>
    Effect.flatMap(recipient, (recipient) =>
      messages((it) => first(it.sendAll([{ recipient, payload: "x" }], options)))
    ),
  "Message.markDelivered": (options) => messages((it) => it.markDelivered(STRANGER, options)),
  "Message.markRead": (options) => messages((it) => it.markRead(STRANGER, options)),
  "Message.markFailed": (options) => messages((it) => it.markFailed(STRANGER, options)),
  // A new key takes real time.
  "DurableNonce.create": (options) =>
    Effect.flatMap(walletOf(83), (account) => nonces((it) => it.create({ ...options, account }))),
  "DurableNonce.advance": (options) => nonces((it) => it.advance(STRANGER, options)),
  "DurableNonce.withdraw": (options) => nonces((it) => it.withdraw(STRANGER, 1n, options)),
  "DurableNonce.close": (options) => nonces((it) => it.close(STRANGER, options)),
  "DurableNonce.authorize": (options) => nonces((it) => it.authorize(STRANGER, STRANGER, options)),
  "Transactions.send": (options) =>
    Effect.flatMap(instruction, (instruction) => transactions((it) => it.send([instruction], options))),
  "Transactions.sendPacked": (options) =>
    Effect.flatMap(instruction, (instruction) =>
      transactions((it) => first(it.sendPacked([{ instructions: [instruction] }], options)))
    )
}

const readsAccount = ["Channel.join", "Channel.invite", "Channel.joinCompressed"]

const storesPayload = ["Message.send", "Message.sendAll"]

/** A step that never ends. */
interface Silent {
  readonly step: string
  /** The writes that take this step. Default: all. */
  readonly of?: ReadonlyArray<string>
  readonly wasSent: boolean
  readonly pool?: (sent: () => void) => Partial<RpcPool.Service>
  readonly store?: PayloadStore.Service
  readonly journal?: Journal.Service
  readonly wallet?: true
}

const silentStore = PayloadStore.make({
  set: () => Effect.never,
  get: () => Effect.never,
  has: () => Effect.never,
  remove: () => Effect.never
})

const journal: Journal.Service = {
  record: () => Effect.void,
  forget: () => Effect.void,
  pending: Effect.succeed([]),
  unreadable: Effect.succeed([])
}

const silences: ReadonlyArray<Silent> = [
  { step: "the payload is stored", of: storesPayload, wasSent: false, store: silentStore },
  {
    step: "the account is read",
    of: readsAccount,
    wasSent: false,
    pool: () => ({ getAccountInfo: () => Effect.never })
  },
  {
    step: "the rent is read",
    of: ["DurableNonce.create"],
    wasSent: false,
    pool: () => ({ getMinimumBalanceForRentExemption: () => Effect.never })
  },
  {
    step: "the balance is read",
    of: ["DurableNonce.close"],
    wasSent: false,
    pool: () => ({ getBalance: () => Effect.never })
  },
  { step: "the blockhash is read", wasSent: false, pool: () => ({ getLatestBlockhash: () => Effect.never }) },
  { step: "the wallet signs", wasSent: false, wallet: true },
  { step: "the cluster is told apart", wasSent: false, journal, pool: () => ({ getGenesisHash: Effect.never }) },
  { step: "the journal is written", wasSent: false, journal: { ...journal, record: () => Effect.never } },
  {
    step: "the bytes are sent",
    wasSent: true,
    pool: (sent) => ({
      sendTransaction: () =>
        Effect.suspend(() => {
          sent()
          return Effect.never
        })
    })
  },
  { step: "the status is read", wasSent: true, pool: () => ({ getSignatureStatuses: () => Effect.never }) }
]

/** A channel as a cluster keeps it, read once for all tests. */
const channelInfo = await Effect.gen(function* () {
  const { wallet } = yield* registered
  const { create } = yield* Channel.Channel
  const { address } = yield* create({ name: "late", visibility: "Private" }).pipe(as(wallet))
  const pool = yield* RpcPool.RpcPool
  return yield* pool.getAccountInfo(address)
}).pipe(Effect.provide(Pod.layerTest), Effect.runPromise)

const TIMEOUT = Duration.seconds(2)

/** Runs the write, and gives its failure and how often bytes were sent. It ends after 2 seconds, and not before. */
const late = (write: Write, silent: Silent, layerTimeout: Duration.Duration | undefined) =>
  Effect.gen(function* () {
    let sent = 0
    const node = FakeNode.make({
      getAccountInfo: () => Effect.succeed(channelInfo),
      getMinimumBalanceForRentExemption: () => Effect.succeed(lamports(1_447_680n)),
      getBalance: () => Effect.succeed({ slot: 100n, value: lamports(5n) }),
      ...silent.pool?.(() => sent++)
    })
    const known = yield* walletOf(81)
    const wallet = silent.wallet === true ? { address: known.address, sign: () => Effect.never } : known
    const services = Layer.mergeAll(Agent.layer, Channel.layer, DurableNonce.layer, Escrow.layer, Message.layer).pipe(
      Layer.provideMerge(Transactions.layer({ timeout: layerTimeout })),
      Layer.provide(node.layer),
      Layer.provide(
        silent.store === undefined ? PayloadStore.layerMemory : Layer.succeed(PayloadStore.PayloadStore, silent.store)
      ),
      silent.journal === undefined ? (layer) => layer : Layer.provide(Layer.succeed(Journal.Journal, silent.journal))
    )
    return yield* Effect.gen(function* () {
      const fiber = yield* Effect.fork(Effect.flip(write(layerTimeout === undefined ? { timeout: TIMEOUT } : {})))
      yield* TestClock.adjust(Duration.toMillis(TIMEOUT) - 1)
      assert.isTrue(Option.isNone(yield* Fiber.poll(fiber)), "it ended before its deadline")
      yield* TestClock.adjust(1)
      const exit = yield* Fiber.poll(fiber)
      assert.isTrue(Option.isSome(exit), "it did not end at its deadline")
      return { error: yield* Fiber.join(fiber), sent: sent + node.sent.length }
    }).pipe(Effect.provide(services), Effect.provideService(Wallet.Wallet, wallet))
  })

describe("a deadline covers everything from the call's first step", () => {
  for (const silent of silences) {
    for (const name of silent.of ?? Object.keys(writes)) {
      const write = writes[name] ?? (() => Effect.dieMessage(name))
      it.effect(`Given silence when ${silent.step}, When ${name} has 2 s, Then it ends after 2 s with the truth`, () =>
        Effect.gen(function* () {
          for (const layerTimeout of [undefined, TIMEOUT]) {
            const { error, sent } = yield* late(write, silent, layerTimeout)
            if (silent.wasSent) {
              assert.deepInclude(error, { _tag: "TransactionError", reason: "Unconfirmed", mayHaveLanded: true })
              assert.isAbove(sent, 0)
            } else {
              assert.deepInclude(error, { _tag: "RpcError", reason: "Timeout", method: "sendTransaction" })
              assert.include(String(error), "not sent")
              assert.strictEqual(sent, 0)
            }
          }
        })
      )
    }
  }
})

/** Ends at once, without any time. */
const atOnce = (write: Write, node: FakeNode.FakeNode) =>
  Effect.gen(function* () {
    const wallet = yield* walletOf(81)
    const fiber = yield* Effect.fork(
      Effect.flip(Effect.provideService(write({ timeout: TIMEOUT }), Wallet.Wallet, wallet))
    )
    yield* TestClock.adjust(0)
    assert.isTrue(Option.isSome(yield* Fiber.poll(fiber)), "it waited")
    return yield* Fiber.join(fiber)
  }).pipe(
    Effect.provide(
      Layer.mergeAll(Agent.layer, Channel.layer, DurableNonce.layer, Escrow.layer, Message.layer).pipe(
        Layer.provideMerge(Transactions.layer()),
        Layer.provide([node.layer, PayloadStore.layerMemory])
      )
    )
  )

const limited = (fields: Partial<RpcError>) =>
  new RpcError({
    reason: "RateLimited",
    method: "sendTransaction",
    detail: "a limit",
    retryAfter: Duration.seconds(60),
    ...fields
  })
const refusing = (error: RpcError) => FakeNode.make({ sendTransaction: () => Effect.fail(error) })

describe("a limit beyond the deadline", () => {
  const write = writes["Transactions.send"] ?? (() => Effect.void)

  it.effect(
    "Given our own limit, When the first sending is held back by it, Then it fails at once: nothing was sent",
    () =>
      Effect.gen(function* () {
        const error = limited({})
        assert.strictEqual(yield* atOnce(write, refusing(error)), error)
      })
  )

  it.effect(
    "Given an endpoint's 429, When it answers the first sending, Then it fails at once, and may have landed",
    () =>
      Effect.gen(function* () {
        const error = yield* atOnce(write, refusing(limited({ status: 429 })))
        assert.deepInclude(error, { _tag: "TransactionError", reason: "Unconfirmed", mayHaveLanded: true })
      })
  )

  it.effect("Given a closed pool, When it is to send, Then it fails at once: nothing was sent", () =>
    Effect.gen(function* () {
      const error = limited({ reason: "PoolClosed" })
      assert.strictEqual(yield* atOnce(write, refusing(error)), error)
    })
  )
})
