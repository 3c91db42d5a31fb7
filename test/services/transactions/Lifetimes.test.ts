import * as KeyValueStore from "@effect/platform/KeyValueStore"
import { describe, expect, it } from "@effect/vitest"
import * as Kit from "@solana/kit"
import type { Blockhash } from "@solana/kit"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Journal from "../../../services/Journal.js"
import * as RpcPool from "../../../services/RpcPool.js"
import { RpcError } from "../../../services/RpcTransport.js"
import * as Transactions from "../../../services/Transactions.js"
import { Wallet } from "../../../services/Wallet.js"
import * as Addresses from "../../../src/solana/Address.js"
import * as FakeNode from "../../support/fakeNode.js"
import * as Nonces from "../../support/nonces.js"
import { STRANGER, transfer, walletOf } from "../../support/transfers.js"

const ACCOUNT = Addresses.fromBytes(new Uint8Array(32).fill(77))
const durableNonce = { account: ACCOUNT }

const asWallet = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.flatMap(walletOf(161), (wallet) => Effect.provideService(effect, Wallet, wallet))

const instructions = Effect.map(walletOf(161), (wallet) => [transfer(wallet.address, STRANGER, 1n)])

const sign = (options?: Transactions.SignOptions) =>
  Effect.gen(function* () {
    const transactions = yield* Transactions.Transactions
    return yield* asWallet(transactions.sign(yield* instructions, options))
  })

const send = (options?: Transactions.SendOptions) =>
  Effect.gen(function* () {
    const transactions = yield* Transactions.Transactions
    return yield* asWallet(transactions.send(yield* instructions, options))
  })

const resume = (...args: Parameters<Transactions.Service["resume"]>) =>
  Effect.flatMap(Transactions.Transactions, (transactions) => transactions.resume(...args))

const over = (node: FakeNode.FakeNode) => Effect.provide(Layer.provideMerge(Transactions.layer(), node.layer))

const journaled = (node: FakeNode.FakeNode, store: KeyValueStore.KeyValueStore) =>
  Effect.provide(
    Transactions.layer().pipe(
      Layer.provideMerge(Journal.layerKeyValueStore()),
      Layer.provide(Layer.succeed(KeyValueStore.KeyValueStore, store)),
      Layer.provideMerge(node.layer)
    )
  )

const memory = Effect.provide(KeyValueStore.KeyValueStore, KeyValueStore.layerMemory)

const recovered = Effect.flatMap(Transactions.Transactions, ({ recover }) =>
  Effect.map(Stream.runCollect(recover), Chunk.toReadonlyArray)
)

const settle = Effect.repeatN(Effect.yieldNow(), 300)

/** Lets so many slots pass, and the time that the tracker needs to see it. */
const pass = (node: FakeNode.FakeNode, slots: bigint) =>
  Effect.suspend(() => {
    node.slot += slots
    node.blockHeight += slots
    node.blockhash += 1
    return TestClock.adjust("3 seconds")
  })

const outcome = <A, E, R>(node: FakeNode.FakeNode, slots: bigint, effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(Effect.either(effect))
    yield* settle
    yield* pass(node, slots)
    return yield* Fiber.join(fiber)
  })

/** What banks say of the nonce account: its nonce, or nothing. */
interface Banks {
  confirmed: Blockhash | undefined
  finalized: Blockhash | undefined
  /** By how many slots the finalized bank is older. */
  behind: bigint
}

const accountWith = (nonce: Blockhash | undefined) =>
  Effect.map(walletOf(161), ({ address: authority }) =>
    Option.map(Option.fromNullable(nonce), (nonce) => Nonces.accountOf(ACCOUNT, { authority, nonce }))
  )

const withNonce = (banks: Banks, overrides: Partial<RpcPool.Service> = {}): FakeNode.FakeNode => {
  const node: FakeNode.FakeNode = FakeNode.make({
    getAccountInfo: (_, options) =>
      options?.commitment === "confirmed"
        ? Effect.map(accountWith(banks.confirmed), (value) => ({ slot: node.slot, value }))
        : Effect.dieMessage("signs with what is not confirmed"),
    getMultipleAccounts: (addresses, options) => {
      const isFinal = options?.commitment === "finalized"
      return Effect.map(accountWith(isFinal ? banks.finalized : banks.confirmed), (value) => ({
        slot: isFinal ? node.slot - banks.behind : node.slot,
        value: addresses.map(() => value)
      }))
    },
    ...overrides
  })
  return node
}

const [first, second, third] = [FakeNode.blockhashOf(201), FakeNode.blockhashOf(202), FakeNode.blockhashOf(203)]

const holding = (nonce: Blockhash): Banks => ({ confirmed: nonce, finalized: nonce, behind: 32n })

