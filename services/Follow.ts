/**
 * Streams of changes that survive lost subscriptions and lost notifications. After each (re)subscription the follower reads
 * the present state. It emits a change once, even if both a read and a notification report it.
 *
 * A node may drop a notification and keep the socket. So the follower also reads every `resyncInterval`. Five seconds after
 * such a read, it compares the result with the notifications and emits the missing changes. For accounts, a `Gap` comes first.
 *
 * Followers work over any `RpcPool` whose transport reports established subscriptions to `SubscriptionObserver`. Each report
 * starts a read. A read asks for the subscription's slot or a later one (`minContextSlot`). So a lagging endpoint leaves no
 * hole between the read and the subscription. A slot that the pool does not come near within six seconds is false: the
 * follower goes on without it.
 *
 * @since 0.1.0
 */
import type { Address, Commitment, Signature, Slot } from "@solana/kit"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { constVoid } from "effect/Function"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { integer, millis } from "../src/internal/check.js"
import { model } from "../src/internal/jsonable.js"
import type { InvalidInput } from "../src/InvalidInput.js"
import * as Addresses from "../src/solana/Address.js"
import * as Signatures from "../src/solana/Signature.js"
import { follow } from "./follow/follower.js"
import { KnownAccounts } from "./follow/KnownAccounts.js"
import { LogHistory } from "./follow/LogHistory.js"
import * as Updates from "./follow/Update.js"
import type { Update } from "./follow/Update.js"
import type { AccountInfo, ProgramAccountsOptions, Contextual, Service, TransactionLogs } from "./RpcPool.js"
import { RpcPool } from "./RpcPool.js"
import type { RpcError } from "./RpcTransport.js"
import { SubscriptionError } from "./RpcTransport.js"
import type { Established } from "./SubscriptionObserver.js"

export type { Update } from "./follow/Update.js"
import { reached } from "./internal/commitment.js"
import * as FalseSlot from "./internal/falseSlot.js"
import { persist } from "./internal/persist.js"

/**
 * Options of a follower.
 *
 * @since 0.1.0
 * @category models
 */
export interface FollowOptions {
  /**
   * Time between two reads of the chain that find lost notifications of an open subscription. Default: 1 minute. Each
   * read fetches one account, an address's last transactions, or all matching accounts of a program: 10,000 messages are
   * 4.6 MB and about 70 ms of CPU. After a slow read, the next one waits 20 times its duration. `Infinity` turns the reads
   * off: changes lost on an open socket are then emitted after the next reconnection. Too low: the reads use up the
   * endpoints' rate limit. Too high: lost changes are emitted late.
   */
  readonly resyncInterval?: Duration.DurationInput | undefined
  /**
   * Whether concurrent followers of inboxes, outboxes and channels share one subscription and one listing of the
   * program, which the client splits. Default: true. A single follower requests only its own accounts. The shared
   * listing contains all messages of the program. If there are over 100,000, or if the node refuses the listing, each
   * follower continues alone. Other followers ignore this option. `false` suits a process with a few followers of a
   * program with many messages.
   */
  readonly share?: boolean | undefined
}

/**
 * The commitment and the resync interval of a follower.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends FollowOptions {
  /** Default: the pool's; `confirmed` for a signature. `processed` may emit changes that are rolled back later. */
  readonly commitment?: Commitment | undefined
}

const intervalOf = ({ resyncInterval = "1 minute" }: FollowOptions): Effect.Effect<number, InvalidInput> =>
  millis("resyncInterval", resyncInterval, "unlimited")

const newest = (a: Slot | undefined, b: Slot | undefined): Slot | undefined =>
  a === undefined || (b !== undefined && b > a) ? b : a

/** The current slot of the pool. */
const slotAt = (pool: Service, commitment: Commitment | undefined): Effect.Effect<Slot, RpcError> =>
  Effect.suspend(() => pool.getSlot({ commitment }))

