/**
 * Reads the accounts of the program for the public services: one account, a list, or a list with its changes.
 *
 * An endpoint's list is not trusted. An account counts only if the program owns it, it matches the filters, it occurs
 * once, it can be decoded, and its fields do not give another address. The others are left out, counted and logged. The
 * fields of an account that is read by its address must give this address.
 */
import type { Address, Slot } from "@solana/kit"
import * as Arr from "effect/Array"
import * as Channel from "effect/Channel"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { InvalidInput } from "../../src/InvalidInput.js"
import { type AccountDecodeError, type AccountTag, discriminator } from "../../src/protocol/Account.js"
import type { AccountType } from "../../src/protocol/AccountType.js"
import * as Addresses from "../../src/solana/Address.js"
import { Cache } from "../Cache.js"
import * as Follow from "../Follow.js"
import * as Turns from "../internal/eventLoop.js"
import { isAt, located } from "../internal/located.js"
import * as Metrics from "../Metrics.js"
import {
  AccountNotFound,
  type FollowError,
  type Listing,
  type ListError,
  type ProgramAccount,
  type ReadError
} from "../ProgramAccount.js"
import { ProgramId } from "../ProgramId.js"
import type { AccountInfo } from "../RpcPool.js"
import { type AccountFilter, type AccountOptions, RpcPool } from "../RpcPool.js"
import type { RpcError } from "../RpcTransport.js"
import * as Once from "./firstSeen.js"
import * as SharedFollow from "./SharedFollow.js"

/** The next elements of a follower. */
type Pull<A> = Effect.Effect<Chunk.Chunk<A>, Option.Option<FollowError>>

/** As `Stream.fromPull`. That treats the scoped effect as a Stream of one Stream, which takes 4 KiB more. */
const fromPull = <A>(pull: (scope: Scope.Scope) => Effect.Effect<Pull<A>>): Stream.Stream<A, FollowError> =>
  Stream.fromChannel(
    Channel.acquireUseRelease(
      Scope.make(),
      (scope) =>
        Channel.unwrap(Effect.map(pull(scope), (next) => Stream.toChannel(Stream.repeatEffectChunkOption(next)))),
      Scope.close
    )
  )

/** A query for accounts of one type, oldest first, or unsorted. */
export interface Query<A> {
  readonly type: AccountType<A>
  /** Addresses that the data must hold, with their offsets. */
  readonly where: ReadonlyArray<readonly [offset: number, address: Address]>
  /**
   * Unix seconds at which an account was created. Without it, the list is unsorted, which saves time on the event loop.
   */
  readonly createdAt?: (account: A) => bigint
}

/** A node's list, and the slot of its answer. */
export interface Snapshot<A> {
  readonly slot: Slot
  readonly value: ReadonlyArray<ProgramAccount<A>>
}

/** Reads of single accounts. */
export interface Read {
  /** The account, where the cache's memory has it. Takes no step of the fiber. */
  readonly hit: Cache["Type"]["unsafeHit"]
  readonly fetch: <A>(type: AccountType<A>, address: Address) => Effect.Effect<ProgramAccount<A>, ReadError>
  readonly exists: <A>(type: AccountType<A>, address: Address) => Effect.Effect<boolean, InvalidInput | RpcError>
}

export interface Accounts extends Read {
  readonly programId: Address
  /** Reads past the cache. Writes rely on these. */
  readonly fresh: Read
  readonly list: <A>(query: Query<A>) => Effect.Effect<ReadonlyArray<ProgramAccount<A>>, RpcError>
  readonly listAt: <A>(query: Query<A>, minContextSlot?: Slot) => Effect.Effect<Snapshot<A>, RpcError>
  /** The existing accounts, and with `follow` each new account, each once. */
  readonly stream: <A>(
    query: Query<A>,
    follow?: boolean | Follow.FollowOptions
  ) => Stream.Stream<ProgramAccount<A>, FollowError>
}

/** Types a listing by its option `follow`: without it, the Stream cannot fail with a subscription error. */
export const listing = <A, Options extends { readonly follow?: unknown }>(
  list: (address: Address, options?: Options) => Stream.Stream<ProgramAccount<A>, FollowError>
): Listing<A, Options> => {
  function typed(
    address: Address,
    options?: Options & { readonly follow?: false | undefined }
  ): Stream.Stream<ProgramAccount<A>, ListError>
  function typed(address: Address, options?: Options): Stream.Stream<ProgramAccount<A>, FollowError>
  function typed(address: Address, options?: Options) {
    return list(address, options)
  }
  return typed
}

