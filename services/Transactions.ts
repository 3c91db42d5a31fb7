/**
 * Sends instructions and returns receipts: compiles, signs, submits and confirms transactions.
 *
 * @since 0.1.0
 */
import type { Commitment, Instruction, Signature } from "@solana/kit"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Check from "../src/internal/check.js"
import { InvalidInput } from "../src/InvalidInput.js"
import * as Addresses from "../src/solana/Address.js"
import * as Deadline from "./Deadline.js"
import * as Clock from "./internal/clock.js"
import { endBy, notSent } from "./internal/endBy.js"
import * as FifoSemaphore from "./internal/FifoSemaphore.js"
import { extend, withService } from "./internal/hot.js"
import * as TestLayer from "./internal/testLayer.js"
import { link, spanned, traced, tracedStream } from "./internal/traced.js"
import { ProgramId } from "./ProgramId.js"
import { RpcPool } from "./RpcPool.js"
import type { RpcError } from "./RpcTransport.js"
import { SignedTransaction } from "./SignedTransaction.js"
import * as Estimates from "./transactions/compile/Estimates.js"
import * as Pack from "./transactions/compile/Pack.js"
import * as Signing from "./transactions/compile/Signing.js"
import * as UnsignedTransaction from "./transactions/compile/UnsignedTransaction.js"
import type { SignOptions } from "./transactions/compile/UnsignedTransaction.js"
import * as ConfirmationTracker from "./transactions/confirm/ConfirmationTracker.js"
import * as Failure from "./transactions/Failure.js"
import * as Inspection from "./transactions/Inspection.js"
import * as BlockhashCache from "./transactions/lifetime/BlockhashCache.js"
import * as Nonces from "./transactions/lifetime/Nonces.js"
import type {
  FeeOptions,
  PackedItem,
  PackedOptions,
  Receipt,
  Recovered,
  SendError,
  SendOptions,
  SimulateOptions,
  Simulation,
  SubmitOptions,
  TransactionDetails
} from "./transactions/Model.js"
import * as CreatedAccount from "./transactions/send/CreatedAccount.js"
import * as ExactlyOnce from "./transactions/send/ExactlyOnce.js"
import * as JournaledSubmit from "./transactions/send/JournaledSubmit.js"
import * as Submission from "./transactions/send/Submission.js"
import type { Limited } from "./transactions/send/Submission.js"
import * as SubmitAndConfirm from "./transactions/send/SubmitAndConfirm.js"
import type { TransactionError } from "./transactions/TransactionError.js"
import { Wallet, type WalletError } from "./Wallet.js"

export type { CompileOptions, DurableNonceOptions, SignOptions } from "./transactions/compile/UnsignedTransaction.js"
export type * from "./transactions/Model.js"
export { BlockhashLifetime, Lifetime, NonceLifetime, SignedTransaction } from "./SignedTransaction.js"
export { TransactionError } from "./transactions/TransactionError.js"

