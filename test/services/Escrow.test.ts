import { expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Pod from "../../layers/Pod.js"
import * as Channel from "../../services/Channel.js"
import * as Escrow from "../../services/Escrow.js"
import * as RpcPool from "../../services/RpcPool.js"
import { Wallet } from "../../services/Wallet.js"
import { as, registered } from "../support/agents.js"
import * as Offline from "../support/offline.js"

const channel = Effect.gen(function* () {
  const channels = yield* Channel.Channel
  const { wallet } = yield* registered
  const { address } = yield* channels.create({ name: "paid", feePerMessage: 1000n }).pipe(as(wallet))
  return address
})

layer(Pod.layerTest)("Escrow", (it) => {
  it.effect("Given a deposit, When more is deposited and some withdrawn, Then the escrow holds the rest", () =>
    Effect.gen(function* () {
      const escrows = yield* Escrow.Escrow
      const rpc = yield* RpcPool.RpcPool
      const address = yield* channel
      const { wallet } = yield* registered
      const receipt = yield* escrows.deposit(address, 10_000n).pipe(as(wallet))
      yield* escrows.deposit(address, 5000n).pipe(as(wallet))
      const before = (yield* rpc.getBalance(wallet.address)).value
      const withdrawn = yield* escrows.withdraw(address, 4000n).pipe(as(wallet))
      expect((yield* rpc.getBalance(wallet.address)).value).toBe(before + 4000n - withdrawn.fee)

      const escrow = yield* escrows.get(address, wallet.address)
      expect(escrow.address).toBe(receipt.address)
      expect(escrow.account).toMatchObject({ channel: address, depositor: wallet.address, amount: 11_000n })
    })
  )

  it.effect("Given an escrow, When more is withdrawn than it holds, Then it fails with InsufficientFunds", () =>
    Effect.gen(function* () {
      const escrows = yield* Escrow.Escrow
      const address = yield* channel
      const { wallet } = yield* registered
      yield* escrows.deposit(address, 10n).pipe(as(wallet))
      expect(yield* escrows.withdraw(address, 11n).pipe(as(wallet), Effect.flip)).toMatchObject({
        _tag: "ProgramError",
        reason: "InsufficientFunds"
      })
    })
  )

  it.effect(
    "Given no deposit, When the escrow is read or withdrawn, Then it fails with AccountNotFound or AccountNotInitialized",
    () =>
      Effect.gen(function* () {
        const escrows = yield* Escrow.Escrow
        const address = yield* channel
        const { wallet } = yield* registered
        expect(yield* Effect.flip(escrows.get(address, wallet.address))).toMatchObject({
          _tag: "AccountNotFound",
          account: "EscrowAccount"
        })
        expect(yield* escrows.withdraw(address, 1n).pipe(as(wallet), Effect.flip)).toMatchObject({
          _tag: "ProgramError",
          reason: "AccountNotInitialized"
        })
      })
  )

  it.effect(
    "Given more lamports than the wallet has, When they are deposited, Then it fails with InsufficientFunds",
    () =>
      Effect.gen(function* () {
        const escrows = yield* Escrow.Escrow
        const address = yield* channel
        const { wallet } = yield* registered
        expect(yield* escrows.deposit(address, 10_000_000_000n).pipe(as(wallet), Effect.flip)).toMatchObject({
          _tag: "ProgramError",
          reason: "InsufficientFunds"
        })
      })
  )
})

layer(Offline.layer)("Escrow without a network", (it) => {
  it.effect(
    "Given an amount out of range, When it is deposited or withdrawn, Then InvalidInput comes before any call",
    () =>
      Effect.gen(function* () {
        const escrows = yield* Escrow.Escrow
        const wallet = yield* Wallet
        const calls = [
          escrows.deposit(wallet.address, 0n),
          escrows.deposit(wallet.address, 10_000_000_001n),
          escrows.withdraw(wallet.address, -1n),
          escrows.withdraw(wallet.address, 2n ** 64n)
        ]
        for (const call of calls) {
          expect(yield* call.pipe(as(wallet), Effect.flip)).toMatchObject({ _tag: "InvalidInput", field: "amount" })
        }
        expect(yield* Offline.rpcCalls).toBe(0)
      })
  )
})
