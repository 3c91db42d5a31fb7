import { SystemError } from "@effect/platform/Error"
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import { describe, expect, it } from "@effect/vitest"
import type { Address, Signature } from "@solana/kit"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Journal from "../../../services/Journal.js"
import * as ProgramId from "../../../services/ProgramId.js"
import { RpcError } from "../../../services/RpcTransport.js"
import * as Transactions from "../../../services/Transactions.js"
import { Wallet } from "../../../services/Wallet.js"
import { PROGRAM_ID } from "../../../src/protocol/Program.js"
import * as FakeNode from "../../support/fakeNode.js"
import { STRANGER, transfer, walletOf } from "../../support/transfers.js"

const instructions = Effect.suspend(() =>
  Effect.map(walletOf(91), (wallet) => [transfer(wallet.address, STRANGER, 1n)])
)

const asWallet = <A, E>(effect: Effect.Effect<A, E, Wallet>) =>
  Effect.flatMap(walletOf(91), (wallet) => Effect.provideService(effect, Wallet, wallet))

const send = (options?: Transactions.SendOptions) =>
  Effect.gen(function* () {
    const transactions = yield* Transactions.Transactions
    return yield* asWallet(transactions.send(yield* instructions, options))
  })

const sign = Effect.gen(function* () {
  const transactions = yield* Transactions.Transactions
  return yield* asWallet(transactions.sign(yield* instructions))
})

const over = (node: FakeNode.FakeNode, options?: Transactions.Options) =>
  Effect.provide(Layer.provideMerge(Transactions.layer(options), node.layer))

const settle = Effect.repeatN(Effect.yieldNow(), 300)

/** Lets what is in flight expire, and gives the next one a new blockhash. */
const expire = (node: FakeNode.FakeNode) =>
  Effect.suspend(() => {
    node.slot += 200n
    node.blockHeight += 200n
    node.blockhash += 1
    return TestClock.adjust("15 seconds")
  })

const signaturesOf = (node: FakeNode.FakeNode) => [...new Set(node.sent.map(({ wire }) => FakeNode.signatureOf(wire)))]

/** A node with an account of the program, which appears when the test says so. */
const withAccount = (
  account: { maker: Signature | undefined; history: ReadonlyArray<Signature> },
  overrides: Parameters<typeof FakeNode.make>[0] = {}
) =>
  FakeNode.make({
    getAccountInfo: (address) =>
      Effect.sync(() => ({
        slot: 100n,
        value: Option.map(Option.fromNullable(account.maker), () => FakeNode.accountOf(address, PROGRAM_ID, 10n))
      })),
    getSignaturesForAddress: () => Effect.sync(() => account.history.map((signature) => FakeNode.historyOf(signature))),
    getTransaction: (signature) =>
      Effect.sync(() =>
        signature === account.maker ? Option.some(FakeNode.confirmedOf(new Uint8Array(), null, [])) : Option.none()
      ),
    ...overrides
  })

const unremoved = new SystemError({
  reason: "Unknown",
  module: "KeyValueStore",
  method: "remove",
  description: "the store refuses"
})

const journaled = (
  node: FakeNode.FakeNode,
  store: KeyValueStore.KeyValueStore,
  options?: Journal.Options,
  program: Address = PROGRAM_ID
) =>
  Effect.provide(
    Transactions.layer().pipe(
      Layer.provide(ProgramId.layer(program)),
      Layer.provideMerge(Journal.layerKeyValueStore(options)),
      Layer.provide(Layer.succeed(KeyValueStore.KeyValueStore, store)),
      Layer.provideMerge(node.layer)
    )
  )

