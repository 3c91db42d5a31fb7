import { SystemError } from "@effect/platform/Error"
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import { describe, expect, it } from "@effect/vitest"
import type { Address } from "@solana/kit"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Deadline from "../../../services/Deadline.js"
import * as Journal from "../../../services/Journal.js"
import * as Metrics from "../../../services/Metrics.js"
import * as ProgramId from "../../../services/ProgramId.js"
import { RpcError } from "../../../services/RpcTransport.js"
import * as Transactions from "../../../services/Transactions.js"
import { PROGRAM_ID } from "../../../src/protocol/Program.js"
import * as FakeNode from "../../support/fakeNode.js"
import * as Sends from "../../support/sends.js"
import { over, sentSignatures, sign } from "../../support/sends.js"
import { STRANGER } from "../../support/transfers.js"

const send = (options?: Transactions.SendOptions) => Sends.send(1n, options)

const settle = Effect.repeatN(Effect.yieldNow(), 300)

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

describe("Transactions: the journal", () => {
  const memory = Effect.provide(KeyValueStore.KeyValueStore, KeyValueStore.layerMemory)

  /** A store whose writes wait while `mayWrite` is closed. */
  const gated = Effect.gen(function* () {
    const memoryStore = yield* memory
    const mayWrite = yield* Effect.makeLatch(true)
    const store: KeyValueStore.KeyValueStore = {
      ...memoryStore,
      set: (key, value) => Effect.zipRight(mayWrite.await, memoryStore.set(key, value))
    }
    return { mayWrite, memoryStore, store }
  })

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
          expect(yield* send({ creates: STRANGER })).toMatchObject({ signature: sentSignatures(node)[0] })
          expect(sentSignatures(node)).toHaveLength(1)
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
          const fiber = yield* Effect.fork(Effect.tagMetrics(Effect.flip(send()), "test", "full"))
          yield* TestClock.adjust("1 second")
          expect(yield* Fiber.join(fiber)).toMatchObject({
            reason: "Unrecorded",
            isRetryable: true,
            cause: { reason: "Full" }
          })
          const unrecorded = Metric.tagged(Metrics.transactionsOf("Unrecorded"), "test", "full")
          expect(yield* Metric.value(unrecorded)).toMatchObject({ count: 1 })
          expect(sentSignatures(node)).toHaveLength(1)
        }).pipe(journaled(node, store, { maxEntries: 1 }))
      })
  )

  it.effect(
    "Given two calls with the same bytes, When the first has its receipt and the second ends, Then no entry is left",
    () =>
      Effect.gen(function* () {
        const node = FakeNode.make()
        const store = yield* memory
        yield* Effect.gen(function* () {
          const { submit } = yield* Transactions.Transactions
          const signed = yield* sign
          const first = yield* Effect.fork(submit(signed))
          const second = yield* Effect.fork(submit(signed, { commitment: "finalized" }))
          yield* settle
          node.land(signed.signature)
          yield* TestClock.adjust("1 second")
          yield* Fiber.join(first)
          yield* Fiber.interrupt(second)
          expect(yield* store.size).toBe(0)
        }).pipe(journaled(node, store))
      })
  )

  it.effect("Given an entry of an earlier process, When a closed service does not send it, Then the entry stays", () =>
    Effect.gen(function* () {
      const node = FakeNode.make()
      const store = yield* memory
      const signed = yield* Effect.gen(function* () {
        const { submit } = yield* Transactions.Transactions
        const signed = yield* sign
        yield* Effect.fork(submit(signed))
        yield* settle
        return signed
      }).pipe(journaled(node, store))
      const closed = yield* Transactions.Transactions.pipe(journaled(node, store))
      expect(yield* Effect.flip(closed.submit(signed))).toMatchObject({ reason: "Unsent" })
      yield* settle
      expect(yield* store.size).toBe(1)
    })
  )

  it.effect("Given a full journal, When a transaction that was sent before is resumed, Then its outcome is open", () =>
    Effect.gen(function* () {
      const node = FakeNode.make()
      yield* Effect.gen(function* () {
        const { resume } = yield* Transactions.Transactions
        const signed = yield* sign
        node.blockhash = 2
        yield* TestClock.adjust("11 seconds")
        yield* Effect.fork(send())
        yield* settle
        const error = yield* Effect.flip(resume(signed))
        expect(error).toMatchObject({ reason: "Unconfirmed", isRetryable: false, cause: { reason: "Full" } })
      }).pipe(journaled(node, yield* memory, { maxEntries: 1 }))
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

  it.effect("Given two first sends, When the deadline of the first passes, Then the second is sent", () => {
    const node: FakeNode.FakeNode = FakeNode.make({
      getGenesisHash: Effect.suspend(() => Effect.as(Effect.sleep("1 second"), node.genesis)).pipe(
        Deadline.enforce("getGenesisHash", "localhost")
      )
    })
    node.onSend = node.land
    return Effect.gen(function* () {
      const first = yield* Effect.fork(Effect.flip(Deadline.within("100 millis")(send())))
      const second = yield* Effect.fork(Sends.send(2n))
      yield* TestClock.adjust("2 seconds")
      expect(yield* Fiber.join(first)).toMatchObject({ _tag: "RpcError", reason: "Timeout" })
      expect(yield* Fiber.join(second)).toMatchObject({ slot: 100n })
      expect(node.sent).toHaveLength(1)
    }).pipe((use) => Effect.flatMap(memory, (store) => journaled(node, store)(use)))
  })

  it.effect("Given an interruption while an entry is recorded, When the store answers, Then no entry is left", () =>
    Effect.gen(function* () {
      const { mayWrite, memoryStore, store } = yield* gated
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
      const { mayWrite, memoryStore, store } = yield* gated
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
