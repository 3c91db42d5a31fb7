/**
 * Sends items until each has its true outcome. An item lands at most once. It is signed again only if its earlier
 * transaction can no longer land. Before that, an account that an earlier transaction created is recognised.
 */
import type { Address, Signature, Slot } from "@solana/kit"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { ProgramError } from "../../../src/protocol/ProgramError.js"
import { endBy } from "../../internal/endBy.js"
import { extend } from "../../internal/hot.js"
import { annotated } from "../../internal/traced.js"
import type { RpcError } from "../../RpcTransport.js"
import type { SignedTransaction } from "../../SignedTransaction.js"
import type { Service as Wallet } from "../../Wallet.js"
import * as Estimates from "../compile/Estimates.js"
import type { Sign } from "../compile/Signing.js"
import * as UnsignedTransaction from "../compile/UnsignedTransaction.js"
import { unconfirmed } from "../confirm/outcomes.js"
import * as Failure from "../Failure.js"
import type { PackedItem, PackedOptions, Receipt, SendError } from "../Model.js"
import { TransactionError } from "../TransactionError.js"
import * as JournaledSubmit from "./JournaledSubmit.js"
import type { Limited, Submission } from "./Submission.js"

type LimitedOptions = Limited<PackedOptions>

export interface Needs {
  readonly sign: Sign
  readonly estimates: Estimates.Estimates
  readonly submission: Pick<Submission, "goOn" | "left" | "settle" | "submitFirst">
  /**
   * The receipt of the transaction with which the maker created an account, if the account exists at that slot or
   * later.
   */
  readonly findOwn: (
    address: Address,
    maker: Address,
    known: ReadonlyArray<Signature>,
    since?: Slot
  ) => Effect.Effect<Option.Option<Receipt>, RpcError>
}

export type Outcome = Either.Either<Receipt, SendError>

/** Deduplicates signers across items, not within one, so a duplicate is still reported. */
const signersOf = (items: ReadonlyArray<PackedItem>): ReadonlyArray<Wallet> =>
  items.reduce<ReadonlyArray<Wallet>>(
    (all, { signers = [] }) => [...all, ...signers.filter((signer) => !all.includes(signer))],
    []
  )

/** Compiles these items to one transaction. */
const signableOf = (wallet: Wallet, items: ReadonlyArray<PackedItem>, options: LimitedOptions) => {
  const [item] = items
  // Most transactions have one item. V8 does not compile flatMap and spreads to code that is as fast.
  return item !== undefined && items.length === 1
    ? UnsignedTransaction.signable(wallet, item.instructions, options, item.signers ?? [])
    : UnsignedTransaction.signable(
        wallet,
        items.flatMap(({ instructions }) => instructions),
        options,
        signersOf(items)
      )
}

/** The accounts that the items create. */
const createdBy = (items: ReadonlyArray<PackedItem>): ReadonlyArray<Address> => {
  const created: Array<Address> = []
  for (const { creates } of items) if (creates !== undefined) created.push(creates)
  return created
}

/** Maximum concurrent look-ups for the items of a transaction. */
const LOOK_UPS = 16

const isResent = ({ resend }: PackedItem): boolean => resend === true

/** The item whose instruction failed, and the index of its first instruction in the transaction. */
const ownerOf = (items: ReadonlyArray<PackedItem>, { err }: TransactionError, { durableNonce }: LimitedOptions) => {
  const failure = Failure.instructionOf(err)
  const instruction = failure === undefined ? -1 : failure.index - (durableNonce === undefined ? 0 : 1)
  if (instruction < 0) return undefined
  let first = 0
  for (const item of items) {
    if (instruction < first + item.instructions.length) return { item, first }
    first += item.instructions.length
  }
  return undefined
}

/** The error of one item, with the instruction index counted from the item's first instruction. */
const within = (error: TransactionError, first: number): TransactionError => {
  const { programError } = error
  if (first === 0 || programError?.instructionIndex === undefined) return error
  const instructionIndex = programError.instructionIndex - first
  return new TransactionError({ ...error, programError: new ProgramError({ ...programError, instructionIndex }) })
}

