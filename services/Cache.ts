/**
 * A cache of the program's accounts, and of an application's own values, that never returns an invalidated value.
 *
 * If this service is in the context, `Agent.get`, `Channel.get` and the other reads of single accounts go through it.
 * Values are in two levels: the memory of the process, bounded in entries and bytes, and optionally a `CacheStore`, which
 * outlives the process. Lists, and the reads of a write before its signing, always ask the network.
 *
 * | event | guarantee |
 * |---|---|
 * | a write of this process is confirmed at slot s | reads that begin after its receipt give slot s or later |
 * | `fence(address, s)` | reads that begin after it give slot s or later; a read in progress asks again |
 * | an endpoint lags | another one is asked, then the read waits, at most `catchUp`; an older account only with `stale: "allow"` |
 * | the time to live is over | `cache-first` asks the network; for the other policies see `Policy` |
 * | a read fails, or its fiber is interrupted | nothing is kept; other readers of the same account continue |
 * | a feed of changes is behind | accounts and tagged values are served for at most `uncoveredTtl`, until it has caught up |
 * | the store fails | reads go on without it; the `CacheError` is logged once and counted in `pod_cache_store_errors_total` |
 *
 * @since 0.1.0
 */
import type { Address, Slot } from "@solana/kit"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import type * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Check from "../src/internal/check.js"
import type { InvalidInput } from "../src/InvalidInput.js"
import type { AccountDecodeError } from "../src/protocol/Account.js"
import type { AccountType } from "../src/protocol/AccountType.js"
import * as Addresses from "../src/solana/Address.js"
import type { CachedAccount } from "./cache/accounts.js"
import * as Accounts from "./cache/accounts.js"
import type { CallOptions } from "./cache/Call.js"
import * as Call from "./cache/Call.js"
import type { Tracking } from "./cache/Coverage.js"
import * as Key from "./cache/Key.js"
import { Levels } from "./cache/Levels.js"
import type { Namespace, NamespaceOptions } from "./cache/namespaces.js"
import { Namespaces } from "./cache/namespaces.js"
import * as Options from "./cache/Options.js"
import * as Store from "./cache/Store.js"
import { CacheStore } from "./CacheStore.js"
import * as TestLayer from "./internal/testLayer.js"
import type { AccountNotFound, ReadError } from "./ProgramAccount.js"
import { ProgramId } from "./ProgramId.js"
import { type AccountInfo, RpcPool } from "./RpcPool.js"
import type { RpcError } from "./RpcTransport.js"

export type { CachedAccount } from "./cache/accounts.js"
export type { CallOptions } from "./cache/Call.js"
export type { Namespace, NamespaceOptions, Target, ValueOptions } from "./cache/namespaces.js"
export { defaults } from "./cache/Options.js"
export type { Options, Policy } from "./cache/Options.js"
export type { Tracking } from "./cache/Coverage.js"

/**
 * The target of an invalidation: one account (`address`), all values with a tag (`tag`), all values with a tag at or below
 * a path (`prefix`), or everything. Tags count in all namespaces. A path ends at the end of a segment: `channel:7` covers
 * `channel:7` and `channel:7:messages`, but not `channel:77`.
 *
 * @since 0.1.0
 * @category models
 */
export type Invalidation =
  | { readonly address: Address }
  | { readonly tag: string }
  | { readonly prefix: string }
  | "all"

/**
 * The size of a cache, and its reads since it was made, by the source of the answer.
 *
 * @since 0.1.0
 * @category models
 */
export interface Stats {
  /** Entries of the first level. */
  readonly entries: number
  /** Bytes of the first level. */
  readonly bytes: number
  /** Entries of the first level that made room for others. */
  readonly evictions: number
  /** Reads answered by the first level. */
  readonly memory: number
  /** Reads answered by the second level. */
  readonly store: number
  /** Reads answered with a value past its time to live, or an invalidated one where the caller allows it. */
  readonly stale: number
  /** Reads for which the network or the application's own source was asked. */
  readonly network: number
}

