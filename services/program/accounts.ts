/**
 * @since 0.1.0
 */
import type { Address } from "@solana/kit"
import * as Arr from "effect/Array"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import * as Stream from "effect/Stream"
import { type AccountDecodeError, type AccountTag, discriminator } from "../../src/protocol/Account.js"
import * as Addresses from "../../src/solana/Address.js"
import {
  AccountNotFound,
  decodeMany,
  type FollowError,
  type ListError,
  type ProgramAccount,
  type ReadError
} from "../ProgramAccount.js"
import { ProgramId } from "../ProgramId.js"
import type { AccountInfo } from "../RpcPool.js"
import { type AccountFilter, type AccountOptions, RpcPool } from "../RpcPool.js"
import type { RpcError } from "../RpcTransport.js"
import * as Follow from "../Follow.js"
import * as Once from "./firstSeen.js"

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
    follow?: boolean | Follow.FollowOptions
  ) => Stream.Stream<ProgramAccount<A>, FollowError>
}

const filtersOf = <A>({ type, where }: Query<A>): ReadonlyArray<AccountFilter> => [
  { memcmp: { offset: 0, bytes: discriminator(type.tag) } },
  ...where.map(([offset, address]) => ({ memcmp: { offset, bytes: Addresses.toBytes(address) } }))
]

const byAddress = Order.mapInput(Order.string, ({ address }: ProgramAccount<unknown>) => address)

/** Oldest first. */
const decodeInOrder = <A>(
  { createdAt, type }: Query<A>,
  infos: Iterable<AccountInfo>
): Effect.Effect<Array<ProgramAccount<A>>, AccountDecodeError> => {
  const byAge = Order.mapInput(Order.bigint, ({ account }: ProgramAccount<A>) => createdAt(account))
  return Effect.map(decodeMany(infos, type.decode), Arr.sortBy(byAge, byAddress))
}

const startsWith = (bytes: Uint8Array, prefix: Uint8Array): boolean =>
  bytes.length >= prefix.length && prefix.every((byte, index) => bytes[index] === byte)

export const make: Effect.Effect<Accounts, never, RpcPool> = Effect.gen(function* () {
  const pool = yield* RpcPool
  const programId = yield* ProgramId

  const owned = (address: Address, options?: AccountOptions) =>
    Effect.map(pool.getAccountInfo(address, options), ({ value }) =>
      Option.filter(value, ({ owner }) => owner === programId)
    )

  const list = <A>(query: Query<A>): Effect.Effect<ReadonlyArray<ProgramAccount<A>>, ListError> =>
    Effect.flatMap(pool.getProgramAccounts(programId, { filters: filtersOf(query) }), ({ value }) =>
      decodeInOrder(query, value)
    )

  const follow = <A>(query: Query<A>, options: Follow.FollowOptions): Stream.Stream<ProgramAccount<A>, FollowError> =>
    Follow.program(programId, { ...options, filters: filtersOf(query) }).pipe(
      Stream.filterMap((update) => (update._tag === "Value" ? Option.some(update.value) : Option.none())),
      Stream.mapChunksEffect((infos) => Effect.map(decodeInOrder(query, infos), Chunk.unsafeFromArray)),
      Stream.filter(Once.make()),
      Stream.provideService(RpcPool, pool)
    )

  return {
    programId,
    fetch: <A>(type: AccountType<A>, address: Address) =>
      Effect.flatMap(
        owned(address),
        Option.match({
          onNone: () => Either.left(new AccountNotFound({ account: type.tag, address })),
          onSome: (info): Either.Either<ProgramAccount<A>, AccountDecodeError | AccountNotFound> =>
            Either.map(type.decode(info.data), (account) => ({ address, account }))
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
    stream: (query, live = false) =>
      live === false ? Stream.fromIterableEffect(list(query)) : follow(query, live === true ? {} : live)
  }
})
