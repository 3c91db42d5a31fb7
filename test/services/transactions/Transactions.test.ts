import { describe, expect, it } from "@effect/vitest"
import * as Kit from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import * as RpcPool from "../../../services/RpcPool.js"
import { RpcError } from "../../../services/RpcTransport.js"
import * as Transactions from "../../../services/Transactions.js"
import { Wallet } from "../../../services/Wallet.js"
import * as Wire from "../../../src/solana/Wire.js"
import * as FakeNode from "../../support/fakeNode.js"
import { over } from "../../support/sends.js"
import { STRANGER, transfer, walletOf } from "../../support/transfers.js"

const send = (seed: number, amount: bigint, options?: Transactions.SendOptions) =>
  Effect.gen(function* () {
    const transactions = yield* Transactions.Transactions
    const wallet = yield* walletOf(seed)
    return yield* Effect.provideService(
      transactions.send([transfer(wallet.address, STRANGER, amount)], options),
      Wallet,
      wallet
    )
  })

const settle = Effect.yieldNow().pipe(Effect.repeatN(200))

const timedOut = new RpcError({ reason: "Timeout", method: "sendTransaction", detail: "no reply" })

const preflightFailure = (err: unknown, logs: ReadonlyArray<string> = []) =>
  new RpcError({ reason: "Node", method: "sendTransaction", code: -32002, detail: "it failed", data: { err, logs } })

describe("Transactions: sending", () => {
  it.effect(
    "Given a node that lands transactions, When instructions are sent, Then the receipt has the slot and the fee",
    () => {
      const node = FakeNode.make()
      node.onSend = node.land
      return Effect.gen(function* () {
        const receipt = yield* send(1, 5n)
        const [sent] = node.sent
        expect(receipt).toStrictEqual({
          signature: FakeNode.signatureOf(sent?.wire ?? new Uint8Array()),
          slot: 100n,
          fee: 5000n
        })
        expect(sent?.options).toMatchObject({ skipPreflight: false, maxRetries: 0, minContextSlot: 100n })
      }).pipe(over(node))
    }
  )

  for (const version of ["legacy", 0] as const) {
    it.effect(`Given version ${version}, When instructions are sent, Then the wire equals Kit's byte for byte`, () => {
      const node = FakeNode.make()
      node.onSend = node.land
      return Effect.gen(function* () {
        // Given
        const transactions = yield* Transactions.Transactions
        const [payer, other] = [yield* walletOf(2), yield* walletOf(3)]
        const instructions = [transfer(payer.address, STRANGER, 7n), transfer(other.address, STRANGER, 8n)]
        // When
        const receipt = yield* transactions
          .send(instructions, { version, signers: [other] })
          .pipe(Effect.provideService(Wallet, payer))
        // Then
        const kits = yield* Effect.promise(async () => {
          const lifetime = { blockhash: FakeNode.blockhashOf(1), lastValidBlockHeight: 240n }
          const signers = await Promise.all(
            [2, 3].map((seed) => Kit.createKeyPairSignerFromPrivateKeyBytes(new Uint8Array(32).fill(seed)))
          )
          const message = Kit.pipe(
            Kit.createTransactionMessage({ version }),
            (message) => Kit.setTransactionMessageFeePayer(payer.address, message),
            (message) => Kit.setTransactionMessageLifetimeUsingBlockhash(lifetime, message),
            (message) => Kit.appendTransactionMessageInstructions(instructions, message)
          )
          const compiled = Kit.compileTransaction(message)
          return Kit.getTransactionEncoder().encode(
            await Kit.signTransaction(
              signers.map(({ keyPair }) => keyPair),
              compiled
            )
          )
        })
        expect(node.sent[0]?.wire).toStrictEqual(new Uint8Array(kits))
        expect(receipt.fee).toBe(10_000n)
      }).pipe(over(node))
    })
  }

  it.effect(
    "Given a compute limit and price, When a transaction is sent, Then the message sets them last and the fee includes them",
    () => {
      const node = FakeNode.make()
      node.onSend = node.land
      return Effect.gen(function* () {
        const receipt = yield* send(4, 1n, { computeUnitLimit: 300_000, computeUnitPrice: 2_500_001n })
        const { message } = yield* Wire.decode(node.sent[0]?.wire ?? new Uint8Array())
        const data = message.instructions.map((instruction) => Buffer.from(instruction.data).toString("hex"))
        expect(data.slice(1)).toStrictEqual(["02e0930400", "03a125260000000000"])
        expect(message.staticAccounts[message.instructions[1]?.programIndex ?? 0]).toBe(
          "ComputeBudget111111111111111111111111111111"
        )
        // 300,000 × 2.500001 lamports are 750,000.3, rounded up.
        expect(receipt.fee).toBe(5000n + 750_001n)
      }).pipe(over(node))
    }
  )

  it.effect("Given a sponsor, When it pays the fee, Then it signs first and the wallet signs its instruction", () => {
    const node = FakeNode.make()
    node.onSend = node.land
    return Effect.gen(function* () {
      const sponsor = yield* walletOf(6)
      yield* send(5, 1n, { feePayer: sponsor })
      const { message, signatures } = yield* Wire.decode(node.sent[0]?.wire ?? new Uint8Array())
      expect(message.staticAccounts.slice(0, 2)).toStrictEqual([sponsor.address, (yield* walletOf(5)).address])
      expect(signatures).toHaveLength(2)
    }).pipe(over(node))
  })

  it.effect("Given the same instructions twice, When both are sent at once, Then they are two transactions", () => {
    const node = FakeNode.make()
    node.onSend = node.land
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(Effect.all([send(7, 1n), send(7, 1n)], { concurrency: 2 }))
      yield* settle
      expect(node.sent).toHaveLength(1)
      node.blockhash = 2
      yield* TestClock.adjust("400 millis")
      const [first, second] = yield* Fiber.join(fiber)
      expect(first.signature).not.toBe(second.signature)
      expect(node.sent).toHaveLength(2)
    }).pipe(over(node))
  })

  it.effect(
    "Given a cluster without new blocks, When the same instructions are sent twice, Then the second fails with a typed error",
    () => {
      const node = FakeNode.make()
      node.onSend = node.land
      return Effect.gen(function* () {
        yield* send(8, 1n)
        const fiber = yield* Effect.fork(Effect.flip(send(8, 1n)))
        yield* TestClock.adjust("8 seconds")
        expect(yield* Fiber.join(fiber)).toMatchObject({
          _tag: "RpcError",
          reason: "Timeout",
          method: "getLatestBlockhash"
        })
      }).pipe(over(node))
    }
  )
})