/** The slot that a read must have reached to miss nothing before the subscription. */
const slotOf = ({ slot }: Established, known: Slot | undefined): Effect.Effect<Slot | undefined> =>
  Effect.map(slot ?? Effect.succeedNone, (slot) => newest(Option.getOrUndefined(slot), known))

/** The `Gap` before a read, if the chain has moved on since the newest known slot. */
const gap = (from: Slot | undefined, to: Slot): ReadonlyArray<Update<never>> =>
  from === undefined || to <= from ? [] : [Updates.gap(from, to)]

/** The pool's slot, if the newest known slot is so far above a read that it must be false. */
const doubted = (
  newest: Slot | undefined,
  slot: Slot,
  current: Effect.Effect<Slot, RpcError>
): Effect.Effect<Option.Option<Slot>> =>
  newest !== undefined && FalseSlot.isFar(newest, slot) ? FalseSlot.contradicted(newest, current) : Effect.succeedNone

/** Follows accounts that one call can read together. */
const followAccounts = (
  live: Stream.Stream<Contextual<AccountInfo>, InvalidInput | SubscriptionError>,
  read: (minContextSlot?: Slot) => Effect.Effect<Contextual<ReadonlyArray<AccountInfo>>, RpcError>,
  current: Effect.Effect<Slot, RpcError>,
  most: { readonly accounts: number; readonly bytes: number },
  resyncInterval: number
): Stream.Stream<Update<AccountInfo>, InvalidInput | RpcError | SubscriptionError> =>
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
                  ? `the program has more than ${most.accounts} accounts that pass the filters: raise maxAccounts, or filter more`
                  : `the accounts that pass the filters hold more than ${most.bytes} bytes of data: raise maxAccountBytes, or filter more`
            })
          )
    return follow<Contextual<AccountInfo>, Update<AccountInfo>, RpcError | SubscriptionError>({
      live,
      established: (subscription) =>
        slotOf(subscription, known.newest).pipe(
          Effect.flatMap((slot) =>
            FalseSlot.readFrom(slot, (minContextSlot) => persist(read(minContextSlot)), {
              current,
              onFalse: (slot) => known.takeBack(slot)
            })
          ),
          Effect.flatMap(({ slot, value }) => {
            const hole = gap(known.newest, slot)
            return bounded([...hole, ...known.read(slot, value)])
          })
        ),
      notified: ({ slot, value }) => Effect.suspend(() => bounded(known.notified(slot, value))),
      resync: Effect.flatMap(read(), ({ slot, value }) =>
        Effect.map(doubted(known.newest, slot, current), (reached) =>
          Effect.suspend(() => {
            if (Option.isSome(reached)) known.takeBack(reached.value)
            return bounded(known.resynced(slot, value))
          })
        )
      ),
      resyncInterval
    })
  })

/**
 * Follows one account: emits its present state, then each change.
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
          pool.getAccountInfo(address, { commitment, minContextSlot }).pipe(
            Effect.catchTag("InvalidInput", Effect.die),
            Effect.map(({ slot, value }) => ({ slot, value: Option.toArray(value) }))
          ),
        slotAt(pool, commitment),
        { accounts: 1, bytes: Infinity },
        resyncInterval
      )
    })
  )

/**
 * The accounts to follow, and the bound on how many the follower keeps.
 *
 * @since 0.1.0
 * @category models
 */
export interface ProgramOptions extends Options, Pick<ProgramAccountsOptions, "filters" | "dataSlice"> {
  /**
   * Number of accounts that the follower keeps in memory, with their data, to recognise repetitions. Default: 100,000.
   * Above it the Stream fails with `SubscriptionError` (`Refused`). Too low: the Stream fails as the program grows. Too
   * high: a growing program fills the memory.
   */
  readonly maxAccounts?: number | undefined
  /**
   * Maximum bytes of the data of those accounts. Default: 256 MiB. With more the Stream fails. Too low: a program with
   * large accounts cannot be followed. Too high: a hostile node can fill the memory.
   */
  readonly maxAccountBytes?: number | undefined
}

