/**
 * Estimates compute limits and prices, for transactions without their own.
 *
 * - The limit comes from a simulation, and is kept for transactions of the same kind: the same programs, instructions and
 *   numbers of accounts.
 * - The price comes from the recent fees of the accounts that the transaction writes, kept for 10 seconds.
 * - Both come from one endpoint, so their product has an upper bound in lamports.
 * - If a request fails, the cluster's own limit and no price apply. An estimate never fails a send.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Encoding from "effect/Encoding"
import * as Option from "effect/Option"
import * as Limits from "../../../src/solana/Limits.js"
import type { CompiledMessage } from "../../../src/solana/Message.js"
import * as Clock from "../../internal/clock.js"
import { extend } from "../../internal/hot.js"
import type { Service as RpcPool } from "../../RpcPool.js"
import * as Failure from "../Failure.js"
import type { FeeOptions } from "../Model.js"
import * as Fees from "./Fees.js"
import * as UnsignedTransaction from "./UnsignedTransaction.js"

/** Maximum kinds of transactions with a stored limit. An application has dozens. */
const MAX_KINDS = 1024

/** How long a price is kept. Prices change with each slot, and a node reports the last 150 slots. */
const PRICE_LIFE = Duration.toMillis("10 seconds")

/**
 * Units for the search of an address's bump. A program pays 1500 units for each try, and half of all addresses need
 * another one. One in 256 transactions with the same limit needs more than eight tries.
 */
const BUMP_UNITS = 1500
const BUMP_TRIES = 8

export interface Estimates {
  /** The options with a provisional limit and price, so that the size of the message is known. */
  readonly reserve: <O extends Fees.ComputeOptions>(options: O) => O
  /**
   * The limit and price for a transaction that was compiled with {@link reserve}d options. `signed` counts how
   * often it was signed before. Without an estimate, the cluster's own limit and price apply.
   */
  readonly estimate: (
    transaction: UnsignedTransaction.UnsignedTransaction,
    options: Fees.ComputeOptions,
    signed: number
  ) => Effect.Effect<Fees.ComputeOptions>
  /** Removes the limit of this kind, because a transaction ran out of compute units. Returns whether there was one. */
  readonly forget: (transaction: UnsignedTransaction.UnsignedTransaction) => boolean
}

export const none: Estimates = {
  reserve: (options) => options,
  estimate: (_, { computeUnitLimit, computeUnitPrice }) => Effect.succeed({ computeUnitLimit, computeUnitPrice }),
  forget: () => false
}

/** The instructions of the caller, without those that set the compute budget. */
const ownInstructions = ({ instructions, staticAccounts }: CompiledMessage) =>
  instructions.filter(({ programIndex }) => staticAccounts[programIndex] !== Fees.COMPUTE_BUDGET_PROGRAM)

/** The System program uses 4 bytes as a discriminator, other programs 8. Four bytes suffice to distinguish kinds. */
const DISCRIMINATOR = 4

/** Programs, discriminators and numbers of accounts. Apart from bumps, they determine the compute units. */
const kindOf = (message: CompiledMessage): string =>
  ownInstructions(message)
    .map(
      ({ accountIndices, data, programIndex }) =>
        `${message.staticAccounts[programIndex]} ${Encoding.encodeHex(data.subarray(0, DISCRIMINATOR))} ${accountIndices.length}`
    )
    .join()

const writable = ({ header, staticAccounts }: CompiledMessage) =>
  staticAccounts.filter((_, index) =>
    index < header.requiredSignatures
      ? index < header.requiredSignatures - header.readonlySigned
      : index < staticAccounts.length - header.readonlyUnsigned
  )

const remember = <A>(map: Map<string, A>, kind: string, value: A): A => {
  map.delete(kind)
  map.set(kind, value)
  const [oldest] = map.keys()
  if (map.size > MAX_KINDS && oldest !== undefined) map.delete(oldest)
  return value
}

/** Maximum lamports of an estimated fee without `maxFee`: the fee of 20 signatures. */
const DEFAULT_MAX_FEE = 100_000n

