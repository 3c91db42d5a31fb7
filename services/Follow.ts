/**
 * Subscriptions that miss nothing: after each (re)subscription, and now and then while it stands, the present state is read,
 * and what a read and a notification both say is told once.
 *
 * A node may drop a notification and keep the socket. So every `resyncInterval` what is read is held, five seconds later,
 * against what was notified by then; what is missing is told, of accounts after a `Gap`.
 *
 * They build on any `RpcPool` whose transport reports to `SubscriptionObserver` when a subscription stands: that is what
 * starts a read. Reads ask for a slot that is not before the subscription's (`minContextSlot`), so that an endpoint which lags
 * behind the one that holds the subscription leaves no hole between them.
 *
 * @since 0.1.0
 */
import type { Address, Commitment, Signature, Slot } from "@solana/kit"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { InvalidInput } from "../src/InvalidInput.js"
import type { AccountInfo, ProgramAccountsOptions, Contextual, TransactionLogs } from "./RpcPool.js"
import { RpcPool } from "./RpcPool.js"
import type { RpcError } from "./RpcTransport.js"
import { SubscriptionError } from "./RpcTransport.js"
import { follow, persist } from "./follow/follower.js"
import { KnownAccounts } from "./follow/KnownAccounts.js"
import { LogHistory } from "./follow/LogHistory.js"
import { integer, positive } from "../src/internal/check.js"
import type { Established } from "./SubscriptionObserver.js"
import * as Updates from "./follow/Update.js"
import type { Update } from "./follow/Update.js"

export type { Update } from "./follow/Update.js"
import { reached } from "./internal/commitment.js"

/**
 * How often a follower looks for what was not notified.
 *
 * @since 0.1.0
 * @category models
 */
export interface FollowOptions {
  /**
   * From one such read to the next, while the subscription stands. Default: 1 minute, in which one account, an address's last
   * transactions, or all accounts of a program that pass are read once: 10,000 messages are 4.6 MB and about 70 ms of CPU.
   * Reads that take long rest 20 times as long. `Infinity` for none: what is lost on a socket that lives is told when it is
   * subscribed again. Too low spends the endpoints' rate; too high tells late what was lost.
   */
  readonly resyncInterval?: Duration.DurationInput | undefined
}

/**
 * At which commitment.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends FollowOptions {
  /** Default: the pool's, for a signature `confirmed`. `processed` may tell what is rolled back. */
  readonly commitment?: Commitment | undefined
}

const intervalOf = ({ resyncInterval = "1 minute" }: FollowOptions): Effect.Effect<number, InvalidInput> =>
  positive("resyncInterval", Duration.toMillis(resyncInterval), "unlimited")

const newest = (a: Slot | undefined, b: Slot | undefined): Slot | undefined =>
  a === undefined || (b !== undefined && b > a) ? b : a

/** The slot that a read must have reached to miss nothing before the subscription. */
const slotOf = ({ slot }: Established, known: Slot | undefined): Effect.Effect<Slot | undefined> =>
  Effect.map(slot ?? Effect.succeedNone, (slot) => newest(Option.getOrUndefined(slot), known))

/** Tells of the hole before a read, where the chain has moved on. */
const gap = (from: Slot | undefined, to: Slot): ReadonlyArray<Update<never>> =>
  from === undefined || to <= from ? [] : [Updates.gap(from, to)]