/**
 * The operations of a cache.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * The account of this type at an address, with the slot at which it was read. Without `options`, those of
   * {@link withOptions} apply.
   */
  readonly account: <A>(
    type: AccountType<A>,
    address: Address,
    options?: CallOptions
  ) => Effect.Effect<CachedAccount<A>, ReadError>
  /**
   * As `account`, without a step of the fiber, for a caller that runs in this fiber. Returns the account, and counts a
   * read, if the first level has it and the call's policy allows it. `undefined` if the second level or the cluster must
   * be asked.
   */
  readonly unsafeHit: <A>(
    fiber: Fiber.RuntimeFiber<unknown, unknown>,
    type: AccountType<A>,
    address: Address
  ) => Effect.Effect<CachedAccount<A>, ReadError> | undefined
  /**
   * The accounts of this type at many addresses, at most 10,000, in their order. Accounts that are not cached are read in
   * calls of up to 100 addresses. An account that is absent or cannot be decoded does not fail the others.
   */
  readonly accounts: <A>(
    type: AccountType<A>,
    addresses: ReadonlyArray<Address>,
    options?: CallOptions
  ) => Effect.Effect<
    ReadonlyArray<Either.Either<CachedAccount<A>, AccountDecodeError | AccountNotFound>>,
    InvalidInput | RpcError
  >
  /**
   * Gives the cache an account that was read elsewhere at a slot, such as by a subscription. It is not kept if it is older
   * than the known one, has another type, or exceeds 64 KiB. An account of another program counts as absent. Reads that
   * begin later return this account or a newer one.
   */
  readonly put: <A>(type: AccountType<A>, info: AccountInfo, slot: Slot) => Effect.Effect<void, InvalidInput>
  /**
   * Records that the accounts changed at a slot: no later read returns an older account. A slot more than 450 above all
   * known slots is compared with the pool's slot; an impossible one counts as `invalidate`.
   */
  readonly fence: (addresses: ReadonlyArray<Address>, slot: Slot) => Effect.Effect<void, InvalidInput>
  /** Invalidates a target that changed at an unknown time. Reads in progress ask again. */
  readonly invalidate: (target: Invalidation) => Effect.Effect<void, InvalidInput>
  /**
   * Sets how well a feed of changes covers the accounts and the tagged values. Uncovered ones live for at most
   * `uncoveredTtl`.
   *
   * - `off`: there is no feed, and each time to live applies unchanged. This is the initial state.
   * - `behind`: changes are not reported now.
   * - `resumed`: each change since the feed fell behind was reported.
   * - `restarted`: each change from now on is reported. Earlier reads stay uncovered.
   */
  readonly track: (tracking: Tracking) => Effect.Effect<void>
  /** Values of an application under its own keys: see {@link namespace}. */
  readonly namespace: <A, I>(
    name: string,
    schema: Schema.Schema<A, I>,
    options?: NamespaceOptions
  ) => Effect.Effect<Namespace<A>, InvalidInput>
  readonly stats: Effect.Effect<Stats>
}

/**
 * The cache.
 *
 * @example
 * ```ts
 * import { Agent, Cache } from "@pod-protocol/effect"
 * import type { Address } from "@solana/kit"
 * import * as Effect from "effect/Effect"
 *
 * // Agent.get asks the cache wherever one is provided.
 * export const reputation = (wallet: Address) =>
 *   Effect.flatMap(Agent.Agent, (agents) => agents.get(wallet)).pipe(
 *     Cache.withOptions({ policy: "stale-while-revalidate" }),
 *     Effect.map(({ account }) => account.reputation)
 *   )
 * ```
 *
 * @since 0.1.0
 * @category tags
 */
export class Cache extends Context.Tag("@pod-protocol/effect/Cache")<Cache, Service>() {}