const DEFAULT_MAX_PRICE = 1_000_000n

export const make = (
  pool: Pick<RpcPool, "getRecentPrioritizationFees" | "simulateTransaction">,
  { bump = 1.5, minPrice = 0n, margin = 0.1, percentile = 75, ...options }: FeeOptions
): Estimates => {
  const {
    maxPrice = DEFAULT_MAX_PRICE,
    maxFee = options.maxPrice === undefined ? undefined : Fees.feeOf(maxPrice, Fees.MAX_COMPUTE_UNITS)
  } = options
  const limits = new Map<string, number>()
  const prices = new Map<string, { readonly price: bigint; readonly askedAt: Clock.Moment }>()

  const limitOf = (transaction: UnsignedTransaction.UnsignedTransaction, kind: string) => {
    const known = limits.get(kind)
    if (known !== undefined) return Effect.succeedSome(known)
    return pool
      .simulateTransaction(UnsignedTransaction.unsigned(transaction), {
        replaceRecentBlockhash: true,
        commitment: "confirmed"
      })
      .pipe(
        Effect.map(({ value: { err, unitsConsumed } }) =>
          Option.map(Failure.succeeded(err) ? unitsConsumed : Option.none(), (units) => {
            const bumps = BUMP_UNITS * BUMP_TRIES * ownInstructions(UnsignedTransaction.messageOf(transaction)).length
            const limit = Math.min(Fees.MAX_COMPUTE_UNITS, Math.ceil(Number(units) * (1 + margin)) + bumps)
            return remember(limits, kind, limit)
          })
        ),
        Effect.orElseSucceed(() => Option.none())
      )
  }

  const clamp = (price: bigint): bigint => (price > maxPrice ? maxPrice : price < minPrice ? minPrice : price)

  /** The given price, reduced if its fee at this limit would exceed the maximum. */
  const affordable = (price: bigint, limit: number): bigint => {
    const most = Fees.priceFor(maxFee ?? DEFAULT_MAX_FEE, limit)
    const least = maxFee === undefined ? minPrice : 0n
    return price <= most ? price : most < least ? least : most
  }

  const priceOf = Effect.fnUntraced(function* (transaction: UnsignedTransaction.UnsignedTransaction, kind: string) {
    const known = prices.get(kind)
    if (known !== undefined && (yield* Clock.ageMillis(known.askedAt)) < PRICE_LIFE) return known.price
    const askedAt = yield* Clock.currentMoment
    const fees = yield* pool
      .getRecentPrioritizationFees(
        writable(UnsignedTransaction.messageOf(transaction)).slice(0, Limits.MAX_PRIORITIZATION_ACCOUNTS)
      )
      .pipe(
        Effect.map((fees) => fees.map(({ prioritizationFee }) => prioritizationFee)),
        Effect.orElseSucceed(() => [])
      )
    const sorted = fees.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0))
    const price = clamp(sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percentile) / 100))] ?? 0n)
    return remember(prices, kind, { price, askedAt }).price
  })

  return {
    reserve: (options) =>
      extend(options, {
        computeUnitLimit: options.computeUnitLimit ?? Fees.MAX_COMPUTE_UNITS,
        computeUnitPrice: options.computeUnitPrice ?? 1n
      }),
    estimate: Effect.fnUntraced(function* (transaction, options, signed) {
      const kind = kindOf(UnsignedTransaction.messageOf(transaction))
      const computeUnitLimit = options.computeUnitLimit ?? Option.getOrUndefined(yield* limitOf(transaction, kind))
      if (computeUnitLimit === undefined || options.computeUnitPrice !== undefined) {
        return { computeUnitLimit, computeUnitPrice: options.computeUnitPrice }
      }
      const price = yield* priceOf(transaction, kind)
      const bumped = signed === 0 ? price : BigInt(Math.ceil(Number(price > 0n ? price : 1n) * bump ** signed))
      return { computeUnitLimit, computeUnitPrice: affordable(clamp(bumped), computeUnitLimit) }
    }),
    forget: (transaction) => limits.delete(kindOf(UnsignedTransaction.messageOf(transaction)))
  }
}