describe("Transactions: old ones", () => {
  it.effect(
    "Given a recently signed transaction, When it expires, Then no node is asked where the ledger begins",
    () => {
      const node = FakeNode.make({ getLedgerStatuses: () => Effect.dieMessage("an extra call") })
      return Effect.gen(function* () {
        expect(yield* outcome(node, 200n, send())).toMatchObject(Either.left({ reason: "Expired" }))
      }).pipe(over(node))
    }
  )

  for (const [firstSlot, reason] of [
    [0n, "Expired"],
    [100n, "Expired"],
    [101n, "Unconfirmed"],
    [1000n, "Unconfirmed"]
  ] as const) {
    it.effect(
      `Given a ledger from slot ${firstSlot} on, When a transaction of slot 100 is not found, Then it is ${reason}`,
      () => {
        const node = FakeNode.make()
        node.firstSlot = firstSlot
        return Effect.gen(function* () {
          const signed = yield* sign()
          expect(signed.minContextSlot).toBe(100n)
          const error = yield* Effect.flip(yield* outcome(node, 2000n, resume(signed)))
          expect(error).toMatchObject({ reason, signed, isRetryable: reason === "Expired" })
          if (reason === "Unconfirmed") expect(error.message).toContain(`slot ${firstSlot}`)
        }).pipe(over(node))
      }
    )
  }

  for (const [firstSlot, reason] of [
    [0n, "Expired"],
    [1n, "Unconfirmed"]
  ] as const) {
    it.effect(
      `Given only bytes and a ledger from slot ${firstSlot} on, When they are not found, Then it is ${reason}`,
      () => {
        const node = FakeNode.make()
        node.firstSlot = firstSlot
        return Effect.gen(function* () {
          const { wire } = yield* sign()
          expect(yield* outcome(node, 200n, resume(wire))).toMatchObject(Either.left({ reason }))
        }).pipe(over(node))
      }
    )
  }

  it.effect("Given a transaction that landed long ago, When the ledger has it, Then there is a receipt", () => {
    const node = FakeNode.make()
    node.firstSlot = 1000n
    return Effect.gen(function* () {
      const signed = yield* sign()
      node.archived.set(signed.signature, FakeNode.statusOf(150n, "finalized"))
      expect(yield* outcome(node, 2000n, resume(signed))).toMatchObject(Either.right({ slot: 150n }))
    }).pipe(over(node))
  })

  it.effect(
    "Given an old journal, When the ledger begins later, Then the entry stays until a node with the whole ledger answers",
    () =>
      Effect.gen(function* () {
        const store = yield* memory
        const node = FakeNode.make()
        yield* Effect.gen(function* () {
          const fiber = yield* Effect.fork(send({ creates: STRANGER }))
          yield* settle
          yield* Fiber.interrupt(fiber)
        }).pipe(journaled(node, store))
        node.firstSlot = 1500n
        for (const [firstSlot, reason, left] of [
          [1500n, "Unconfirmed", 1],
          [0n, "Expired", 0]
        ] as const) {
          node.firstSlot = firstSlot
          yield* pass(node, 1000n)
          const recovery = yield* Effect.flatMap(Effect.fork(recovered), (fiber) =>
            Effect.zipRight(TestClock.adjust("3 seconds"), Fiber.join(fiber))
          ).pipe(journaled(node, store))
          expect(recovery).toMatchObject([{ outcome: Either.left({ reason }) }])
          expect(yield* store.size).toBe(left)
        }
      })
  )

  it.effect(
    "Given an array without valid answers, When it is read, Then no transaction is Expired until valid answers come",
    () => {
      const answers: Array<ReturnType<RpcPool.Service["batch"]>> = [
        Effect.succeed([]),
        Effect.succeed([Either.right({ context: { slot: 9000 }, value: [] }), Either.right(0)]),
        Effect.succeed([Either.right({ context: { slot: 9000 }, value: [null] }), Either.right("none")]),
        Effect.fail(new RpcError({ reason: "Timeout", method: "batch", detail: "no reply" })),
        Effect.succeed([Either.right({ context: { slot: 9 }, value: [null] }), Either.right(0)]),
        Effect.succeed([Either.right({ context: { slot: 9000 }, value: [null] }), Either.right(0)])
      ]
      const { getLedgerStatuses } = RpcPool.make({
        host: "node.test",
        request: () => Effect.dieMessage("asked apart"),
        batch: () => answers.shift() ?? Effect.dieMessage("asked again"),
        subscribe: () => Stream.empty
      })
      const node = FakeNode.make({ getLedgerStatuses })
      return Effect.gen(function* () {
        const signed = yield* sign()
        yield* pass(node, 2000n)
        const fiber = yield* Effect.fork(Effect.either(resume(signed)))
        while (answers.length > 0) {
          expect(Option.isNone(yield* Fiber.poll(fiber))).toBe(true)
          yield* TestClock.adjust("400 millis")
          yield* settle
        }
        expect(yield* Fiber.join(fiber)).toMatchObject(Either.left({ reason: "Expired" }))
      }).pipe(over(node))
    }
  )
})