describe("Transactions: resuming", () => {
  it.effect("Given an Unconfirmed error, its transaction or its bytes, When resumed, Then the same bytes land", () => {
    const node = FakeNode.make()
    return Effect.gen(function* () {
      const { resume } = yield* Transactions.Transactions
      const fiber = yield* Effect.fork(Effect.flip(send({ timeout: "3 seconds" })))
      yield* TestClock.adjust("3 seconds")
      const error = yield* Fiber.join(fiber)
      if (!(error instanceof Transactions.TransactionError) || error.signed === undefined) return expect.fail()
      node.onSend = node.land
      const { signature, wire } = error.signed
      for (const from of [error, error.signed, wire]) {
        expect(yield* resume(from)).toStrictEqual({ signature, slot: 100n, fee: 5000n })
      }
      expect(signaturesOf(node)).toStrictEqual([signature])
    }).pipe(over(node))
  })

  it.effect("Given only bytes, When they cannot land any more, Then they are Expired", () => {
    const node = FakeNode.make()
    return Effect.gen(function* () {
      const { wire } = yield* sign
      const { resume } = yield* Transactions.Transactions
      const fiber = yield* Effect.fork(Effect.flip(resume(wire)))
      yield* settle
      yield* expire(node)
      expect(yield* Fiber.join(fiber)).toMatchObject({ reason: "Expired" })
    }).pipe(over(node))
  })

  it.effect("Given bytes that are no transaction, When they are resumed, Then the call is refused", () => {
    const node = FakeNode.make()
    return Effect.gen(function* () {
      const { resume } = yield* Transactions.Transactions
      const empty = new Transactions.TransactionError({ reason: "Simulation", detail: "no", logs: [] })
      expect(yield* Effect.flip(resume(empty))).toMatchObject({ _tag: "InvalidInput", field: "from" })
      expect(yield* Effect.flip(resume(new Uint8Array(7)))).toMatchObject({ _tag: "InvalidInput", field: "wire" })
    }).pipe(over(node))
  })
})

describe("Transactions: signing anew", () => {
  it.effect("Given two retries, When each expires, Then three were signed and the last is Expired", () => {
    const node = FakeNode.make()
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(Effect.flip(send({ retryExpired: 2 })))
      for (const signed of [1, 2, 3]) {
        yield* settle
        expect(signaturesOf(node)).toHaveLength(signed)
        yield* expire(node)
      }
      expect(yield* Fiber.join(fiber)).toMatchObject({ reason: "Expired" })
      expect(signaturesOf(node)).toHaveLength(3)
    }).pipe(over(node))
  })

  it.effect(
    "Given statuses that contradict the ledger, When the transaction expires, Then nothing is signed again",
    () => {
      const node = FakeNode.make({
        getTransaction: () =>
          Effect.succeed(
            Option.some({
              slot: 100n,
              blockTime: Option.none(),
              meta: Option.none(),
              wire: new Uint8Array(),
              version: "legacy"
            })
          )
      })
      return Effect.gen(function* () {
        const fiber = yield* Effect.fork(Effect.flip(send({ retryExpired: 2 })))
        yield* settle
        yield* expire(node)
        expect(yield* Fiber.join(fiber)).toMatchObject({ reason: "Unconfirmed", mayHaveLanded: true })
        expect(signaturesOf(node)).toHaveLength(1)
      }).pipe(over(node))
    }
  )

  it.effect("Given a retry, When the second transaction lands, Then there is a receipt", () => {
    const node = FakeNode.make()
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(send({ retryExpired: 1 }))
      yield* settle
      node.onSend = node.land
      node.slot += 200n
      node.blockHeight += 200n
      node.blockhash += 1
      // The bytes of the first may still go out, and be refused for their age.
      node.onSend = (signature) => (signature === signaturesOf(node)[0] ? undefined : node.land(signature))
      yield* TestClock.adjust("15 seconds")
      expect(yield* Fiber.join(fiber)).toMatchObject({ signature: signaturesOf(node)[1], slot: 300n })
    }).pipe(over(node))
  })

  it.effect("Given no retries or an invalid number, When a transaction is sent, Then nothing is signed again", () => {
    const node = FakeNode.make()
    return Effect.gen(function* () {
      for (const retryExpired of [-1, 0.5, Number.NaN]) {
        expect(yield* Effect.flip(send({ retryExpired }))).toMatchObject({ field: "retryExpired" })
      }
      const fiber = yield* Effect.fork(Effect.flip(send()))
      yield* settle
      yield* expire(node)
      expect(yield* Fiber.join(fiber)).toMatchObject({ reason: "Expired" })
      expect(signaturesOf(node)).toHaveLength(1)
    }).pipe(over(node))
  })
})