describe("Transactions: outcomes", () => {
  it.effect(
    "Given a preflight that fails, When a transaction is sent, Then it is Simulation with logs and the program's error",
    () => {
      const logs = [
        "Program 11111111111111111111111111111111 invoke [1]",
        "Transfer: insufficient lamports 0, need 1",
        "Program 11111111111111111111111111111111 failed: custom program error: 0x1"
      ]
      const err = { InstructionError: [0, { Custom: 1 }] }
      const node = FakeNode.make({ sendTransaction: () => Effect.fail(preflightFailure(err, logs)) })
      return Effect.gen(function* () {
        const error = yield* Effect.flip(send(10, 1n))
        expect(error).toMatchObject({ _tag: "TransactionError", reason: "Simulation", err, logs, isRetryable: false })
        expect(error).toMatchObject({ programError: { code: 1, instructionIndex: 0 }, mayHaveLanded: true })
        // One node has refused it, and one look-up has not found it.
        expect(node.statusCalls).toHaveLength(1)
      }).pipe(over(node))
    }
  )

  it.effect(
    "Given no preflight, When a transaction lands and fails, Then it is Rejected with the logs of the chain",
    () => {
      const err = { InstructionError: [0, { Custom: 1 }] }
      const logs = ["Program 11111111111111111111111111111111 failed: custom program error: 0x1"]
      const node = FakeNode.make({
        getTransaction: () =>
          Effect.succeed(Option.some(FakeNode.confirmedOf(node.sent[0]?.wire ?? new Uint8Array(), err, logs)))
      })
      node.onSend = (signature) => node.land(signature, "confirmed", err)
      return Effect.gen(function* () {
        const error = yield* Effect.flip(send(11, 1n, { preflight: false }))
        expect(error).toMatchObject({ reason: "Rejected", err, logs, slot: 100n, isRetryable: false })
        expect(error).toMatchObject({ signature: FakeNode.signatureOf(node.sent[0]?.wire ?? new Uint8Array()) })
        expect(node.sent[0]?.options?.skipPreflight).toBe(true)
      }).pipe(over(node))
    }
  )

  it.effect("Given a failure whose logs cannot be read, When it is reported, Then it is Rejected", () => {
    const node = FakeNode.make({ getTransaction: () => Effect.fail(timedOut) })
    node.onSend = (signature) => node.land(signature, "confirmed", "AccountInUse")
    return Effect.gen(function* () {
      expect(yield* Effect.flip(send(12, 1n))).toMatchObject({ reason: "Rejected", err: "AccountInUse", logs: [] })
    }).pipe(over(node))
  })

  it.effect(
    "Given a transaction that is lost, When the block height passes, Then it is Expired after a last look-up",
    () => {
      const node = FakeNode.make()
      return Effect.gen(function* () {
        const fiber = yield* Effect.fork(Effect.flip(send(13, 1n)))
        yield* TestClock.adjust("10 seconds")
        ;[node.slot, node.blockHeight] = [250n, 240n]
        yield* TestClock.adjust("1 second")
        expect(Option.isNone(yield* Fiber.poll(fiber))).toBe(true)
        ;[node.slot, node.blockHeight] = [251n, 241n]
        yield* TestClock.adjust("1 second")
        expect(yield* Fiber.join(fiber)).toMatchObject({ reason: "Expired", isRetryable: true })
        expect(node.statusCalls.at(-1)?.history).toBe(true)
        // The height is asked for at the first look-up, and again when the slots leave room for an expiry.
        expect(yield* RpcPool.calls("getEpochInfo")).toBeLessThanOrEqual(5)
      }).pipe(over(node))
    }
  )

  it.effect(
    "Given a status that only the history has, When the height has passed, Then there is a receipt instead of Expired",
    () => {
      const node = FakeNode.make()
      return Effect.gen(function* () {
        node.onSend = (signature) => node.archived.set(signature, FakeNode.statusOf(101n, "finalized"))
        const fiber = yield* Effect.fork(send(14, 1n))
        yield* TestClock.adjust("1 second")
        ;[node.slot, node.blockHeight] = [400n, 390n]
        yield* TestClock.adjust("1 second")
        expect(yield* Fiber.join(fiber)).toMatchObject({ slot: 101n })
      }).pipe(over(node))
    }
  )

  it.effect("Given a status that a fork takes back, When it returns, Then the receipt has the later slot", () => {
    const node = FakeNode.make()
    return Effect.gen(function* () {
      node.onSend = (signature) => node.land(signature, "processed")
      const fiber = yield* Effect.fork(send(15, 1n))
      yield* TestClock.adjust("1 second")
      const signature = FakeNode.signatureOf(node.sent[0]?.wire ?? new Uint8Array())
      node.forget(signature)
      yield* TestClock.adjust("1 second")
      expect(Option.isNone(yield* Fiber.poll(fiber))).toBe(true)
      node.slot = 107n
      node.land(signature, "confirmed")
      yield* TestClock.adjust("1 second")
      expect(yield* Fiber.join(fiber)).toMatchObject({ slot: 107n })
    }).pipe(over(node))
  })

  it.effect("Given a commitment, When a lower one is reached, Then the receipt waits", () => {
    const node = FakeNode.make()
    return Effect.gen(function* () {
      node.onSend = (signature) => node.land(signature, "processed")
      expect(yield* send(16, 1n, { commitment: "processed" })).toMatchObject({ slot: 100n })
      const fiber = yield* Effect.fork(send(16, 2n, { commitment: "finalized" }))
      yield* settle
      const signature = FakeNode.signatureOf(node.sent[1]?.wire ?? new Uint8Array())
      node.land(signature, "confirmed")
      yield* TestClock.adjust("2 seconds")
      expect(Option.isNone(yield* Fiber.poll(fiber))).toBe(true)
      node.land(signature, "finalized")
      yield* TestClock.adjust("1 second")
      expect(yield* Fiber.join(fiber)).toMatchObject({ signature })
    }).pipe(over(node))
  })

  it.effect(
    "Given the caller's deadline, When it comes first, Then Unconfirmed has the transaction to resume, even as JSON",
    () => {
      const node = FakeNode.make()
      return Effect.gen(function* () {
        const fiber = yield* Effect.fork(Effect.flip(send(17, 1n, { timeout: "5 seconds" })))
        yield* TestClock.adjust("5 seconds")
        const error = yield* Fiber.join(fiber)
        expect(error).toMatchObject({ _tag: "TransactionError", reason: "Unconfirmed", isRetryable: false })
        const signed = error instanceof Transactions.TransactionError ? error.signed : undefined
        const json = JSON.stringify(yield* Schema.encodeUnknown(Transactions.SignedTransaction)(signed))
        const resumed = yield* Schema.decodeUnknown(Schema.parseJson(Transactions.SignedTransaction))(json)
        node.onSend = node.land
        const receipt = yield* (yield* Transactions.Transactions).submit(resumed, { preflight: false })
        expect(receipt).toStrictEqual({ signature: resumed.signature, slot: 100n, fee: 5000n })
        expect(node.sent[1]?.wire).toStrictEqual(node.sent[0]?.wire)
      }).pipe(over(node))
    }
  )

  it.effect(
    "Given a request that never ends, When the caller's deadline comes, Then the transaction is Unconfirmed",
    () => {
      const node = FakeNode.make({ sendTransaction: () => Effect.never })
      return Effect.gen(function* () {
        const fiber = yield* Effect.fork(Effect.flip(send(18, 1n, { timeout: "5 seconds" })))
        yield* TestClock.adjust("5 seconds")
        expect(yield* Fiber.join(fiber)).toMatchObject({ reason: "Unconfirmed" })
      }).pipe(over(node))
    }
  )

  it.effect(
    "Given the same bytes again, When the node answers AlreadyProcessed, Then the receipt is that of the first",
    () => {
      const node = FakeNode.make({ sendTransaction: () => Effect.fail(preflightFailure("AlreadyProcessed")) })
      return Effect.gen(function* () {
        const transactions = yield* Transactions.Transactions
        const wallet = yield* walletOf(19)
        const signed = yield* Effect.provideService(
          transactions.sign([transfer(wallet.address, STRANGER, 1n)]),
          Wallet,
          wallet
        )
        node.land(signed.signature)
        expect(yield* transactions.submit(signed)).toMatchObject({ signature: signed.signature, slot: 100n })
      }).pipe(over(node))
    }
  )

  it.effect("Given a send without an answer, When the node knows the signature, Then there is a receipt", () => {
    const node = FakeNode.make({
      sendTransaction: (wire) =>
        Effect.suspend(() => {
          node.land(FakeNode.signatureOf(wire))
          return Effect.fail(timedOut)
        })
    })
    return Effect.gen(function* () {
      expect(yield* send(20, 1n)).toMatchObject({ slot: 100n })
    }).pipe(over(node))
  })

  it.effect(
    "Given a send without an answer and a dead node, When the deadline comes, Then the transaction is Unconfirmed",
    () => {
      const node = FakeNode.make({
        sendTransaction: () => Effect.fail(timedOut),
        getSignatureStatuses: () => Effect.fail(timedOut)
      })
      return Effect.gen(function* () {
        const fiber = yield* Effect.fork(Effect.flip(send(21, 1n)))
        yield* TestClock.adjust("2 minutes")
        expect(yield* Fiber.join(fiber)).toMatchObject({ reason: "Unconfirmed", cause: timedOut })
      }).pipe(over(node))
    }
  )

  const codes = [-32003, -32013, -32015, -32600, -32601, -32602, -32700]

  it.effect("Given a node that refuses a transaction, When a look-up does not find it, Then it may have landed", () =>
    Effect.forEach(codes, (code) => {
      const refusal = new RpcError({ reason: "Node", method: "sendTransaction", code, detail: "no" })
      const node = FakeNode.make({ sendTransaction: () => Effect.fail(refusal) })
      return Effect.gen(function* () {
        const error = yield* Effect.flip(send(22, 1n, { retryExpired: 2 }))
        expect(error).toMatchObject({ reason: "Unconfirmed", mayHaveLanded: true, isRetryable: false, cause: refusal })
        expect(node.statusCalls).toHaveLength(1)
      }).pipe(over(node))
    })
  )

  it.effect(
    "Given a balancer that forwards a transaction and refuses it, When it has landed, Then there is a receipt",
    () =>
      Effect.forEach([...codes, -32002], (code) => {
        const data = code === -32002 ? { err: "InsufficientFundsForFee", logs: [] } : undefined
        const refusal = new RpcError({ reason: "Node", method: "sendTransaction", code, detail: "no", data })
        const node = FakeNode.make({
          sendTransaction: (wire) =>
            Effect.suspend(() => {
              node.land(FakeNode.signatureOf(wire))
              return Effect.fail(refusal)
            })
        })
        return Effect.gen(function* () {
          expect(yield* send(22, 1n, { retryExpired: 2 })).toMatchObject({ slot: 100n })
        }).pipe(over(node))
      })
  )

  it.effect(
    "Given a look-up from before the signing, When the transaction is refused, Then the outcome waits for a newer look-up",
    () => {
      let slot = 99n
      const node = FakeNode.make({
        sendTransaction: () => Effect.fail(preflightFailure("AccountInUse")),
        getSignatureStatuses: (signatures) => Effect.sync(() => ({ slot, value: signatures.map(() => Option.none()) }))
      })
      return Effect.gen(function* () {
        const fiber = yield* Effect.fork(Effect.flip(send(22, 1n)))
        yield* TestClock.adjust("2 seconds")
        expect(Option.isNone(yield* Fiber.poll(fiber))).toBe(true)
        slot = 100n
        yield* TestClock.adjust("1 second")
        expect(yield* Fiber.join(fiber)).toMatchObject({ reason: "Simulation", mayHaveLanded: true })
      }).pipe(over(node))
    }
  )

  it.effect(
    "Given any HTTP status after the bytes were sent, When the transaction has landed, Then there is a receipt",
    () =>
      Effect.forEach([301, 307, 400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 425, 451, 499, 500], (status) => {
        const refusal = new RpcError({ reason: "HttpStatus", method: "sendTransaction", status, detail: "no" })
        const node = FakeNode.make({ sendTransaction: () => Effect.fail(refusal) })
        return Effect.gen(function* () {
          const fiber = yield* Effect.fork(Effect.either(send(22, 1n)))
          yield* TestClock.adjust("3 seconds")
          expect(Option.isNone(yield* Fiber.poll(fiber))).toBe(true)
          for (const { signatures } of node.statusCalls) for (const signature of signatures) node.land(signature)
          yield* TestClock.adjust("3 seconds")
          expect(yield* Fiber.join(fiber)).toMatchObject({ _tag: "Right", right: { slot: 100n } })
        }).pipe(over(node))
      })
  )

  it.effect("Given look-ups that fail for a while, When they succeed again, Then there is a receipt", () => {
    let broken = true
    const node = FakeNode.make()
    const pool = Layer.map(node.layer, (context) => context)
    node.onSend = node.land
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(send(23, 1n))
      yield* TestClock.adjust("2 seconds")
      expect(Option.isNone(yield* Fiber.poll(fiber))).toBe(true)
      broken = false
      yield* TestClock.adjust("1 second")
      expect(Exit.isSuccess(yield* Fiber.await(fiber))).toBe(true)
    }).pipe(
      Effect.provide(
        Transactions.layer().pipe(
          Layer.provide(
            Layer.effect(
              RpcPool.RpcPool,
              Effect.map(RpcPool.RpcPool, (service) => ({
                ...service,
                getSignatureStatuses: (...args: Parameters<RpcPool.Service["getSignatureStatuses"]>) =>
                  broken ? Effect.fail(timedOut) : service.getSignatureStatuses(...args)
              }))
            )
          ),
          Layer.provide(pool)
        )
      )
    )
  })
})