/** Follows accounts of which all can be read at once. */
const followAccounts = (
  live: Stream.Stream<Contextual<AccountInfo>, SubscriptionError>,
  read: (minContextSlot?: Slot) => Effect.Effect<Contextual<ReadonlyArray<AccountInfo>>, RpcError>,
  most: { readonly accounts: number; readonly bytes: number },
  resyncInterval: number
): Stream.Stream<Update<AccountInfo>, RpcError | SubscriptionError> =>
  Stream.suspend(() => {
    const known = new KnownAccounts()
    const bounded = (updates: ReadonlyArray<Update<AccountInfo>>) =>
      known.size <= most.accounts && known.bytes <= most.bytes
        ? Effect.succeed(updates)
        : Effect.fail(
            new SubscriptionError({
              reason: "Refused",
              method: "programSubscribe",
              detail:
                known.size > most.accounts
                  ? `the program has more than ${most.accounts} accounts that pass the filters`
                  : `the accounts that pass the filters hold more than ${most.bytes} bytes of data`
            })
          )
    return follow<Contextual<AccountInfo>, Update<AccountInfo>, RpcError | SubscriptionError>({
      live,
      established: (subscription) =>
        slotOf(subscription, known.newest).pipe(
          Effect.flatMap((minContextSlot) => persist(read(minContextSlot))),
          Effect.flatMap(({ slot, value }) => {
            const hole = gap(known.newest, slot)
            return bounded([...hole, ...known.read(slot, value)])
          })
        ),
      notified: ({ slot, value }) => Effect.suspend(() => bounded(known.notified(slot, value))),
      resync: Effect.map(read(), ({ slot, value }) => Effect.suspend(() => bounded(known.resynced(slot, value)))),
      resyncInterval
    })
  })

/**
 * An account: as it stands, and then each change of it.
 *
 * @example
 * ```ts
 * import type { Address } from "@solana/kit"
 * import * as Console from "effect/Console"
 * import * as Stream from "effect/Stream"
 * import * as Follow from "@pod-protocol/effect/services/Follow"
 *
 * const watch = (address: Address) => Stream.runForEach(Follow.account(address), (update) => Console.log(update._tag))
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const account = (
  address: Address,
  { commitment, ...options }: Options = {}
): Stream.Stream<Update<AccountInfo>, InvalidInput | RpcError | SubscriptionError, RpcPool> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const pool = yield* RpcPool
      const resyncInterval = yield* intervalOf(options)
      return followAccounts(
        pool.accountSubscribe(address, { commitment }),
        (minContextSlot) =>
          Effect.map(pool.getAccountInfo(address, { commitment, minContextSlot }), ({ slot, value }) => ({
            slot,
            value: Option.toArray(value)
          })),
        { accounts: 1, bytes: Infinity },
        resyncInterval
      )
    })
  )

/**
 * Which accounts, and how many are kept.
 *
 * @since 0.1.0
 * @category models
 */
export interface ProgramOptions extends Options, Pick<ProgramAccountsOptions, "filters" | "dataSlice"> {
  /**
   * Accounts that are kept, with their data, to tell a change from a repetition. Default: 100,000. With more the Stream
   * fails. Too low fails on a program that grows; too high lets it grow into the memory.
   */
  readonly maxAccounts?: number | undefined
  /**
   * Maximum bytes of the data of those accounts. Default: 256 MiB. With more the Stream fails. Too low: a program with
   * large accounts cannot be followed. Too high: a hostile node can fill the memory.
   */
  readonly maxAccountBytes?: number | undefined
}

/**
 * The accounts of a program: all as they stand, and then each change of one. What one read tells comes in one chunk.
 *
 * @since 0.1.0
 * @category constructors
 */
export const program = (
  address: Address,
  { commitment, dataSlice, filters, ...options }: ProgramOptions = {}
): Stream.Stream<Update<AccountInfo>, InvalidInput | RpcError | SubscriptionError, RpcPool> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const pool = yield* RpcPool
      const maxAccounts = yield* integer("maxAccounts", options.maxAccounts ?? 100_000, 1)
      const bytes = yield* integer("maxAccountBytes", options.maxAccountBytes ?? 256 * 1024 * 1024, 1)
      const resyncInterval = yield* intervalOf(options)
      const which = { commitment, dataSlice, filters }
      return followAccounts(
        pool.programSubscribe(address, which),
        (minContextSlot) => pool.getProgramAccounts(address, { ...which, minContextSlot }),
        { accounts: maxAccounts, bytes },
        resyncInterval
      )
    })
  )