describe("Transactions: lifetimes written down", () => {
  const Stored = Schema.parseJson(Journal.JournalEntry)

  it.effect("Given an entry of a version without nonces, When it is read, Then its fields are unchanged", () =>
    Effect.gen(function* () {
      const signed = yield* sign().pipe(over(FakeNode.make()))
      const text = yield* Schema.encode(Stored)(Journal.JournalEntry.make({ signed, creates: [] }))
      // As it was written: nothing but these two.
      expect(JSON.parse(text)).toMatchObject({
        signed: { lifetime: { blockhash: FakeNode.blockhashOf(1), lastValidBlockHeight: "240" } }
      })
      expect((yield* Schema.decode(Stored)(text)).signed).toStrictEqual(signed)
    })
  )

  it.effect("Given a nonce, When it is recorded and read, Then it is the same", () =>
    Effect.gen(function* () {
      const signed = yield* sign({ durableNonce }).pipe(over(withNonce(holding(first))))
      expect(signed.lifetime).toStrictEqual({ nonce: first, account: ACCOUNT })
      const entry = Journal.JournalEntry.make({ signed, creates: [STRANGER] })
      expect(yield* Schema.decode(Stored)(yield* Schema.encode(Stored)(entry))).toStrictEqual(entry)
    })
  )
})

