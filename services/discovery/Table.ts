/**
 * The index of the accounts of one kind.
 *
 * `load` lists all accounts. `refresh` reads the accounts again that events have changed. After either, the index
 * contains all changes up to a slot. An account that cannot be decoded is left out and counted. No instruction closes
 * an account: if an event names an account that a node does not have, the node lags.
 */
import type { Address, Slot } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import type { Account } from "../../src/protocol/Account.js"
import type { ProtocolEvent } from "../../src/protocol/ProtocolEvent.js"
import * as Limits from "../../src/solana/Limits.js"
import type { CredibleSlots } from "../internal/CredibleSlots.js"
import * as Turns from "../internal/eventLoop.js"
import * as Metrics from "../Metrics.js"
import type { Accounts, Snapshot } from "../program/accounts.js"
import type { Service as RpcPool } from "../RpcPool.js"
import type { RpcError } from "../RpcTransport.js"
import { bucketOf, BUCKETS, type Saved } from "./bucket.js"
import type { Kind, Source } from "./kinds.js"
import type { Savable } from "./Saved.js"
import { type Dated, SearchIndex } from "./SearchIndex.js"

/** Accounts that are added in one step. */
const PART = 32

/** The services and settings that a table reads with. */
export interface Sources {
  readonly accounts: Accounts
  readonly pool: RpcPool
  readonly slots: CredibleSlots
  /** Reads at a slot or later. If the cluster never reaches that slot, it reads the present state. */
  readonly from: <A>(
    least: Slot | undefined,
    read: (least: Slot | undefined) => Effect.Effect<A, RpcError>
  ) => Effect.Effect<A, RpcError>
  /** Maximum accounts of a kind. */
  readonly maxEntries: number
}

const ALL: ReadonlyArray<number> = Array.from({ length: BUCKETS }, (_, bucket) => bucket)

/** A generator, because a hundred thousand objects at once would block the event loop. */
const datedOf = function* <A>(snapshots: ReadonlyArray<Snapshot<A>>): Generator<Dated<A>> {
  for (const { slot, value } of snapshots) for (const { account, address } of value) yield { address, account, slot }
}

const refused = Metrics.accountsRefusedOf("decode")

export class Table<A extends Account, Order extends string> implements Savable {
  readonly kind: Kind<A, Order>
  readonly #sources: Sources
  #index: SearchIndex<A, Order>
  #isFull = false
  /** Buckets that changed since the last save. */
  #changed = new Set<number>(ALL)

  constructor(kind: Kind<A, Order>, sources: Sources) {
    this.kind = kind
    this.#sources = sources
    this.#index = new SearchIndex(kind.columns)
  }

  get index(): SearchIndex<A, Order> {
    return this.#index
  }

  get name(): string {
    return this.kind.name
  }

  takeChanged(): ReadonlySet<number> {
    const changed = this.#changed
    this.#changed = new Set()
    return changed
  }

  markChanged(buckets: Iterable<number>): void {
    for (const bucket of buckets) this.#changed.add(bucket)
  }

  all(): Iterable<Dated<A>> {
    return this.#index.all()
  }

  prepare(saved: ReadonlyArray<Saved>): Effect.Effect<{ readonly commit: Effect.Effect<void> } | undefined> {
    const { columns, sources } = this.kind
    const decoded = function* (): Generator<void, ReadonlyArray<Dated<A>> | undefined> {
      const accounts: Array<Dated<A>> = []
      for (const [count, { address, data, slot }] of saved.entries()) {
        let account: A | undefined
        for (const { read } of sources) account ??= read(data)
        if (account === undefined) return undefined
        accounts.push({ address, account, slot })
        if (count % PART === 0) yield
      }
      return accounts
    }
    return Effect.gen(this, function* () {
      const accounts = yield* Turns.longSteps(decoded)
      if (accounts === undefined) return undefined
      const index = yield* SearchIndex.make(columns, accounts)
      const commit = Effect.suspend(() => {
        this.#index = index
        this.#changed = new Set()
        return this.#evict()
      })
      return { commit }
    })
  }

