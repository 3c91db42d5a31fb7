import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Transactions from "../../services/Transactions.js"
import { Wallet } from "../../services/Wallet.js"
import * as FakeNode from "./fakeNode.js"
import { STRANGER, transfer, walletOf } from "./transfers.js"

/** Sends a transfer of this amount from one wallet. */
export const send = (amount: bigint, options?: Transactions.SendOptions) =>
  Effect.gen(function* () {
    const transactions = yield* Transactions.Transactions
    const wallet = yield* walletOf(51)
    const instructions = [transfer(wallet.address, STRANGER, amount)]
    return yield* Effect.provideService(transactions.send(instructions, options), Wallet, wallet)
  })

/** Signs a transfer from the same wallet, without sending it. */
export const sign = Effect.gen(function* () {
  const transactions = yield* Transactions.Transactions
  const wallet = yield* walletOf(51)
  return yield* Effect.provideService(transactions.sign([transfer(wallet.address, STRANGER, 1n)]), Wallet, wallet)
})

/** Provides `Transactions` over this node. */
export const over = (node: FakeNode.FakeNode, options?: Transactions.Options) =>
  Effect.provide(Layer.provideMerge(Transactions.layer(options), node.layer))

/** The signatures that the node received, without repetitions. */
export const sentSignatures = (node: FakeNode.FakeNode) => [
  ...new Set(node.sent.map(({ wire }) => FakeNode.signatureOf(wire)))
]