/** Bytes that the data of an account must hold at an offset. */
interface Filter {
  readonly offset: number
  readonly bytes: Uint8Array
}

const filtersOf = <A>({ type, where }: Query<A>): ReadonlyArray<Filter> => [
  { offset: 0, bytes: discriminator(type.tag) },
  ...where.map(([offset, address]) => ({ offset, bytes: Addresses.toBytes(address) }))
]

const memcmp = (filters: ReadonlyArray<Filter>): ReadonlyArray<AccountFilter> => filters.map((memcmp) => ({ memcmp }))

const holds = (data: Uint8Array, { bytes, offset }: Filter): boolean => {
  for (let at = 0; at < bytes.length; at++) if (data[offset + at] !== bytes[at]) return false
  return true
}

const holdsAll = (data: Uint8Array, filters: ReadonlyArray<Filter>): boolean => {
  for (const filter of filters) if (!holds(data, filter)) return false
  return true
}

const byAddress = Order.mapInput(Order.string, ({ address }: ProgramAccount<unknown>) => address)

const oldestFirst =
  <A>(createdAt: Query<A>["createdAt"]) =>
  (accounts: ReadonlyArray<ProgramAccount<A>>): Array<ProgramAccount<A>> => {
    if (createdAt === undefined) return Arr.copy(accounts)
    const byAge = Order.mapInput(Order.bigint, ({ account }: ProgramAccount<A>) => createdAt(account))
    return Arr.sortBy(byAge, byAddress)(accounts)
  }

const refused = {
  owner: Metrics.accountsRefusedOf("owner"),
  filter: Metrics.accountsRefusedOf("filter"),
  double: Metrics.accountsRefusedOf("double"),
  address: Metrics.accountsRefusedOf("address"),
  decode: Metrics.accountsRefusedOf("decode")
}

interface Refusal {
  readonly address: Address
  readonly reason: keyof typeof refused
  readonly detail: string
}

/** Counts the accounts that are left out, and logs the first of them. */
const report = (tag: AccountTag, refusals: ReadonlyArray<Refusal>): Effect.Effect<void> => {
  const [first] = refusals
  if (first === undefined) return Effect.void
  return Effect.zipRight(
    Effect.forEach(refusals, ({ reason }) => Metric.increment(refused[reason]), { discard: true }),
    Effect.logWarning(
      `Left out ${refusals.length} of the accounts that the endpoint listed as ${tag}. The first is ${first.address}: ${first.detail}`
    )
  )
}

/** Accounts per part of a list. A part is decoded and checked in less than a millisecond, except for the first ones. */
const PART = 64

/** Whether an account of the type exists, from the result of a read. Its fields do not matter. */
const existence = <A>(read: Effect.Effect<A, ReadError>): Effect.Effect<boolean, InvalidInput | RpcError> =>
  read.pipe(
    Effect.as(true),
    Effect.catchTags({
      AccountNotFound: () => Effect.succeed(false),
      AccountDecodeError: ({ reason }) => Effect.succeed(reason === "Layout")
    })
  )

/** Reads through the cache. */
const cached = ({ account, unsafeHit }: Cache["Type"]): Read => ({
  hit: unsafeHit,
  fetch: account,
  exists: (type, address) => existence(account(type, address))
})

