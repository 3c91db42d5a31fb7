/** Sends instructions of the program for the public services. A refusal of the program fails with its `ProgramError`. */
import type { Address, Instruction } from "@solana/kit"
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type { InvalidInput } from "../../src/InvalidInput.js"
import { Cache } from "../Cache.js"
import { extend } from "../internal/hot.js"
import * as Receipts from "../internal/receipts.js"
import type { AccountReceipt, WriteError } from "../ProgramAccount.js"
import {
  type PackedItem,
  type PackedOptions,
  type Receipt,
  type SendError,
  type SendOptions,
  Transactions
} from "../Transactions.js"
import type { Wallet } from "../Wallet.js"

export interface Submit {
  /** Sends instructions and returns the receipt of their transaction. */
  readonly plain: (
    instructions: ReadonlyArray<Instruction>,
    options?: SendOptions
  ) => Effect.Effect<Receipt, WriteError, Wallet>
  /**
   * As `plain`. The receipt has the address of an account that the instructions change, or that another writer may
   * create too.
   */
  readonly account: (
    address: Address,
    instructions: ReadonlyArray<Instruction>,
    options?: SendOptions
  ) => Effect.Effect<AccountReceipt, WriteError, Wallet>
  /**
   * As `account`, for an account that nobody else creates. So its existence proves that a send with unknown outcome
   * landed.
   */
  readonly create: Submit["account"]
  /** As `create`, with a receipt made by `receiptOf`. */
  readonly createAs: <A>(
    address: Address,
    instructions: ReadonlyArray<Instruction>,
    options: SendOptions | undefined,
    receiptOf: (receipt: Receipt) => A,
    /** Called when the send fails, with its error; `undefined` after a defect or an interruption. */
    onFailure?: (error: WriteError | undefined) => void
  ) => Effect.Effect<A, WriteError, Wallet>
  /** As `create`, for many items that each create an account. Returns one outcome per item, in order. */
  readonly packed: (
    items: ReadonlyArray<PackedItem & { readonly creates: Address }>,
    options?: PackedOptions
  ) => Effect.Effect<ReadonlyArray<Either.Either<AccountReceipt, WriteError>>, InvalidInput, Wallet>
}

/** Replaces a transaction error by the program's error, if the program refused the transaction. */
const refusal = (error: SendError): WriteError =>
  error._tag === "TransactionError" ? (error.programError ?? error) : error

const located =
  (address: Address) =>
  ({ fee, signature, slot }: Receipt): AccountReceipt =>
    new Receipts.AccountReceipt(signature, slot, fee, address)

/** The bit of an account's role. */
const WRITABLE = 1

/** The accounts that instructions may change. */
const writable = (instructions: ReadonlyArray<Instruction>): ReadonlyArray<Address> => {
  const addresses = new Set<Address>()
  for (const { accounts = [] } of instructions) {
    for (const { address, role } of accounts) if ((role & WRITABLE) !== 0) addresses.add(address)
  }
  return [...addresses]
}

/** Wraps the sends so that the cache learns of the changed accounts before the sender gets the outcome. */
const fenced = (
  transactions: Transactions["Type"],
  cache: Cache["Type"]
): Pick<Transactions["Type"], "send" | "sendPacked"> => {
  const landed = (instructions: ReadonlyArray<Instruction>, slot: bigint) =>
    Effect.orDie(cache.fence(writable(instructions), slot))
  /** A failed or interrupted send may still land, so its accounts are invalidated. */
  const mayLand = (instructions: ReadonlyArray<Instruction>) =>
    Effect.forEach(writable(instructions), (address) => Effect.orDie(cache.invalidate({ address })), { discard: true })
  return {
    send: (instructions, options) =>
      Effect.onExit(transactions.send(instructions, options), (exit) =>
        Exit.isSuccess(exit) ? landed(instructions, exit.value.slot) : mayLand(instructions)
      ),
    sendPacked: (items, options) =>
      Effect.onExit(transactions.sendPacked(items, options), (exit) =>
        Effect.forEach(
          items,
          ({ instructions }, index) => {
            const outcome = Exit.isSuccess(exit) ? exit.value[index] : undefined
            return outcome !== undefined && Either.isRight(outcome)
              ? landed(instructions, outcome.right.slot)
              : mayLand(instructions)
          },
          { discard: true }
        )
      )
  }
}

export const make: Effect.Effect<Submit, never, Transactions> = Effect.gen(function* () {
  const cache = yield* Effect.serviceOption(Cache)
  const plain = yield* Transactions
  const transactions = Option.match(cache, { onNone: () => plain, onSome: (cache) => fenced(plain, cache) })
  const send = <A>(
    instructions: ReadonlyArray<Instruction>,
    options: SendOptions | undefined,
    receiptOf: (receipt: Receipt) => A,
    onFailure?: (error: WriteError | undefined) => void
  ): Effect.Effect<A, WriteError, Wallet> =>
    Effect.matchCauseEffect(transactions.send(instructions, options), {
      onFailure: (cause) => {
        const failure = Cause.map(cause, refusal)
        onFailure?.(Option.getOrUndefined(Cause.failureOption(failure)))
        return Effect.failCause(failure)
      },
      onSuccess: (receipt) => Effect.succeed(receiptOf(receipt))
    })
  const createAs: Submit["createAs"] = (address, instructions, options, receiptOf, onFailure) =>
    send(
      instructions,
      options === undefined ? { creates: address } : extend(options, { creates: address }),
      receiptOf,
      onFailure
    )
  return {
    plain: (instructions, options) => Effect.mapError(transactions.send(instructions, options), refusal),
    account: (address, instructions, options) => send(instructions, options, located(address)),
    create: (address, instructions, options) => createAs(address, instructions, options, located(address)),
    createAs,
    packed: (items, options) =>
      Effect.map(transactions.sendPacked(items, options), (outcomes) =>
        Arr.zipWith(items, outcomes, ({ creates }, outcome) =>
          Either.mapBoth(outcome, { onLeft: refusal, onRight: located(creates) })
        )
      )
  }
})
