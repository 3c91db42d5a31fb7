import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import { RpcError } from "../../../services/RpcTransport.js"
import * as Transactions from "../../../services/Transactions.js"
import { summarize } from "../../../services/transport/failures.js"
import { Wallet } from "../../../services/Wallet.js"
import * as FakeNode from "../../support/fakeNode.js"
import { STRANGER, transfer, walletOf } from "../../support/transfers.js"

const failure = (fields: Partial<ConstructorParameters<typeof RpcError>[0]>) =>
  new RpcError({ reason: "Transport", method: "sendTransaction", detail: "no reply", ...fields })

/** Executes the call, and its answer is lost. */
const lost = failure({ reason: "Decode", detail: "not JSON" })
const lagging = failure({ reason: "Node", code: -32016, detail: "minimum context slot has not been reached" })
const refused = failure({
  reason: "Node",
  code: -32002,
  detail: "it failed",
  data: { err: "BlockhashNotFound", logs: [] }
})

describe("Transactions: failures of several endpoints as one", () => {
  it.effect(
    "Given one endpoint that accepted it and one that lags, When the next refuses it, Then it is not reported as failed",
    () => {
      // Given
      const answers = [summarize([lost, lagging]), refused, refused]
      const node: FakeNode.FakeNode = FakeNode.make({
        sendTransaction: (wire) =>
          Effect.suspend(() => {
            const signature = FakeNode.signatureOf(wire)
            const error = answers.shift()
            // The second refusal comes from a node that has seen it land.
            if (answers.length === 0) node.land(signature)
            return error === undefined ? Effect.succeed(signature) : Effect.fail(error)
          })
      })
      return Effect.gen(function* () {
        const transactions = yield* Transactions.Transactions
        const wallet = yield* walletOf(82)
        // When
        const fiber = yield* transactions
          .send([transfer(wallet.address, STRANGER, 1n)])
          .pipe(Effect.provideService(Wallet, wallet), Effect.either, Effect.fork)
        yield* TestClock.adjust("10 seconds")
        // Then
        expect(yield* Fiber.join(fiber)).toMatchObject({ _tag: "Right", right: { slot: 100n } })
      }).pipe(Effect.provide(Layer.provideMerge(Transactions.layer(), node.layer)))
    }
  )
})