/**
 * Sends transactions and reports their true outcome.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * Signs, submits and confirms. An invalid transaction (no instruction, a missing, repeated or unneeded signer, more
   * than 1232 bytes) fails with `InvalidInput` before any I/O.
   *
   * Two calls with the same instructions do the work twice: the second transaction gets another blockhash, and may wait
   * a slot for it. {@link SendOptions} describe two alternatives: to recognise a repeated write by the account that it
   * creates, and to use a durable nonce instead of the blockhash.
   */
  readonly send: (
    instructions: ReadonlyArray<Instruction>,
    options?: SendOptions
  ) => Effect.Effect<Receipt, SendError, Wallet>
  /**
   * Sends many items in as few transactions as their order and 1232 bytes allow, up to `concurrency` at a time. Returns
   * one outcome for each item, in order. If an instruction fails, in the preflight or on the chain, its item gets that
   * error. The rest of its transaction is sent again without it. Transactions that need too many compute units are
   * halved. A node may forward a transaction that its preflight refuses. So items without `creates` are sent again only
   * when the refused transaction can no longer land, after 60 to 90 seconds. If the timeout comes first, they fail with
   * `Unconfirmed`. In an item's error, `programError.instructionIndex` counts the item's instructions, and `err` those
   * of the transaction. An option out of its range is `InvalidInput`.
   */
  readonly sendPacked: (
    items: ReadonlyArray<PackedItem>,
    options?: PackedOptions
  ) => Effect.Effect<ReadonlyArray<Either.Either<Receipt, SendError>>, InvalidInput, Wallet>
  /**
   * Compiles and signs with a recent blockhash or a durable nonce, and sends nothing. With a nonce, the transaction
   * stays valid until the nonce is used. `InvalidInput` if the account is not a nonce account, or has another
   * authority.
   */
  readonly sign: (
    instructions: ReadonlyArray<Instruction>,
    options?: SignOptions
  ) => Effect.Effect<SignedTransaction, InvalidInput | WalletError | RpcError, Wallet>
  /**
   * Sends signed bytes repeatedly and waits for their outcome. The same bytes land at most once, however often they are
   * submitted, and every caller gets the same receipt.
   */
  readonly submit: (
    signed: SignedTransaction,
    options?: SubmitOptions
  ) => Effect.Effect<Receipt, RpcError | TransactionError>
  /**
   * Continues a transaction with an unknown outcome, from the result of `sign`, from an `Unconfirmed` error, or from
   * the bytes alone. It sends and watches the same bytes again, so the work is not done twice. Bytes alone do not show
   * when they were signed: only a node with the whole ledger can then prove `Expired`. With other nodes, the outcome is
   * `Unconfirmed`. `InvalidInput` for bytes that are not a transaction, and for an error without one.
   */
  readonly resume: (
    from: SignedTransaction | TransactionError | Uint8Array,
    options?: Omit<SubmitOptions, "preflight">
  ) => Effect.Effect<Receipt, InvalidInput | RpcError | TransactionError>
  /**
   * Waits for the outcome of a transaction that may have been sent, and sends nothing. `Expired` proves that it can no
   * longer land. `Unconfirmed` leaves the outcome open.
   */
  readonly watch: (
    signed: SignedTransaction,
    options?: Pick<SubmitOptions, "commitment" | "timeout">
  ) => Effect.Effect<Receipt, RpcError | TransactionError>
  /**
   * The maximum duration of a `send` with these options: its `timeout`, or else the layer's `timeout` for each possible
   * signing. Steps that precede a send use it as their limit.
   */
  readonly timeoutOf: (options?: Pick<SendOptions, "retryExpired" | "timeout">) => Duration.Duration
  /**
   * Finishes the entries of the journal that are not in progress in this process, and emits one element for each when
   * its outcome is known. Without a `Journal`, it emits none. An `Expired` entry was never executed, and the caller may
   * send it again. An `Unconfirmed` entry stays in the journal. An entry of another cluster or program is `Unconfirmed`
   * at once: it is not sent, and it stays. Entries that cannot be read are in `Journal.unreadable` instead.
   */
  readonly recover: Stream.Stream<Recovered>
  /**
   * Runs the instructions on the node's state. It signs, sends and pays nothing. A failed simulation is a
   * `TransactionError`.
   */
  readonly simulate: (
    instructions: ReadonlyArray<Instruction>,
    options?: SimulateOptions
  ) => Effect.Effect<Simulation, InvalidInput | RpcError | TransactionError, Wallet>
  /**
   * The cluster's record of a transaction. `None` if the node does not know the signature, or not yet at `confirmed`.
   */
  readonly details: (signature: Signature) => Effect.Effect<Option.Option<TransactionDetails>, InvalidInput | RpcError>
}

/**
 * Sends transactions and reports their true outcome.
 *
 * @example
 * ```ts
 * import { Transactions } from "@pod-protocol/effect"
 * import type { Instruction } from "@solana/kit"
 * import * as Effect from "effect/Effect"
 *
 * export const sendTwo = Effect.fnUntraced(function* (first: Instruction, second: Instruction) {
 *   const transactions = yield* Transactions.Transactions
 *   const { fee, signature } = yield* transactions.send([first, second], { commitment: "finalized" })
 *   const details = yield* transactions.details(signature)
 *   return { fee, details }
 * })
 * ```
 *
 * @since 0.1.0
 * @category tags
 */
export class Transactions extends Context.Tag("@pod-protocol/effect/Transactions")<Transactions, Service>() {}