/**
 * Follows the accounts of a program: emits the present state of all, then each change. The updates of one read form one chunk.
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
      yield* Addresses.parse(address)
      const maxAccounts = yield* integer("maxAccounts", options.maxAccounts ?? 100_000, 1)
      const bytes = yield* integer("maxAccountBytes", options.maxAccountBytes ?? 256 * 1024 * 1024, 1)
      const resyncInterval = yield* intervalOf(options)
      const which = { commitment, dataSlice, filters }
      return followAccounts(
        pool.programSubscribe(address, which),
        (minContextSlot) =>
          Effect.catchTag(pool.getProgramAccounts(address, { ...which, minContextSlot }), "InvalidInput", Effect.die),
        slotAt(pool, commitment),
        { accounts: maxAccounts, bytes },
        resyncInterval
      )
    })
  )

/**
 * Emits one element when the transaction reaches the commitment, or at once if it already has. Then the Stream ends. If the
 * transaction never lands, the Stream emits nothing and stays open.
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
      yield* Signatures.parse(signature)
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
            ({ slot, err }): Answer => model({ slot, value: { err } })
          )
        })
      )
      const current = slotAt(pool, commitment)
      const lookAt = (from: Slot = 0n): Effect.Effect<Option.Option<Answer>, RpcError> =>
        Effect.flatMap(persist(look), ({ slot, answer }) =>
          Option.isSome(answer) || slot >= from
            ? Effect.succeed(answer)
            : Effect.zipRight(Effect.sleep("400 millis"), lookAt(from))
        )
      return follow<Answer, Answer, RpcError>({
        live: pool.signatureSubscribe(signature, { commitment }),
        established: (subscription) =>
          slotOf(subscription, undefined).pipe(
            Effect.flatMap((slot) => FalseSlot.readFrom(slot, lookAt, { current, onFalse: constVoid })),
            Effect.map(Option.toArray)
          ),
        notified: (answer) => Effect.succeed([answer]),
        resync: Effect.map(look, ({ answer }) => Effect.succeed(Option.toArray(answer))),
        resyncInterval
      })
    })
  ).pipe(Stream.take(1))

/**
 * The commitment of the logs, and how many transactions are read back after a loss.
 *
 * @since 0.1.0
 * @category models
 */
export interface LogsOptions extends FollowOptions {
  /** Default: `confirmed`. `processed` is excluded, because nodes serve no transactions at that commitment. */
  readonly commitment?: Exclude<Commitment, "processed"> | undefined
  /**
   * Number of transactions to read back after a loss; a `Gap` stands for older ones. Default: 1,000, which costs one
   * page of history and one call per transaction. Too low: gaps. Too high: new logs are delayed.
   */
  readonly maxTransactions?: number | undefined
}

/**
 * Emits the logs of each new transaction that mentions an address. After an interruption it reads the missed transactions
 * from the address's history, oldest first, before it continues. It emits a `Gap` for a transaction that the node has pruned.
 *
 * For all transactions of the cluster use `logsSubscribe` itself: the chain has no history that could fill its gaps.
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
      yield* Addresses.parse(mentions, "mentions")
      const maxTransactions = yield* integer("maxTransactions", options.maxTransactions ?? 1000, 1)
      const resyncInterval = yield* intervalOf(options)
      const history = new LogHistory(pool, mentions, commitment, maxTransactions)
      yield* history.begin
      return follow<Contextual<TransactionLogs>, Update<TransactionLogs>, RpcError>({
        live: pool.logsSubscribe({ mentions }, { commitment }),
        established: (subscription) =>
          slotOf(subscription, history.newest).pipe(
            Effect.flatMap((slot) =>
              FalseSlot.readFrom(slot, (minContextSlot) => history.recent(minContextSlot), {
                current: slotAt(pool, commitment),
                onFalse: (slot) => history.takeBack(slot)
              })
            ),
            Effect.flatMap((recent) => history.updates(recent))
          ),
        notified: ({ slot, value }) => Effect.sync(() => history.notified(slot, value)),
        resync: Effect.map(history.recent(), (recent) => history.updates(recent)),
        resyncInterval
      })
    })
  )