describe("Transactions: recognising one's own write", () => {
  it.effect("Given an account that exists, When the first transaction expired, Then nothing is signed again", () => {
    const account: Parameters<typeof withAccount>[0] = { maker: undefined, history: [] }
    const node = withAccount(account)
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(send({ retryExpired: 3, creates: STRANGER }))
      yield* settle
      const other = FakeNode.signatureOf(new Uint8Array(65).fill(3))
      account.maker = other
      account.history = [FakeNode.signatureOf(new Uint8Array(65).fill(4)), other]
      yield* expire(node)
      expect(yield* Fiber.join(fiber)).toStrictEqual({ signature: other, slot: 100n, fee: 5000n })
      expect(signaturesOf(node)).toHaveLength(1)
    }).pipe(over(node))
  })

  it.effect("Given a write that is done, When it is sent again, Then its receipt comes and no bytes are sent", () => {
    const maker = FakeNode.signatureOf(new Uint8Array(65).fill(5))
    const node = withAccount({ maker, history: [maker] })
    return Effect.gen(function* () {
      expect(yield* send({ resend: true, creates: STRANGER })).toMatchObject({ signature: maker })
      expect(node.sent).toHaveLength(0)
    }).pipe(over(node))
  })

  it.effect(
    "Given a node that has the account but not its transaction yet, When the write is sent again, Then the node is asked again",
    () => {
      const maker = FakeNode.signatureOf(new Uint8Array(65).fill(7))
      const account: Parameters<typeof withAccount>[0] = { maker, history: [] }
      const node = withAccount(account)
      return Effect.gen(function* () {
        const fiber = yield* Effect.fork(send({ resend: true, creates: STRANGER }))
        yield* settle
        account.history = [maker]
        yield* TestClock.adjust("1 second")
        expect(yield* Fiber.join(fiber)).toMatchObject({ signature: maker })
        expect(node.sent).toHaveLength(0)
      }).pipe(over(node))
    }
  )

  it.effect(
    "Given a node that lags behind a refusal, When the write is sent again, Then this node is not asked for the account",
    () => {
      const maker = FakeNode.signatureOf(new Uint8Array(65).fill(8))
      const since: Array<unknown> = []
      const node = withAccount(
        { maker, history: [maker] },
        {
          getAccountInfo: (address, options) =>
            Effect.sync(() => {
              since.push(options?.minContextSlot)
              const isThere = (options?.minContextSlot ?? 0n) >= 100n
              const account = Option.some(FakeNode.accountOf(address, PROGRAM_ID, 10n))
              return { slot: 100n, value: Option.filter(account, () => isThere) }
            })
        }
      )
      node.onSend = (signature) => node.land(signature, "confirmed", { InstructionError: [0, { Custom: 0 }] })
      return Effect.gen(function* () {
        const fiber = yield* Effect.fork(send({ resend: true, creates: STRANGER, preflight: false }))
        yield* settle
        yield* TestClock.adjust("1 second")
        expect(yield* Fiber.join(fiber)).toMatchObject({ signature: maker })
        expect(since).toEqual([undefined, 100n])
      }).pipe(over(node))
    }
  )

  it.effect(
    "Given a refused first send, When the account belongs to another writer, Then the outcome is the refusal",
    () => {
      const maker = FakeNode.signatureOf(new Uint8Array(65).fill(6))
      const data = { err: { InstructionError: [0, { Custom: 0 }] }, logs: [] }
      const inUse = new RpcError({ reason: "Node", method: "sendTransaction", code: -32002, detail: "in use", data })
      const node = withAccount({ maker, history: [maker] }, { sendTransaction: () => Effect.fail(inUse) })
      return Effect.gen(function* () {
        expect(yield* Effect.flip(send({ creates: STRANGER }))).toMatchObject({ reason: "Simulation" })
        // But a resend may be refused for its own work.
        expect(yield* send({ creates: STRANGER, resend: true })).toMatchObject({ signature: maker })
      }).pipe(over(node))
    }
  )
})