/**
 * Options of all transactions of a layer.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The commitment of receipts, for calls that name none. Default `confirmed`. */
  readonly commitment?: Commitment | undefined
  /**
   * Time to wait for an outcome, for calls that name none. Default 2 minutes: a blockhash is valid for 150 blocks, 60
   * to 90 seconds, and then the status is final. Too low and too high: as for `SubmitOptions.timeout`.
   */
  readonly timeout?: Duration.DurationInput | undefined
  /**
   * The commitment of the bank that provides blockhashes. Default `confirmed`. `processed` gives one more slot to land
   * in, but the blockhash of an abandoned fork is invalid. `finalized` uses up 32 slots (13 s) of a blockhash's life of
   * about a minute.
   */
  readonly blockhashCommitment?: Commitment | undefined
  /**
   * How long one blockhash is used for signing. After half of that time, the next one is fetched in the background if
   * transactions are still being signed. Default 10 seconds. Too low: a fetch for nearly each transaction. Too high:
   * transactions have less time to land, because a blockhash is valid for about a minute.
   */
  readonly blockhashTimeToLive?: Duration.DurationInput | undefined
  /**
   * Time between two look-ups of the signatures in flight. It grows up to five times while all of them are older than
   * some seconds. Default 400 milliseconds, a slot: statuses do not change more often. Too low: useless calls. Too
   * high: late receipts.
   */
  readonly pollInterval?: Duration.DurationInput | undefined
  /**
   * Time between two submissions of the same bytes, until a node has processed them or they have expired. The node is
   * asked not to resend them itself. Default 2 seconds: a leader has 4 slots, 1.6 seconds, and the next one may have
   * room. Too low: it uses up the rate limits of endpoints. Too high: a transaction that a leader dropped lands late,
   * or expires.
   */
  readonly rebroadcastInterval?: Duration.DurationInput | undefined
  /**
   * How compute limits and prices are estimated, for calls that name none. Default: no estimates; the cluster's default
   * limits apply, with no price. `{}` uses the defaults of {@link FeeOptions}.
   */
  readonly fees?: FeeOptions | undefined
  /**
   * Whether to subscribe to each signature in flight, so that it is looked up as soon as the node reports it. Default
   * false: it saves half a `pollInterval`, and costs two to three times the CPU of a send that is only polled for.
   * Correctness does not depend on it.
   */
  readonly subscribe?: boolean | undefined
  /**
   * Maximum transactions in flight, from signing to outcome; others wait in the order of their calls. Default 1024:
   * four status calls per poll. One in flight over HTTP holds about 24 KB of heap, and one that waits about 8 KB. Too
   * low: less throughput, because each takes a second or two. Too high: more memory, and an overloaded node drops
   * transactions, which then expire.
   */
  readonly maxInFlight?: number | undefined
}

const checkedFees = (fees: FeeOptions): Either.Either<FeeOptions, InvalidInput> =>
  Either.gen(function* () {
    yield* Check.between("fees.margin", fees.margin ?? 0, 0, 10)
    yield* Check.between("fees.percentile", fees.percentile ?? 0, 0, 100)
    yield* Check.between("fees.bump", fees.bump ?? 1, 1, 10)
    yield* Check.bigInteger("fees.maxFee", fees.maxFee ?? 0n)
    const maxPrice = yield* Check.bigInteger("fees.maxPrice", fees.maxPrice ?? Check.MAX_U64)
    yield* Check.bigInteger("fees.minPrice", fees.minPrice ?? 0n, 0n, maxPrice)
    return fees
  })

/** Names the accounts that a packed transaction creates, so that the trace of a message can be found by its address. */
const attributesOf = (items: ReadonlyArray<PackedItem>) => ({
  "solana.items": items.length,
  "solana.creates": items.flatMap(({ creates }) => creates ?? [])
})

/** The limit of a call without a deadline. */
const UNLIMITED = { at: Infinity, late: notSent }

const positiveDuration = (field: string, duration: Duration.DurationInput) =>
  Either.map(Check.millis(field, duration), Duration.millis)