/**
 * One element, when the transaction has reached the commitment, also if it had before; then the Stream ends. It says nothing
 * of a transaction that never lands.
 *
 * @since 0.1.0
 * @category constructors
 */
export const signature = (
  signature: Signature,
  { commitment = "confirmed", ...options }: Options = {}
): Stream.Stream<Contextual<{ readonly err: unknown }>, InvalidInput | RpcError | SubscriptionError, RpcPool> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const pool = yield* RpcPool
      const resyncInterval = yield* intervalOf(options)
      type Answer = Contextual<{ readonly err: unknown }>
      const look = Effect.map(
        Effect.catchTag(
          pool.getSignatureStatuses([signature], { searchTransactionHistory: true }),
          "InvalidInput",
          Effect.die
        ),
        ({ slot, value: [status = Option.none()] }) => ({
          slot,
          answer: Option.map(
            Option.filter(status, (status) => reached(status, commitment)),
            ({ slot, err }): Answer => ({ slot, value: { err } })
          )
        })
      )
      const lookAt = (from: Slot): Effect.Effect<Option.Option<Answer>, RpcError> =>
        Effect.flatMap(persist(look), ({ slot, answer }) =>
          Option.isSome(answer) || slot >= from
            ? Effect.succeed(answer)
            : Effect.zipRight(Effect.sleep("400 millis"), lookAt(from))
        )
      return follow<Answer, Answer, RpcError>({
        live: pool.signatureSubscribe(signature, { commitment }),
        established: (subscription) =>
          Effect.flatMap(slotOf(subscription, undefined), (slot = 0n) => Effect.map(lookAt(slot), Option.toArray)),
        notified: (answer) => Effect.succeed([answer]),
        resync: Effect.map(look, ({ answer }) => Effect.succeed(Option.toArray(answer))),
        resyncInterval
      })
    })
  ).pipe(Stream.take(1))

/**
 * At which commitment, and how far back a loss is made good.
 *
 * @since 0.1.0
 * @category models
 */
export interface LogsOptions extends FollowOptions {
  /** Default: `confirmed`; transactions cannot be read back at `processed`. */
  readonly commitment?: Exclude<Commitment, "processed"> | undefined
  /**
   * Transactions that are read back after a loss; what is older is a `Gap`. Default: 1,000, one page of history and one
   * call for each. Too low leaves gaps; too high takes long to get back to the present.
   */
  readonly maxTransactions?: number | undefined
}

/**
 * The logs of the transactions that mention an address, from now on: those of a time without a subscription are read from
 * the address's history, oldest first, before new ones go on. Of one that the node does not keep, a `Gap` is told.
 *
 * For all transactions of the cluster use `logsSubscribe` itself: no history can fill its holes.
 *
 * @since 0.1.0
 * @category constructors
 */
export const logs = (
  mentions: Address,
  { commitment = "confirmed", ...options }: LogsOptions = {}
): Stream.Stream<Update<TransactionLogs>, InvalidInput | RpcError | SubscriptionError, RpcPool> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const pool = yield* RpcPool
      const maxTransactions = yield* integer("maxTransactions", options.maxTransactions ?? 1000, 1)
      const resyncInterval = yield* intervalOf(options)
      const history = new LogHistory(pool, mentions, commitment, maxTransactions)
      yield* history.begin
      return follow<Contextual<TransactionLogs>, Update<TransactionLogs>, RpcError>({
        live: pool.logsSubscribe({ mentions }, { commitment }),
        established: (subscription) =>
          slotOf(subscription, history.newest).pipe(
            Effect.flatMap((slot) => history.recent(slot)),
            Effect.flatMap((recent) => history.tell(recent))
          ),
        notified: ({ slot, value }) => Effect.sync(() => history.notified(slot, value)),
        resync: Effect.map(history.recent(), (recent) => history.tell(recent)),
        resyncInterval
      })
    })
  )
