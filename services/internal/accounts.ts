/**
 * @since 0.1.0
 */
import type { Address } from "@solana/kit"
import * as Arr from "effect/Array"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FiberStatus from "effect/FiberStatus"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type * as Take from "effect/Take"
import { type AccountDecodeError, type AccountTag, discriminator } from "../../src/protocol/Account.js"
import * as Addresses from "../../src/solana/Address.js"
import { AccountNotFound, type ListError, type ProgramAccount, type ReadError } from "../ProgramAccount.js"
import { ProgramId } from "../ProgramId.js"
import type { AccountInfo, Contextual } from "../rpc/Reply.js"
import { type AccountFilter, type AccountOptions, RpcPool } from "../RpcPool.js"
import type { RpcError, SubscriptionError } from "../RpcTransport.js"
import * as Once from "./once.js"

/** How one kind of account is told from the others and read. */
export interface AccountType<A> {
  readonly tag: AccountTag
  readonly decode: (bytes: Uint8Array) => Either.Either<A, AccountDecodeError>
}

/** A list of accounts in the order in which they came to be. */
export interface Query<A> {
  readonly type: AccountType<A>
  /** Addresses that the data holds, by their offset in it. */
  readonly where: ReadonlyArray<readonly [offset: number, address: Address]>
  /** Unix seconds at which an account was made. */
  readonly createdAt: (account: A) => bigint
}

export interface Accounts {
  readonly programId: Address
  readonly fetch: <A>(type: AccountType<A>, address: Address) => Effect.Effect<ProgramAccount<A>, ReadError>
  readonly exists: (tag: AccountTag, address: Address) => Effect.Effect<boolean, RpcError>
  readonly list: <A>(query: Query<A>) => Effect.Effect<ReadonlyArray<ProgramAccount<A>>, ListError>
  /** Those that exist, and with `follow` those that come after them, each once. */
  readonly stream: <A>(
    query: Query<A>,
    follow?: boolean
  ) => Stream.Stream<ProgramAccount<A>, ListError | SubscriptionError>
}

/** Notifications wait here while the accounts that exist are listed. */
const LIVE_BUFFER = 1024

/**
 * A subscriber that waits has subscribed, in process. Over a socket it may wait for that socket, and what lands
 * meanwhile is not notified: so the accounts are listed again, when most subscriptions are open, and when the slowest is.
 */
const CATCH_UP_AFTER: ReadonlyArray<Duration.DurationInput> = ["1 seconds", "30 seconds"]

const filtersOf = <A>({ type, where }: Query<A>): ReadonlyArray<AccountFilter> => [
  { memcmp: { offset: 0, bytes: discriminator(type.tag) } },
  ...where.map(([offset, address]) => ({ memcmp: { offset, bytes: Addresses.toBytes(address) } }))
]

const byAddress = Order.mapInput(Order.string, ({ address }: ProgramAccount<unknown>) => address)

const decode = <A>(
  type: AccountType<A>,
  { address, data }: AccountInfo
): Either.Either<ProgramAccount<A>, AccountDecodeError> =>
  Either.map(type.decode(data), (account) => ({ address, account }))

const startsWith = (bytes: Uint8Array, prefix: Uint8Array): boolean =>
  bytes.length >= prefix.length && prefix.every((byte, index) => bytes[index] === byte)

export const make: Effect.Effect<Accounts, never, RpcPool> = Effect.gen(function* () {
  const pool = yield* RpcPool
  const programId = yield* ProgramId

  const owned = (address: Address, options?: AccountOptions) =>
    Effect.map(pool.getAccountInfo(address, options), ({ value }) =>
      Option.filter(value, ({ owner }) => owner === programId)
    )

  const list = <A>(query: Query<A>): Effect.Effect<ReadonlyArray<ProgramAccount<A>>, ListError> => {
    const byAge = Order.mapInput(Order.bigint, ({ account }: ProgramAccount<A>) => query.createdAt(account))
    return pool.getProgramAccounts(programId, { filters: filtersOf(query) }).pipe(
      Effect.flatMap(({ value }) => Either.all(value.map((info) => decode(query.type, info)))),
      Effect.map(Arr.sortBy(byAge, byAddress))
    )
  }

  const follow = <A>(query: Query<A>): Stream.Stream<ProgramAccount<A>, ListError | SubscriptionError> =>
    Stream.unwrapScoped(
      Effect.gen(function* () {
        const notifications = yield* Queue.bounded<Take.Take<Contextual<AccountInfo>, SubscriptionError>>(LIVE_BUFFER)
        const subscriber = yield* pool
          .programSubscribe(programId, { filters: filtersOf(query) })
          .pipe(Stream.runIntoQueue(notifications), Effect.forkScoped)
        yield* Effect.repeat(subscriber.status, { until: (status) => !FiberStatus.isRunning(status) })
        const live = Stream.fromQueue(notifications).pipe(
          Stream.flattenTake,
          Stream.mapEffect(({ value }) => decode(query.type, value))
        )
        const listed = Stream.fromIterableEffect(list(query))
        const missed = Stream.fromIterable(CATCH_UP_AFTER).pipe(
          Stream.mapEffect((wait) => Effect.delay(list(query), wait)),
          Stream.flattenIterables
        )
        return Stream.concat(listed, Stream.merge(live, missed)).pipe(Stream.filter(Once.make(query.createdAt)))
      })
    )

  return {
    programId,
    fetch: <A>(type: AccountType<A>, address: Address) =>
      Effect.flatMap(
        owned(address),
        Option.match({
          onNone: () => Either.left(new AccountNotFound({ account: type.tag, address })),
          onSome: (info): Either.Either<ProgramAccount<A>, AccountDecodeError | AccountNotFound> => decode(type, info)
        })
      ),
    exists: (tag, address) => {
      const prefix = discriminator(tag)
      return Effect.map(
        owned(address, { dataSlice: { offset: 0, length: prefix.length } }),
        Option.exists(({ data }) => startsWith(data, prefix))
      )
    },
    list,
    stream: (query, live = false) => (live ? follow(query) : Stream.fromIterableEffect(list(query)))
  }
})