describe("Transactions: the journal", () => {
  const memory = Effect.provide(KeyValueStore.KeyValueStore, KeyValueStore.layerMemory)

  const recovered = Effect.flatMap(Transactions.Transactions, ({ recover }) =>
    Effect.map(Stream.runCollect(recover), Chunk.toReadonlyArray)
  )

  it.effect(
    "Given a process that dies in flight, When the next one recovers, Then the transaction lands once and its entry is removed",
    () =>
      Effect.gen(function* () {
        const store = yield* memory
        const first = FakeNode.make()
        yield* Effect.gen(function* () {
          const fiber = yield* Effect.fork(send({ creates: STRANGER }))
          yield* settle
          yield* Fiber.interrupt(fiber)
        }).pipe(journaled(first, store))
        const second = FakeNode.make()
        second.onSend = second.land
        const [recovery] = yield* recovered.pipe(journaled(second, store))
        expect(recovery).toMatchObject({ creates: [STRANGER], outcome: Either.right({ slot: 100n }) })
        expect(second.sent[0]?.wire).toStrictEqual(first.sent[0]?.wire)
        expect(yield* store.size).toBe(0)
        expect(yield* recovered.pipe(journaled(second, store))).toHaveLength(0)
      })
  )

  it.effect(
    "Given a recorded write, When the same write is sent, Then the recorded transaction is finished instead",
    () =>
      Effect.gen(function* () {
        const store = yield* memory
        const node = FakeNode.make()
        yield* Effect.gen(function* () {
          const fiber = yield* Effect.fork(send({ creates: STRANGER }))
          yield* settle
          yield* Fiber.interrupt(fiber)
          node.blockhash = 2
          node.onSend = node.land
          expect(yield* send({ creates: STRANGER })).toMatchObject({ signature: signaturesOf(node)[0] })
          expect(signaturesOf(node)).toHaveLength(1)
        }).pipe(journaled(node, store))
      })
  )

  it.effect(
    "Given a store that fails or is full, When a transaction is sent, Then no bytes are sent and the error says so",
    () =>
      Effect.gen(function* () {
        const node = FakeNode.make()
        const store = yield* memory
        yield* Effect.gen(function* () {
          yield* Effect.fork(send())
          yield* settle
          node.blockhash = 2
          const fiber = yield* Effect.fork(Effect.flip(send()))
          yield* TestClock.adjust("1 second")
          expect(yield* Fiber.join(fiber)).toMatchObject({
            reason: "Unrecorded",
            isRetryable: true,
            cause: { reason: "Full" }
          })
          expect(signaturesOf(node)).toHaveLength(1)
        }).pipe(journaled(node, store, { maxEntries: 1 }))
      })
  )

  it.effect(
    "Given a refusal of the preflight, When the node forwarded the bytes, Then the journal still has them",
    () =>
      Effect.gen(function* () {
        const data = { err: { InstructionError: [0, { Custom: 0 }] }, logs: [] }
        const refusal = new RpcError({ reason: "Node", method: "sendTransaction", code: -32002, detail: "no", data })
        const node: FakeNode.FakeNode = FakeNode.make({ sendTransaction: () => Effect.fail(refusal) })
        yield* Effect.gen(function* () {
          const error = yield* Effect.flip(send())
          expect(error).toMatchObject({ reason: "Simulation", mayHaveLanded: true })
          expect(yield* Effect.flatMap(Journal.Journal, ({ pending }) => pending)).toHaveLength(1)
          const [signature] = (yield* Effect.flatMap(Journal.Journal, ({ pending }) => pending)).map(
            ({ signed }) => signed.signature
          )
          if (signature !== undefined) node.land(signature)
          expect(yield* recovered).toMatchObject([{ signed: { signature }, outcome: { _tag: "Right" } }])
          expect(yield* Effect.flatMap(Journal.Journal, ({ pending }) => pending)).toHaveLength(0)
        }).pipe(journaled(node, yield* memory))
      })
  )

  it.effect(
    "Given keys without a valid entry, When they are read, Then they are kept and named, and the others are found",
    () =>
      Effect.gen(function* () {
        const store = yield* memory
        const node = FakeNode.make()
        const signed = yield* sign.pipe(over(node))
        const entry = Journal.JournalEntry.make({ signed, creates: [] })
        const write = Effect.flatMap(Journal.Journal, ({ record }) => record(entry))
        yield* write.pipe(journaled(node, store))
        const text = Option.getOrThrow(yield* store.get("transaction-0"))
        const wrong = [
          '{"signed":{"sig',
          "",
          "[".repeat(60_000),
          `${text}${" ".repeat(70_000)}`,
          text.replaceAll(signed.signature, FakeNode.signatureOf(new Uint8Array(65).fill(9)))
        ]
        for (const [index, damaged] of wrong.entries()) yield* store.set(`transaction-${index + 1}`, damaged)
        const [pending, unreadable] = yield* Effect.flatMap(Journal.Journal, ({ pending, unreadable }) =>
          Effect.all([pending, unreadable])
        ).pipe(journaled(node, store))
        expect(pending).toStrictEqual([entry])
        expect(unreadable).toStrictEqual(wrong.map((_, index) => `transaction-${index + 1}`))
        for (const [index, damaged] of wrong.entries()) {
          expect(yield* store.get(`transaction-${index + 1}`)).toStrictEqual(Option.some(damaged))
        }
        // They take up capacity, and are not written over.
        node.blockhash += 1
        expect(yield* Effect.flip(send()).pipe(journaled(node, store, { maxEntries: 6 }))).toMatchObject({
          reason: "Unrecorded",
          cause: { reason: "Full", detail: "1 entries are pending and 5 cannot be read" }
        })
      })
  )

  it.effect.each([
    ["of another cluster", { genesis: FakeNode.blockhashOf(201) }, undefined],
    ["for another program", {}, STRANGER]
  ] as const)(
    "Given an entry %s, When it is recovered or its write is sent, Then it stays and is not sent",
    ([, there, program]) =>
      Effect.gen(function* () {
        const store = yield* memory
        const first = FakeNode.make()
        const left = yield* Effect.gen(function* () {
          const fiber = yield* Effect.fork(send({ creates: STRANGER }))
          yield* settle
          yield* Fiber.interrupt(fiber)
          return yield* Effect.flatMap(Journal.Journal, ({ pending }) => pending)
        }).pipe(journaled(first, store))
        expect(left).toMatchObject([{ genesis: first.genesis, program: PROGRAM_ID }])
        const second = Object.assign(FakeNode.make(), there, { slot: 9000n, blockHeight: 9000n, blockhash: 2 })
        second.onSend = second.land
        const here = journaled(second, store, undefined, program)
        for (let again = 0; again < 2; again++) {
          const [recovery] = yield* recovered.pipe(here)
          expect(recovery).toMatchObject({ outcome: Either.left({ reason: "Unconfirmed", isRetryable: false }) })
        }
        const [signed] = left.map(({ signed }) => signed)
        if (signed === undefined) return expect.fail()
        const resume = Effect.flatMap(Transactions.Transactions, ({ resume }) => resume(signed))
        expect(yield* Effect.flip(resume).pipe(here)).toMatchObject({ reason: "Unconfirmed" })
        expect(second.sent).toHaveLength(0)
        const receipt = yield* send({ creates: STRANGER }).pipe(here)
        expect(receipt.signature).not.toBe(signed.signature)
        expect(yield* store.size).toBe(1)
        first.onSend = first.land
        expect(yield* recovered.pipe(journaled(first, store))).toMatchObject([{ outcome: Either.right({}) }])
        expect(yield* store.size).toBe(0)
      })
  )

  it.effect(
    "Given a cluster without a genesis hash, When a transaction is recovered or sent, Then the error is that of the node",
    () =>
      Effect.gen(function* () {
        const store = yield* memory
        const node = FakeNode.make()
        yield* Effect.gen(function* () {
          const fiber = yield* Effect.fork(send({ creates: STRANGER }))
          yield* settle
          yield* Fiber.interrupt(fiber)
        }).pipe(journaled(node, store))
        const silent = new RpcError({ reason: "Timeout", method: "getGenesisHash", detail: "no reply" })
        const mute = FakeNode.make({ getGenesisHash: Effect.fail(silent) })
        yield* Effect.gen(function* () {
          expect(yield* recovered).toMatchObject([{ outcome: Either.left(silent) }])
          expect(yield* Effect.flip(send({ creates: STRANGER }))).toBe(silent)
        }).pipe(journaled(mute, store))
        expect(mute.sent).toHaveLength(0)
        expect(yield* store.size).toBe(1)
      })
  )

  it.effect("Given an interruption while an entry is recorded, When the store answers, Then no entry is left", () =>
    Effect.gen(function* () {
      const memoryStore = yield* memory
      const mayWrite = yield* Effect.makeLatch(true)
      const store: KeyValueStore.KeyValueStore = {
        ...memoryStore,
        set: (key, value) => Effect.zipRight(mayWrite.await, memoryStore.set(key, value))
      }
      const node = FakeNode.make()
      yield* Effect.gen(function* () {
        yield* mayWrite.close
        const fiber = yield* Effect.fork(send())
        yield* settle
        yield* Fiber.interrupt(fiber)
        yield* mayWrite.open
        yield* settle
        expect(yield* Effect.flatMap(Journal.Journal, ({ pending }) => pending)).toHaveLength(0)
      }).pipe(journaled(node, store))
      expect(node.sent).toHaveLength(0)
      expect(yield* memoryStore.size).toBe(0)
    })
  )

  it.effect("Given the same bytes twice, When the first record is not done yet, Then the second waits for it", () =>
    Effect.gen(function* () {
      const memoryStore = yield* memory
      const mayWrite = yield* Effect.makeLatch(true)
      const store: KeyValueStore.KeyValueStore = {
        ...memoryStore,
        set: (key, value) => Effect.zipRight(mayWrite.await, memoryStore.set(key, value))
      }
      const node = FakeNode.make()
      node.onSend = node.land
      yield* Effect.gen(function* () {
        const { submit } = yield* Transactions.Transactions
        const signed = yield* sign
        yield* mayWrite.close
        const fibers = yield* Effect.forEach([1, 2], () => Effect.fork(submit(signed)))
        yield* settle
        expect(node.sent).toHaveLength(0)
        yield* mayWrite.open
        yield* Effect.forEach(fibers, Fiber.join)
      }).pipe(journaled(node, store))
      expect(yield* memoryStore.size).toBe(0)
    })
  )

  it.effect(
    "Given a store that refuses removals, When outcomes are known, Then keys are reused and outcomes are reported once",
    () =>
      Effect.gen(function* () {
        const memoryStore = yield* memory
        let removes = true
        const store: KeyValueStore.KeyValueStore = {
          ...memoryStore,
          remove: (key) => (removes ? memoryStore.remove(key) : Effect.fail(unremoved))
        }
        const node = FakeNode.make()
        node.onSend = node.land
        yield* Effect.gen(function* () {
          removes = false
          for (let sent = 0; sent < 5; sent++) {
            node.blockhash += 1
            yield* TestClock.adjust("11 seconds")
            yield* send()
          }
          expect(yield* recovered).toHaveLength(0)
          removes = true
          node.blockhash += 1
          yield* TestClock.adjust("11 seconds")
          yield* send()
        }).pipe(journaled(node, store, { maxEntries: 2 }))
        expect(yield* memoryStore.size).toBe(0)
      })
  )

  it.effect("Given no journal, When recover runs, Then it emits nothing", () =>
    Effect.gen(function* () {
      expect(yield* recovered.pipe(over(FakeNode.make()))).toHaveLength(0)
    })
  )
})