  /** Replaces all accounts. */
  #replace(accounts: Iterable<Dated<A>>): Effect.Effect<void> {
    return Effect.flatMap(SearchIndex.make(this.kind.columns, accounts), (index) => {
      this.#index = index
      this.#changed = new Set(ALL)
      return this.#evict()
    })
  }

  #put(address: Address, account: A, slot: bigint): void {
    if (this.#index.put(address, account, slot)) this.#changed.add(bucketOf(address))
  }

  /**
   * Lists all accounts, from a node that has reached the slot `least`. Returns the slot of the list, or a lower one if
   * a node claims an impossible slot. Without `least`, the list replaces the index.
   */
  load(least: bigint | undefined): Effect.Effect<bigint, RpcError> {
    const { accounts, from, slots } = this.#sources
    const listed = (list: Source<A>["list"]) =>
      Effect.flatMap(
        from(least, (least) => list(accounts, least)),
        ({ slot, value }) => Effect.map(slots.credible(slot), (slot): Snapshot<A> => ({ slot, value }))
      )
    return Effect.flatMap(
      Effect.forEach(this.kind.sources, ({ list }) => listed(list)),
      (snapshots) => {
        const dated = datedOf(snapshots)
        const slot = snapshots.reduce((lowest, { slot }) => (slot < lowest ? slot : lowest), snapshots[0]?.slot ?? 0n)
        const put = least === undefined || this.#index.size === 0 ? this.#replace(dated) : this.#putAll(dated)
        return Effect.as(put, slot)
      }
    )
  }

  #putAll(accounts: Iterable<Dated<A>>): Effect.Effect<void> {
    const put = (address: Address, account: A, slot: bigint): void => this.#put(address, account, slot)
    const puts = function* (): Generator<void, void> {
      let count = 0
      for (const { account, address, slot } of accounts) {
        put(address, account, slot)
        if (++count % PART === 0) yield
      }
    }
    return Effect.zipRight(Turns.longSteps(puts), this.#evict())
  }

  /** Reads the accounts again that these events created or changed, at the slot `least` or later. */
  refresh(events: Iterable<ProtocolEvent>, least: bigint): Effect.Effect<ReadonlyArray<Address>, RpcError> {
    const { accounts, from, pool, slots } = this.#sources
    const { changedBy, sources } = this.kind
    return Effect.gen(this, function* () {
      const changed = new Set<Address>()
      for (const event of events) {
        const address = changedBy(event)
        if (address !== undefined) changed.add(address)
      }
      const addresses = [...changed]
      for (let at = 0; at < addresses.length; at += Limits.MAX_MULTIPLE_ACCOUNTS) {
        const part = addresses.slice(at, at + Limits.MAX_MULTIPLE_ACCOUNTS)
        const answer = yield* from(least, (minContextSlot) =>
          Effect.catchTag(pool.getMultipleAccounts(part, { minContextSlot }), "InvalidInput", Effect.die)
        )
        const slot = yield* slots.credible(answer.slot)
        for (const info of answer.value) {
          if (Option.isNone(info)) continue
          let account: A | undefined
          for (const { decode } of sources) account ??= decode(info.value, accounts.programId)
          if (account === undefined) yield* Metric.increment(refused)
          else this.#put(info.value.address, account, slot)
        }
      }
      yield* this.#evict()
      return addresses
    })
  }

  /** Removes the oldest accounts above the limit. */
  #evict(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const { maxEntries } = this.#sources
      while (this.#index.size > maxEntries) {
        const removed = this.#index.removeLast(this.kind.oldest)
        if (removed === undefined) break
        this.#changed.add(bucketOf(removed))
        if (this.#isFull) continue
        this.#isFull = true
        return Effect.zipRight(
          Effect.logWarning(`Discovery keeps the newest ${maxEntries} ${this.kind.name}. Raise maxEntries to find all`),
          this.#evict()
        )
      }
      return Effect.void
    })
  }
}