/** Reasons after which nothing is signed again: the bytes may still land, or sending is impossible. */
const FINAL: ReadonlySet<TransactionError["reason"]> = new Set(["Unconfirmed", "Unrecorded", "Unsent"])

/** The error without `mayHaveLanded`, because these bytes can no longer land. */
const settled = (error: TransactionError): TransactionError => {
  const { programError } = error
  return new TransactionError({
    ...error,
    mayHaveLanded: undefined,
    programError: programError && new ProgramError({ ...programError, mayHaveLanded: undefined })
  })
}

/** The state of items whose first transaction did not succeed. */
interface Progress {
  /** All signatures made for them: failed ones, and those with an unknown outcome. */
  readonly known: Array<Signature>
  readonly transaction: UnsignedTransaction.SignableTransaction
  readonly error?: SendError | undefined
}

/**
 * Sends items in one transaction until each has its true outcome. After a proven `Expired` it signs again, as often as
 * allowed. It recognises the accounts that an earlier transaction created. It leaves out an item whose instruction
 * fails and sends the rest again. It halves transactions that need too many compute units.
 */
export const make = ({ estimates, findOwn, sign, submission }: Needs) => {
  const { goOn, left, settle, submitFirst } = submission

  const compile = (wallet: Wallet, items: ReadonlyArray<PackedItem>, options: LimitedOptions) =>
    signableOf(wallet, items, estimates.reserve(options))

  /** Sends one transaction once, and adds its signature to `known`. */
  const attempt = (
    wallet: Wallet,
    items: ReadonlyArray<PackedItem>,
    options: LimitedOptions,
    transaction: UnsignedTransaction.SignableTransaction,
    known: Array<Signature>,
    rival?: SignedTransaction
  ): Effect.Effect<Receipt, SendError> =>
    Effect.withFiberRuntime((fiber) => {
      const signing =
        estimates === Estimates.none
          ? sign(fiber, transaction, options.limit, rival)
          : Effect.flatMap(
              endBy(options.limit, "its fee was estimated")(estimates.estimate(transaction, options, known.length)),
              (compute) =>
                Effect.flatMap(signableOf(wallet, items, extend(options, compute)), (priced) =>
                  sign(fiber, priced, options.limit, rival)
                )
            )
      return Effect.flatMap(signing, (signed) => {
        const creates = createdBy(items)
        known.push(signed.signature)
        options.onSigned?.(signed, creates)
        return annotated(fiber, "solana.signature", signed.signature, submitFirst(signed, options, creates))
      })
    })

  const persist = Effect.fnUntraced(function* (
    wallet: Wallet,
    items: ReadonlyArray<PackedItem>,
    options: LimitedOptions,
    { error, known, ...progress }: Progress
  ): Effect.fn.Return<ReadonlyArray<Outcome>> {
    const outcomes = new Map<PackedItem, Outcome>()
    const { resend = false, retryExpired = 0 } = options
    let mayBeDone = resend
    let waiting = items
    let transaction = progress.transaction
    let mayEstimateAgain = true
    /**
     * Refused transactions that contain all waiting items and share the nonce of the next attempt. At most one of all
     * these lands.
     */
    let rivals: ReadonlyArray<SignedTransaction> = []

    /** A refused transaction that contains all waiting items and may still land. */
    let refused: SignedTransaction | undefined

    const conclude = (item: PackedItem, outcome: Outcome) => {
      const isOpen = Either.isLeft(outcome) && outcome.left._tag !== "TransactionError"
      outcomes.set(item, isOpen && refused !== undefined ? Either.left(unconfirmed(refused, outcome.left)) : outcome)
      waiting = waiting.filter((other) => other !== item)
    }
    const failAll = (error: SendError) => {
      for (const item of waiting) conclude(item, Either.left(error))
    }

    /**
     * Concludes the item with the receipt of the transaction that created its account, or else with the error
     * `otherwise`.
     */
    const recognise = (item: PackedItem, otherwise?: TransactionError) =>
      ((mayBeDone || item.resend === true) && item.creates !== undefined
        ? endBy(
            options.limit,
            "its account was looked up"
          )(findOwn(item.creates, wallet.address, known, otherwise?.slot ?? otherwise?.signed?.minContextSlot))
        : Effect.succeedNone
      ).pipe(
        Effect.match({
          onFailure: (error) => conclude(item, Either.left(error)),
          onSuccess: Option.match({
            onNone: () => (otherwise === undefined ? undefined : conclude(item, Either.left(otherwise))),
            onSome: (receipt) => conclude(item, Either.right(receipt))
          })
        })
      )

    /** Finishes the transactions of an earlier process that contain these items. */
    const finish = Effect.gen(function* () {
      const made = new Set(createdBy(items))
      if (made.size === 0) return
      for (const entry of yield* endBy(options.limit, "its journal was read")(left)) {
        if (!entry.creates.some((address) => made.has(address))) continue
        mayBeDone = true
        const outcome: Outcome = yield* Effect.either(goOn(entry.signed, options, entry.creates))
        if (Either.isLeft(outcome) && !Failure.mayHaveLanded(outcome.left)) continue
        for (const item of waiting) {
          if (item.creates !== undefined && entry.creates.includes(item.creates)) conclude(item, outcome)
        }
      }
    })

    /**
     * Waits until a refused transaction can no longer land, then handles its refusal. If it lands, or if its outcome
     * stays unknown, all items get that outcome.
     */
    const settleFirst = Effect.fnUntraced(function* (refusal: TransactionError, signed: SignedTransaction) {
      const outcome = yield* Effect.either(
        "nonce" in signed.lifetime ? Effect.fail(unconfirmed(signed)) : settle(signed, options, createdBy(waiting))
      )
      if (Either.isRight(outcome)) {
        for (const item of waiting) conclude(item, outcome)
      } else if (outcome.left._tag === "TransactionError" && outcome.left.reason === "Expired") {
        yield* failed(settled(refusal))
      } else if (outcome.left._tag === "TransactionError" && outcome.left.reason === "Rejected") {
        yield* failed(outcome.left)
      } else {
        const owner = ownerOf(waiting, refusal, options)
        if (owner !== undefined) conclude(owner.item, Either.left(within(refusal, owner.first)))
        failAll(outcome.left)
      }
    })

    const failed: (error: SendError) => Effect.Effect<void> = Effect.fnUntraced(function* (error) {
      if (error._tag !== "TransactionError" || FINAL.has(error.reason)) return failAll(error)
      if (error.isRetryable && known.length <= retryExpired) {
        mayBeDone = true
        return
      }
      const owner = ownerOf(waiting, error, options)
      const isOutOfCompute = Failure.instructionOf(error.err)?.isOutOfCompute === true
      const isSplit = waiting.length > 1 && (isOutOfCompute || owner !== undefined)
      if (error.mayHaveLanded === true && (isSplit || (isOutOfCompute && mayEstimateAgain))) {
        // An account can be created only once, so its item can be signed again at once.
        const others = isOutOfCompute ? waiting : waiting.filter((item) => item !== owner?.item)
        const { signed } = error
        if (signed !== undefined && others.some(({ creates }) => creates === undefined)) {
          const isHalved = isOutOfCompute && waiting.length > 1
          if (isHalved || !("nonce" in signed.lifetime)) return yield* settleFirst(error, signed)
          rivals = [...rivals, signed]
        }
        refused = signed
        mayBeDone = true
      }
      if (isOutOfCompute && mayEstimateAgain && estimates.forget(transaction)) {
        mayEstimateAgain = false
        return
      }
      if (waiting.length > 1 && isOutOfCompute) {
        const middle = Math.ceil(waiting.length / 2)
        for (const half of [waiting.slice(0, middle), waiting.slice(middle)]) {
          const halves = yield* sendItems(wallet, half, { ...options, resend: mayBeDone })
          half.forEach((item, index) => conclude(item, halves[index] ?? Either.left(error)))
        }
      } else if (owner !== undefined) {
        yield* recognise(owner.item, within(error, owner.first))
      } else {
        yield* Effect.forEach(waiting, (item) => recognise(item, error), { discard: true })
      }
    })

    /** Before an item is `Expired` by its nonce: a rival may have used that nonce and done the work. */
    const failedBesideRivals = Effect.fnUntraced(function* (error: SendError) {
      if (error._tag === "TransactionError" && error.reason === "Expired") {
        for (const rival of rivals) {
          const outcome = yield* Effect.either(settle(rival, options, createdBy(waiting)))
          if (Either.isRight(outcome)) return waiting.forEach((item) => conclude(item, outcome))
          if (Failure.mayHaveLanded(outcome.left)) return failAll(outcome.left)
        }
        rivals = []
      }
      yield* failed(error)
    })

    if (error === undefined) yield* Effect.catchAll(finish, (error) => Effect.sync(() => failAll(error)))
    else yield* failed(error)
    while (waiting.length > 0) {
      if (mayBeDone || waiting.some(isResent)) {
        yield* Effect.forEach(waiting, (item) => recognise(item), { discard: true, concurrency: LOOK_UPS })
      }
      if (waiting.length === 0) break
      yield* Effect.gen(function* () {
        if (waiting.length < items.length) transaction = yield* compile(wallet, waiting, options)
        const receipt = yield* attempt(wallet, waiting, options, transaction, known, rivals[0])
        for (const item of waiting) conclude(item, Either.right(receipt))
      }).pipe(Effect.catchAll(failedBesideRivals))
    }
    return items.flatMap((item) => Option.toArray(Option.fromNullable(outcomes.get(item))))
  })

  /** Sends each item that cannot be compiled alone, and the others together. */
  const takeApart = (
    wallet: Wallet,
    items: ReadonlyArray<PackedItem>,
    options: LimitedOptions
  ): Effect.Effect<ReadonlyArray<Outcome>> => {
    const [sound, faulty] = Arr.partition(items, (item) => Either.isLeft(compile(wallet, [item], options)))
    const parts = faulty.length === 0 ? items.map((item) => [item]) : [...faulty.map((item) => [item]), sound]
    return Effect.map(
      Effect.forEach(parts, (part) => (part.length === 0 ? Effect.succeed([]) : sendItems(wallet, part, options))),
      (outcomes) => {
        const byItem = new Map(Arr.zip(parts.flat(), outcomes.flat()))
        return items.flatMap((item) => Option.toArray(Option.fromNullable(byItem.get(item))))
      }
    )
  }

  /** Continues with one receipt for all items, since most transactions land at once, or with an outcome for each. */
  const send = <A, E>(
    wallet: Wallet,
    items: ReadonlyArray<PackedItem>,
    options: LimitedOptions,
    onReceipt: (receipt: Receipt) => Effect.Effect<A, E>,
    onOutcomes: (outcomes: ReadonlyArray<Outcome>) => Effect.Effect<A, E>
  ): Effect.Effect<A, E> => {
    const transaction = compile(wallet, items, options)
    if (Either.isLeft(transaction)) {
      return items.length === 1
        ? onOutcomes([Either.left(transaction.left)])
        : Effect.flatMap(takeApart(wallet, items, options), onOutcomes)
    }
    const known: Array<Signature> = []
    const insist = (error?: SendError) =>
      Effect.flatMap(persist(wallet, items, options, { transaction: transaction.right, known, error }), onOutcomes)
    return options.resend === true || items.some(isResent) || left !== JournaledSubmit.NOTHING_LEFT
      ? insist()
      : Effect.matchEffect(attempt(wallet, items, options, transaction.right, known), {
          onFailure: insist,
          onSuccess: onReceipt
        })
  }

  const sendItems = (
    wallet: Wallet,
    items: ReadonlyArray<PackedItem>,
    options: LimitedOptions
  ): Effect.Effect<ReadonlyArray<Outcome>> =>
    send(
      wallet,
      items,
      options,
      (receipt) => Effect.succeed(items.map(() => Either.right(receipt))),
      (outcomes) => Effect.succeed(outcomes)
    )

  const sendItem = (wallet: Wallet, item: PackedItem, options: LimitedOptions): Effect.Effect<Receipt, SendError> =>
    send(
      wallet,
      [item],
      options,
      (receipt) => Effect.succeed(receipt),
      ([outcome = Effect.dieMessage("an item has no outcome")]) => outcome
    )

  return { sendItem, sendItems }
}