export const make: Effect.Effect<Accounts, never, RpcPool> = Effect.gen(function* () {
  const pool = yield* RpcPool
  const programId = yield* ProgramId
  const cache = yield* Effect.serviceOption(Cache)
  const shared = yield* SharedFollow.make(pool, programId)

  const owned = (address: Address, options?: AccountOptions) =>
    Effect.map(pool.getAccountInfo(address, options), ({ value }) =>
      Option.filter(value, ({ owner }) => owner === programId)
    )

  /** Decodes a list and leaves out bad accounts. */
  const decodeInOrder = <A>(
    { createdAt, type }: Query<A>,
    filters: ReadonlyArray<Filter>,
    infos: Iterable<AccountInfo>
  ): Effect.Effect<Array<ProgramAccount<A>>> =>
    Effect.suspend(() => {
      const seen = new Set<Address>()
      const refusals: Array<Refusal> = []
      const decode = ({ address, data, owner }: AccountInfo): A | undefined => {
        const refuse = (reason: Refusal["reason"], detail: string) => {
          refusals.push({ address, reason, detail })
          return undefined
        }
        if (owner !== programId) return refuse("owner", `it belongs to ${owner}`)
        if (!holdsAll(data, filters)) return refuse("filter", "it does not match the filters")
        if (seen.size === seen.add(address).size) return refuse("double", "it is in the list twice")
        const decoded = type.decode(data)
        if (Either.isLeft(decoded)) return refuse("decode", decoded.left.message)
        return isAt(type, address, decoded.right, programId)
          ? decoded.right
          : refuse("address", "its fields give another address")
      }
      return Turns.flatMap(Turns.lazyPartsOf(Arr.fromIterable(infos), PART), (part) => {
        const decoded: Array<ProgramAccount<A>> = []
        for (const info of part) {
          const account = decode(info)
          if (account !== undefined) decoded.push({ address: info.address, account })
        }
        return Either.right(decoded)
      }).pipe(Effect.zipLeft(Effect.suspend(() => report(type.tag, refusals))), Effect.map(oldestFirst(createdAt)))
    })

  const listAt = <A>(query: Query<A>, minContextSlot?: Slot): Effect.Effect<Snapshot<A>, RpcError> => {
    const filters = filtersOf(query)
    return pool.getProgramAccounts(programId, { filters: memcmp(filters), minContextSlot }).pipe(
      Effect.catchTag("InvalidInput", Effect.die),
      Effect.flatMap(({ slot, value }) =>
        Effect.map(decodeInOrder(query, filters, value), (value) => ({ slot, value }))
      )
    )
  }

  const list = <A>(query: Query<A>): Effect.Effect<ReadonlyArray<ProgramAccount<A>>, RpcError> =>
    Effect.map(listAt(query), ({ value }) => value)

  const follow = <A>(query: Query<A>, options: Follow.FollowOptions): Stream.Stream<ProgramAccount<A>, FollowError> => {
    const { type, where } = query
    const alone = () =>
      Follow.program(programId, { ...options, filters: memcmp(filtersOf(query)) }).pipe(
        Stream.filterMap((update) => (update._tag === "Value" ? Option.some(update.value) : Option.none())),
        Stream.provideService(RpcPool, pool)
      )
    const [field] = where
    const infos = (scope: Scope.Scope): Effect.Effect<Pull<AccountInfo>> =>
      options.share === false || field === undefined || where.length > 1
        ? Scope.extend(Stream.toPull(alone()), scope)
        : shared({ tag: type.tag, offset: field[0], address: field[1], options, alone }, scope)
    // Each operator of a Stream costs as much memory as all else that a follower keeps, so the pull decodes.
    const decoded = (pull: Pull<AccountInfo>): Pull<ProgramAccount<A>> => {
      const isFirst = Once.make()
      const next: Pull<ProgramAccount<A>> = Effect.flatMap(pull, (infos) =>
        Effect.flatMap(decodeInOrder(query, filtersOf(query), infos), (accounts) => {
          const seenFirst = accounts.filter(isFirst)
          return seenFirst.length === 0 ? next : Effect.succeed(Chunk.unsafeFromArray(seenFirst))
        })
      )
      return next
    }
    return fromPull((scope) => Effect.map(infos(scope), decoded))
  }

  const fresh: Read = {
    hit: () => undefined,
    fetch: <A>(type: AccountType<A>, address: Address) =>
      Effect.flatMap(
        owned(address),
        Option.match({
          onNone: () => Either.left(new AccountNotFound({ account: type.tag, address })),
          onSome: (info): Either.Either<ProgramAccount<A>, AccountDecodeError | AccountNotFound | RpcError> =>
            Either.flatMap(type.decode(info.data), (account) => {
              const swapped = located(type, address, account, programId)
              return swapped === undefined ? Either.right({ address, account }) : Either.left(swapped)
            })
        })
      ),
    exists: ({ tag }, address) => {
      const prefix = discriminator(tag)
      return Effect.map(
        owned(address, { dataSlice: { offset: 0, length: prefix.length } }),
        Option.exists(({ data }) => holds(data, { offset: 0, bytes: prefix }))
      )
    }
  }

  return {
    programId,
    ...Option.match(cache, { onNone: () => fresh, onSome: cached }),
    fresh,
    list,
    listAt,
    stream: (query, live = false) =>
      live === false ? Stream.fromIterableEffect(list(query)) : follow(query, live === true ? {} : live)
  }
})