describe("Transactions: nonces as the node tells them", () => {
  it.effect(
    "Given an unused nonce, When heights pass, Then the transaction is resent until the deadline and is Unconfirmed",
    () => {
      const node = withNonce(holding(first))
      return Effect.gen(function* () {
        const fiber = yield* Effect.fork(Effect.flip(send({ durableNonce, timeout: "1 minute" })))
        for (let minutes = 0; minutes < 4; minutes++) {
          yield* settle
          yield* pass(node, 200n)
          yield* TestClock.adjust("12 seconds")
        }
        expect(yield* Fiber.join(fiber)).toMatchObject({ reason: "Unconfirmed" })
        expect(node.sent.length).toBeGreaterThan(15)
        node.onSend = node.land
        const error = yield* Fiber.join(fiber)
        if (!(error instanceof Transactions.TransactionError)) return expect.fail()
        expect(yield* resume(error)).toMatchObject({ slot: node.slot })
      }).pipe(over(node))
    }
  )

  it.effect("Given a finalized bank older than the nonce, When it is read, Then no transaction expires", () => {
    // It was advanced of late: what is finalized still has the nonce of before.
    const banks: Banks = { confirmed: second, finalized: first, behind: 32n }
    const node = withNonce(banks)
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(Effect.flip(send({ durableNonce })))
      yield* settle
      for (const slots of [10n, 10n, 11n]) {
        yield* pass(node, slots)
        expect(Option.isNone(yield* Fiber.poll(fiber))).toBe(true)
      }
      banks.finalized = second
      yield* pass(node, 300n)
      expect(Option.isNone(yield* Fiber.poll(fiber))).toBe(true)
      banks.finalized = banks.confirmed = third
      yield* pass(node, 1n)
      expect(yield* Fiber.join(fiber)).toMatchObject({ reason: "Expired" })
    }).pipe(over(node))
  })

  it.effect("Given any version, When it is signed, Then its message is the one that Kit compiles for a nonce", () =>
    Effect.gen(function* () {
      const { address } = yield* walletOf(161)
      for (const version of ["legacy", 0] as const) {
        const { wire } = yield* sign({ durableNonce, version }).pipe(over(withNonce(holding(first))))
        const lifetime = {
          // Kit has no constructor for its brand.
          nonce: first as string as Kit.Nonce,
          nonceAccountAddress: ACCOUNT,
          nonceAuthorityAddress: address
        }
        const message = Kit.pipe(
          Kit.createTransactionMessage({ version }),
          (message) => Kit.setTransactionMessageFeePayer(address, message),
          (message) => Kit.setTransactionMessageLifetimeUsingDurableNonce(lifetime, message),
          (message) => Kit.appendTransactionMessageInstruction(transfer(address, STRANGER, 1n), message)
        )
        const compiled = Kit.getCompiledTransactionMessageEncoder().encode(Kit.compileTransactionMessage(message))
        expect(wire.subarray(65)).toStrictEqual(Uint8Array.from(compiled))
      }
    })
  )

  it.effect(
    "Given a transaction that lands at once, When it is confirmed, Then accounts were read for signing only",
    () => {
      const node = withNonce(holding(first), { getMultipleAccounts: () => Effect.dieMessage("an extra call") })
      node.onSend = node.land
      return Effect.gen(function* () {
        expect(yield* send({ durableNonce })).toMatchObject({ slot: 100n, fee: 5000n })
        expect(yield* RpcPool.calls("getAccountInfo")).toBe(1)
        expect(yield* RpcPool.calls("getEpochInfo")).toBe(0)
        expect(yield* RpcPool.calls("getLatestBlockhash")).toBe(0)
      }).pipe(over(node))
    }
  )

  it.effect("Given a node that lags behind a use, When the next is signed, Then it waits for the new nonce", () => {
    const banks = holding(first)
    const node = withNonce(banks)
    node.onSend = node.land
    return Effect.gen(function* () {
      yield* send({ durableNonce })
      const fiber = yield* Effect.fork(send({ durableNonce }))
      yield* TestClock.adjust("2 seconds")
      expect(node.sent).toHaveLength(1)
      banks.confirmed = second
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(fiber)
      expect(node.sent).toHaveLength(2)
      // A node that stands still does not hold the caller for ever.
      const stuck = yield* Effect.fork(Effect.flip(send({ durableNonce })))
      yield* TestClock.adjust("8 seconds")
      expect(yield* Fiber.join(stuck)).toMatchObject({ _tag: "RpcError", reason: "Timeout" })
    }).pipe(over(node))
  })

  it.effect(
    "Given a fork that is dropped after it used the nonce, When the next is signed, Then the nonce is valid again",
    () => {
      const node = withNonce(holding(first))
      node.onSend = (signature) => node.land(signature, "processed")
      return Effect.gen(function* () {
        const options = { durableNonce, commitment: "processed" } as const
        const { signature } = yield* send(options)
        node.forget(signature)
        const fiber = yield* Effect.fork(send(options))
        yield* TestClock.adjust("8 seconds")
        expect(yield* Fiber.join(fiber)).toMatchObject({ signature })
      }).pipe(over(node))
    }
  )

  it.effect(
    "Given a send of unknown outcome, When it is sent again and refused, Then it is not reported as failed",
    () => {
      const data = { err: { InstructionError: [1, { Custom: 1 }] }, logs: [] }
      const refusal = new RpcError({ reason: "Node", method: "sendTransaction", code: -32002, detail: "poor", data })
      let refuses = false
      const node: FakeNode.FakeNode = withNonce(holding(first), {
        sendTransaction: (wire, options) =>
          Effect.suspend(() => {
            node.sent.push({ wire, options })
            return refuses && options?.skipPreflight !== true
              ? Effect.fail(refusal)
              : Effect.succeed(FakeNode.signatureOf(wire))
          })
      })
      return Effect.gen(function* () {
        const short = yield* Effect.fork(Effect.flip(send({ durableNonce, timeout: "1 second" })))
        yield* TestClock.adjust("1 second")
        expect(yield* Fiber.join(short)).toMatchObject({ reason: "Unconfirmed" })
        // The same instructions and the same nonce are the same bytes, and those are out.
        refuses = true
        const fiber = yield* Effect.fork(send({ durableNonce }))
        yield* TestClock.adjust("3 seconds")
        expect(Option.isNone(yield* Fiber.poll(fiber))).toBe(true)
        const signatures = new Set(node.sent.map(({ wire }) => FakeNode.signatureOf(wire)))
        expect(signatures.size).toBe(1)
        for (const signature of signatures) node.land(signature)
        yield* TestClock.adjust("3 seconds")
        expect(yield* Fiber.join(fiber)).toMatchObject({ slot: 100n })
      }).pipe(over(node))
    }
  )

  it.effect("Given a process that dies in flight, When the next recovers, Then it lands, or expires by its nonce", () =>
    Effect.gen(function* () {
      for (const isStolen of [false, true]) {
        const store = yield* memory
        const dying = withNonce(holding(first))
        yield* Effect.gen(function* () {
          const fiber = yield* Effect.fork(send({ durableNonce, creates: STRANGER }))
          yield* settle
          yield* Fiber.interrupt(fiber)
        }).pipe(journaled(dying, store))
        const node = withNonce(holding(isStolen ? second : first))
        if (!isStolen) node.onSend = node.land
        node.slot = node.blockHeight = 5000n
        const [recovery] = yield* Effect.flatMap(Effect.fork(recovered), (fiber) =>
          Effect.zipRight(TestClock.adjust("3 seconds"), Fiber.join(fiber))
        ).pipe(journaled(node, store))
        expect(node.sent[0]?.wire).toStrictEqual(dying.sent[0]?.wire)
        expect(recovery?.outcome).toMatchObject(
          isStolen ? Either.left({ reason: "Expired" }) : Either.right({ slot: 5000n })
        )
        expect(yield* store.size).toBe(0)
      }
    })
  )
})