/**
 * Gives all cached reads of accounts in an effect these options; reads of namespaces have their own. `InvalidInput` for one
 * out of its range. Without a cache they have no effect.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withOptions =
  (options: CallOptions) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | InvalidInput, R> =>
    Effect.flatMap(Call.check(options), () =>
      Effect.mapInputContext(effect, (context: Context.Context<R>) => Context.add(context, Call.CurrentCall, options))
    )

/**
 * Values of one type under keys of an application's own, over the same levels, budgets and policies as the accounts. They
 * are kept as the Schema encodes them, which must be JSON. A kept value that the Schema refuses, after an upgrade, counts as
 * absent. Two namespaces of one name share their values.
 *
 * @example
 * ```ts
 * import { Cache } from "@pod-protocol/effect"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 *
 * declare const fetchProfile: (agent: string) => Effect.Effect<{ readonly name: string }, Error>
 *
 * export const profileOf = (agent: string) =>
 *   Effect.gen(function* () {
 *     const profiles = yield* Cache.namespace("profiles", Schema.Struct({ name: Schema.String }))
 *     return yield* profiles.getOrLoad(`agent:${agent}`, fetchProfile(agent), { tags: ["profiles"] })
 *   })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const namespace = <A, I>(
  name: string,
  schema: Schema.Schema<A, I>,
  options?: NamespaceOptions
): Effect.Effect<Namespace<A>, InvalidInput, Cache> =>
  Effect.flatMap(Cache, (cache) => cache.namespace(name, schema, options))

const MAX_MANY = 10_000

const checkAll = (addresses: ReadonlyArray<Address>): Effect.Effect<void, InvalidInput> =>
  Effect.forEach(
    addresses,
    (address, index): Effect.Effect<void, InvalidInput> =>
      Addresses.check(address, `addresses[${index}]`) ?? Effect.void,
    { discard: true }
  )

const over = (levels: Levels, pool: RpcPool["Type"], programId: Address): Effect.Effect<Service> => {
  const accounts = new Accounts.Accounts({ levels, pool, programId })
  const namespaces = new Namespaces(levels)
  const service = Cache.of({
    account: (type, address, options) => {
      const refused = Addresses.check(address, "address")
      if (refused !== undefined) return refused
      return options === undefined
        ? accounts.read(type, address)
        : Effect.flatMap(Call.check(options), (checked) => accounts.read(type, address, checked))
    },
    unsafeHit: (fiber, type, address) => accounts.hit(fiber, type, address),
    accounts: (type, addresses, options) =>
      Effect.all(
        [Check.items("addresses", addresses.length, MAX_MANY), checkAll(addresses), Call.check(options ?? {})],
        {
          discard: true
        }
      ).pipe(Effect.flatMap(() => accounts.readMany(type, addresses, options))),
    put: (type, info, slot) =>
      Effect.zipRight(
        checkAll([info.address]),
        Effect.flatMap(Check.bigInteger("slot", slot), () => accounts.put(type, info, slot))
      ),
    fence: (addresses, slot) =>
      Effect.zipRight(
        checkAll(addresses),
        Effect.flatMap(Check.bigInteger("slot", slot), () => accounts.fence(addresses, slot))
      ),
    invalidate: (target) => {
      if (target === "all") return Effect.zipRight(accounts.forget, namespaces.forget)
      if ("tag" in target) return namespaces.invalidateTag(target.tag)
      if ("prefix" in target) return namespaces.invalidateTags(target.prefix)
      return Addresses.check(target.address, "address") ?? accounts.invalidate([target.address])
    },
    track: (tracking) =>
      Effect.withFiberRuntime((fiber) => {
        levels.coverage.track(fiber, tracking)
        return Effect.void
      }),
    namespace: (name, schema, options) => namespaces.make(name, schema, options),
    stats: Effect.sync(() => {
      const { bytes, evictions, size } = levels.memory
      return { entries: size, bytes, evictions, ...levels.counts }
    })
  })
  return Effect.as(namespaces.recall, service)
}

/**
 * Builds a cache without a second level over the `RpcPool` in context, for the current `ProgramId`. `InvalidInput` for an
 * option out of its range.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeMemory = (
  options: Options.Options = {}
): Effect.Effect<Service, InvalidInput, RpcPool | Scope.Scope> =>
  Effect.gen(function* () {
    const settings = yield* Options.check(options)
    return yield* over(new Levels(settings, yield* Effect.scope, undefined), yield* RpcPool, yield* ProgramId)
  })

/**
 * Builds a cache of two levels over the `RpcPool` and the `CacheStore` in context, for the current `ProgramId`. It asks the
 * pool for the genesis hash, so that clusters which share a store never meet. `InvalidInput` for an option out of its range.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options.Options = {}
): Effect.Effect<Service, InvalidInput | RpcError, CacheStore | RpcPool | Scope.Scope> =>
  Effect.gen(function* () {
    const settings = yield* Options.check(options)
    const pool = yield* RpcPool
    const programId = yield* ProgramId
    const store = yield* Store.make(yield* CacheStore, Key.make(yield* pool.getGenesisHash, programId))
    return yield* over(new Levels(settings, yield* Effect.scope, store), pool, programId)
  })

/**
 * A cache in memory alone.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerMemory = (options?: Options.Options): Layer.Layer<Cache, InvalidInput, RpcPool> =>
  Layer.scoped(Cache, makeMemory(options))

/**
 * A cache of two levels: the memory of the process over a `CacheStore`.
 *
 * @example
 * ```ts
 * import { Cache, CacheStoreSqlite } from "@pod-protocol/effect"
 * import * as Layer from "effect/Layer"
 *
 * export const CacheLive = Cache.layer().pipe(Layer.provide(CacheStoreSqlite.layer({ directory: "cache" })))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options?: Options.Options): Layer.Layer<Cache, InvalidInput | RpcError, CacheStore | RpcPool> =>
  Layer.scoped(Cache, make(options))

/**
 * {@link layerMemory} with options from a `Config` with the application's own names.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  options: Config.Config.Wrap<Options.Options>
): Layer.Layer<Cache, ConfigError.ConfigError | InvalidInput, RpcPool> =>
  Layer.unwrapEffect(Effect.map(Config.unwrap(options), layerMemory))

/**
 * A cache that keeps nothing: each read asks the network, and each `getOrLoad` loads, unless it can share a load in
 * progress.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerNoop: Layer.Layer<Cache, never, RpcPool> = Layer.orDie(layerMemory({ policy: "bypass", maxBytes: 1 }))

/**
 * A test layer from stubs: a call to a missing method dies with the method's name. By default, `unsafeHit` finds nothing,
 * so `account` is called.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerTest = (stubs: Partial<Service>): Layer.Layer<Cache> =>
  TestLayer.layer(Cache, { unsafeHit: () => undefined, ...stubs })