/**
 * Builds the service from the `RpcPool` in context. When the Scope closes, background fibers end and waiting callers
 * are interrupted. Errors of the program at `ProgramId` are reported by name. `InvalidInput` for an option that is not
 * positive.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = Effect.fnUntraced(function* (
  options: Options = {}
): Effect.fn.Return<Service, InvalidInput, RpcPool | Scope.Scope> {
  const pool = yield* RpcPool
  const { blockhashCommitment = "confirmed", maxInFlight = 1024 } = options
  const { commitment: defaultCommitment = "confirmed" } = options
  const defaultTimeout = yield* Check.millis("timeout", options.timeout ?? "2 minutes", "unlimited")
  const permits = Math.ceil(yield* Check.positive("maxInFlight", maxInFlight))
  const semaphore = FifoSemaphore.make(permits)
  const pollInterval = yield* positiveDuration("pollInterval", options.pollInterval ?? "400 millis")
  const rebroadcastInterval = yield* positiveDuration("rebroadcastInterval", options.rebroadcastInterval ?? "2 seconds")
  const timeToLive = yield* positiveDuration("blockhashTimeToLive", options.blockhashTimeToLive ?? "10 seconds")
  const blockhashes = yield* BlockhashCache.make({
    fetch: Effect.map(
      Effect.suspend(() => pool.getLatestBlockhash({ commitment: blockhashCommitment })),
      ({ slot, value }) => ({ ...value, slot })
    ),
    timeToLive
  })
  const tracker = yield* ConfirmationTracker.make(pool, {
    pollInterval,
    rebroadcastInterval,
    hints: options.subscribe ?? false,
    fetchedAt: blockhashes.fetchedAt
  })
  const program = yield* ProgramId
  const report = Failure.reporter(program)
  const submitAndConfirm = SubmitAndConfirm.make(pool, tracker, {
    report,
    invalidate: blockhashes.invalidate,
    blockhashCommitment
  })

  const millisOf = ({ retryExpired = 0, timeout }: Pick<SendOptions, "retryExpired" | "timeout">): number =>
    timeout === undefined ? defaultTimeout * (1 + retryExpired) : Duration.toMillis(timeout)

  const withLimit = <A, E, O extends Pick<SendOptions, "retryExpired" | "timeout">>(
    fiber: Fiber.RuntimeFiber<A, E>,
    options: O
  ): Limited<O> => {
    const at = Math.min(Clock.monotonic(fiber) + millisOf(options), Deadline.of(fiber))
    return extend(options, { limit: { at, late: notSent } })
  }

  const inspection = Inspection.make(pool, report, defaultCommitment)
  const nonces = Nonces.make(pool)
  const journaledSubmit = yield* JournaledSubmit.make(pool, program)

  const submission = Submission.make(journaledSubmit, submitAndConfirm, nonces, defaultCommitment)
  const sign = Signing.make(blockhashes, nonces)

  /** Serialises the uses of one nonce. A use gets its turn before it takes a permit. */
  const inTurn = <A, E, R>(
    { durableNonce, limit }: Limited<UnsignedTransaction.CompileOptions>,
    use: Effect.Effect<A, E, R>
  ) => {
    const permitted = semaphore.withPermit(use, limit)
    return durableNonce === undefined ? permitted : nonces.inTurn(durableNonce.account, permitted, limit)
  }

  const estimates = options.fees === undefined ? Estimates.none : Estimates.make(pool, yield* checkedFees(options.fees))
  const { sendItem, sendItems } = ExactlyOnce.make({
    sign,
    estimates,
    submission,
    findOwn: CreatedAccount.make(pool)
  })

  const sendPacked = Effect.fnUntraced(function* (...[items, options = {}]: Parameters<Service["sendPacked"]>) {
    yield* Check.integer("retryExpired", options.retryExpired ?? 0, 0)
    for (const [index, { creates }] of items.entries()) {
      if (creates !== undefined) yield* Addresses.parse(creates, `items[${index}].creates`)
    }
    const wallet = yield* Wallet
    const concurrency = yield* Check.positive("concurrency", options.concurrency ?? 16)
    // Outcomes are kept by the object of their item, and a caller may pass one object several times.
    const packs = Pack.pack(
      wallet,
      items.map((item) => ({ ...item })),
      estimates.reserve(options)
    )
    yield* Effect.annotateCurrentSpan("solana.transactions", packs.length)
    const outcomes = yield* Effect.forEach(
      packs,
      (pack) =>
        Effect.withFiberRuntime<ReadonlyArray<ExactlyOnce.Outcome>>((fiber) => {
          const limited = withLimit(fiber, options)
          return Effect.catchAll(
            spanned(fiber, "Transactions.send", attributesOf(pack), () => {
              link(
                fiber,
                pack.flatMap(({ spans = [] }) => spans)
              )
              return inTurn(limited, sendItems(wallet, pack, limited))
            }),
            (error) => Effect.succeed(pack.map(() => Either.left(error)))
          )
        }),
      { concurrency: Math.ceil(concurrency) }
    )
    return outcomes.flat()
  })

  /** The signed transaction of an argument of `resume` or `watch`. */
  const signedOf = (
    from: SignedTransaction | TransactionError | Uint8Array
  ): Effect.Effect<SignedTransaction, InvalidInput | RpcError> => {
    if (from instanceof SignedTransaction) return Effect.succeed(from)
    if (from instanceof Uint8Array) {
      return Effect.flatMap(blockhashes.get, (newest) => UnsignedTransaction.fromWire(from, newest))
    }
    return from.signed === undefined
      ? new InvalidInput({ field: "from", rule: "must be an error that carries a signed transaction" })
      : Effect.succeed(from.signed)
  }

  return {
    send: (instructions, options = {}) => {
      const { creates, retryExpired = 0, signers } = options
      return withService(Wallet, (wallet, fiber) =>
        spanned(fiber, "Transactions.send", { "solana.instructions": instructions.length }, () => {
          const retries = Check.integer("retryExpired", retryExpired, 0)
          if (Either.isLeft(retries)) return Effect.fail(retries.left)
          const refused = creates === undefined ? undefined : Addresses.check(creates, "creates")
          if (refused !== undefined) return refused
          const limited = withLimit(fiber, options)
          return inTurn(limited, sendItem(wallet, { instructions, creates, signers }, limited))
        })
      )
    },

    sendPacked: (items, options = {}) =>
      sendPacked(items, options).pipe(traced("Transactions.sendPacked", { "solana.items": items.length })),

    sign: (instructions, options = {}) =>
      withService(Wallet, (wallet, fiber) =>
        spanned(fiber, "Transactions.sign", { "solana.instructions": instructions.length }, () => {
          const transaction = UnsignedTransaction.signable(wallet, instructions, options, options.signers ?? [])
          return Either.isLeft(transaction)
            ? Effect.fail(transaction.left)
            : sign(fiber, transaction.right, UNLIMITED, undefined)
        })
      ),

    submit: (signed, options = {}) =>
      Effect.withFiberRuntime<Receipt, RpcError | TransactionError>((fiber) => {
        const limited = withLimit(fiber, options)
        return semaphore.withPermit(submission.submit(signed, limited, []), limited.limit)
      }).pipe(traced("Transactions.submit", { "solana.signature": signed.signature })),

    resume: (from, options = {}) =>
      Effect.withFiberRuntime<Receipt, InvalidInput | RpcError | TransactionError>((fiber) => {
        const limited = withLimit(fiber, options)
        return endBy(
          limited.limit,
          "a blockhash"
        )(Deadline.at(limited.limit.at)(signedOf(from))).pipe(
          Effect.tap(({ signature }) => Effect.annotateCurrentSpan("solana.signature", signature)),
          Effect.flatMap((signed) => semaphore.withPermit(submission.goOn(signed, limited, []), limited.limit))
        )
      }).pipe(traced("Transactions.resume")),

    watch: (signed, options = {}) =>
      Effect.withFiberRuntime<Receipt, RpcError | TransactionError>((fiber) =>
        submission.settle(signed, withLimit(fiber, options), [])
      ).pipe(traced("Transactions.watch", { "solana.signature": signed.signature })),

    timeoutOf: (options = {}) => Duration.millis(millisOf(options)),

    recover: Stream.fromIterableEffect(
      Effect.withFiberRuntime<ReadonlyArray<JournaledSubmit.Leftover>>((fiber) =>
        submission.leftovers(withLimit(fiber, {}).limit)
      )
    ).pipe(
      Stream.mapEffect(
        ({ entry: { creates, signed }, refusal }) =>
          (refusal === undefined
            ? semaphore.withPermit(
                Effect.withFiberRuntime<Either.Either<Receipt, RpcError | TransactionError>>((fiber) =>
                  Effect.either(submission.goOn(signed, withLimit(fiber, {}), creates))
                )
              )
            : Effect.succeed(Either.left(refusal))
          ).pipe(Effect.map((outcome) => ({ signed, creates, outcome }))),
        { concurrency: permits, unordered: true }
      ),
      tracedStream("Transactions.recover")
    ),

    simulate: inspection.simulate,
    details: inspection.details
  }
})

/**
 * {@link make} as a layer.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options?: Options): Layer.Layer<Transactions, InvalidInput, RpcPool> =>
  Layer.scoped(Transactions, make(options))

/**
 * A test layer from stubs: a call to a missing method dies with the method's name. Without a stub, `timeoutOf` returns
 * the `timeout` of the options, or no limit.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerTest = (stubs: Partial<Service>): Layer.Layer<Transactions> =>
  TestLayer.layer(Transactions, {
    timeoutOf: ({ timeout = Duration.infinity } = {}) => Duration.decode(timeout),
    ...stubs
  })
