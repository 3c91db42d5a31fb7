/**
 * Lets followers of one type of account share one subscription and one listing of the program. The client divides the
 * accounts by an address in their data: the recipient of a message, its sender, its channel.
 *
 * A single follower requests only its own accounts. Followers share if they start together or if another one already
 * runs. If the program has more accounts than one follower keeps, or the node refuses the whole listing, each follower
 * continues alone.
 *
 * Invariants:
 * - A follower's queue and the group's accounts change in one synchronous step: a joining follower gets each account of
 *   its address once, either from the known accounts or later.
 * - A follower gets its part of the first listing as a whole, so that it can sort it.
 * - A full queue affects only its own follower: it joins again and gets the missed accounts from the known ones.
 * - The subscription ends when its last follower leaves.
 * - An ended group accepts no follower: one that rejoins it after a full queue continues alone.
 */
import type { Address } from "@solana/kit"
import * as Chunk from "effect/Chunk"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { type AccountTag, discriminator } from "../../src/protocol/Account.js"
import * as Addresses from "../../src/solana/Address.js"
import * as Follow from "../Follow.js"
import { BoundedQueue } from "../internal/BoundedQueue.js"
import * as Turns from "../internal/eventLoop.js"
import type { FollowError } from "../ProgramAccount.js"
import type { AccountInfo } from "../RpcPool.js"
import { RpcPool, type Service } from "../RpcPool.js"

/** Bounds of a follower's queue, besides the first listing: batches of accounts, and their approximate memory. */
const BOUNDS = { items: 4096, bytes: 8 * 1024 * 1024 }

/** Approximate bytes of an account without its data. */
const ACCOUNT = 200

/** Accounts that are sorted in one turn of the event loop. */
const PART = 1000

/** The reason for the end of a follower's queue. */
type End = "Full" | "Alone"

type Inbox = BoundedQueue<ReadonlyArray<AccountInfo>, End>

/** The accounts and the followers of an address at an offset of the data. */
interface Division {
  readonly accounts: Map<Address, Map<Address, AccountInfo>>
  readonly inboxes: Map<Address, Set<Inbox>>
}

const addressAt = ({ data }: AccountInfo, offset: number): Address | undefined =>
  data.length < offset + Addresses.SIZE ? undefined : Addresses.fromBytes(data, offset)

const bytesOf = (accounts: ReadonlyArray<AccountInfo>): number =>
  accounts.reduce((sum, { data }) => sum + data.length + ACCOUNT, 0)

const offer = (inboxes: Set<Inbox>, inbox: Inbox, accounts: ReadonlyArray<AccountInfo>): void => {
  if (accounts.length === 0 || inbox.offer(accounts, bytesOf(accounts))) return
  inboxes.delete(inbox)
  inbox.end(Option.some("Full"))
}

/** The new accounts of a follower, with the followers of the same address. */
interface Batch {
  readonly own: Set<Inbox>
  readonly accounts: Array<AccountInfo>
}

/** The accounts of one type, and the followers that share them. */
class Group {
  readonly #accounts = new Map<Address, AccountInfo>()
  readonly #divisions = new Map<number, Division>()
  /** Whether the followers have got the first listing. */
  #isListed = false
  #isEnded = false
  #members = 0
  fiber: Fiber.RuntimeFiber<void> | undefined

  get members(): number {
    return this.#members
  }

  enter(): void {
    this.#members++
  }

  exit(): void {
    this.#members--
  }

  /** A queue that begins with the known accounts of an address. */
  join(offset: number, address: Address): Inbox {
    const { accounts, inboxes } = this.#division(offset)
    const inbox: Inbox = new BoundedQueue(BOUNDS)
    if (this.#isEnded) {
      inbox.end(Option.some("Alone"))
      return inbox
    }
    const known = inboxes.get(address)
    const own = known ?? new Set()
    if (known === undefined) inboxes.set(address, own)
    own.add(inbox)
    if (this.#isListed) offer(own, inbox, Array.from(accounts.get(address)?.values() ?? []))
    return inbox
  }

  leave(offset: number, address: Address, inbox: Inbox): void {
    const inboxes = this.#divisions.get(offset)?.inboxes
    const own = inboxes?.get(address)
    own?.delete(inbox)
    if (own?.size === 0) inboxes?.delete(address)
  }

  /** Stores the updates of one read or one notification, and gives each follower its own. */
  take(updates: Chunk.Chunk<Follow.Update<AccountInfo>>): Effect.Effect<void> {
    return Effect.suspend(() => {
      const batches = new Map<Inbox, Batch>()
      const all = Chunk.toReadonlyArray(updates)
      const takePart = (part: ReadonlyArray<Follow.Update<AccountInfo>>): void => {
        for (const update of part) {
          if (update._tag === "Gone") this.#remove(update.address)
          else if (update._tag === "Value") this.#put(update.value, batches)
        }
      }
      const give = Effect.sync(() => this.#give(batches))
      if (all.length <= PART) {
        takePart(all)
        return give
      }
      const parts = Effect.forEach(
        Turns.partsOf(all, PART),
        (part) =>
          Effect.zipRight(
            Turns.next,
            Effect.sync(() => takePart(part))
          ),
        { discard: true }
      )
      return Effect.zipRight(parts, give)
    })
  }

  /** Ends each queue, so that its follower continues alone. */
  end(): void {
    this.#isEnded = true
    for (const { inboxes } of this.#divisions.values()) {
      for (const own of inboxes.values()) for (const inbox of own) inbox.end(Option.some("Alone"))
      inboxes.clear()
    }
  }

  #division(offset: number): Division {
    const known = this.#divisions.get(offset)
    if (known !== undefined) return known
    const division: Division = { accounts: new Map(), inboxes: new Map() }
    this.#divisions.set(offset, division)
    for (const account of this.#accounts.values()) this.#file(division, offset, account)
    return division
  }

  /** Files an account under its address, and returns the followers of the address. */
  #file({ accounts, inboxes }: Division, offset: number, account: AccountInfo): Set<Inbox> | undefined {
    const address = addressAt(account, offset)
    if (address === undefined) return undefined
    const filed = accounts.get(address)
    if (filed === undefined) accounts.set(address, new Map([[account.address, account]]))
    else filed.set(account.address, account)
    return inboxes.get(address)
  }

  #put(account: AccountInfo, batches: Map<Inbox, Batch>): void {
    this.#remove(account.address)
    this.#accounts.set(account.address, account)
    for (const [offset, division] of this.#divisions) {
      const own = this.#file(division, offset, account)
      if (own === undefined) continue
      for (const inbox of own) {
        const batch = batches.get(inbox)
        if (batch === undefined) batches.set(inbox, { own, accounts: [account] })
        else batch.accounts.push(account)
      }
    }
  }

  #remove(address: Address): void {
    const account = this.#accounts.get(address)
    if (account === undefined) return
    this.#accounts.delete(address)
    for (const [offset, { accounts }] of this.#divisions) {
      const key = addressAt(account, offset)
      const filed = key === undefined ? undefined : accounts.get(key)
      if (key === undefined || filed === undefined) continue
      filed.delete(address)
      if (filed.size === 0) accounts.delete(key)
    }
  }

  #give(batches: ReadonlyMap<Inbox, Batch>): void {
    if (this.#isListed) {
      for (const [inbox, { accounts, own }] of batches) offer(own, inbox, accounts)
      return
    }
    this.#isListed = true
    // A follower that joined while the listing was stored gets its complete part.
    for (const { accounts, inboxes } of this.#divisions.values()) {
      for (const [address, own] of inboxes) {
        const filed = Array.from(accounts.get(address)?.values() ?? [])
        for (const inbox of own) offer(own, inbox, filed)
      }
    }
  }
}

/** The followers of one type of account with one resync interval. */
interface Room {
  followers: number
  group: Group | undefined
  /** True after the whole listing failed: followers no longer share. */
  isRefused: boolean
}

/** The request of one follower. */
export interface Wanted {
  readonly tag: AccountTag
  readonly offset: number
  readonly address: Address
  readonly options: Follow.FollowOptions
  /** The follower's own subscription, without sharing. */
  readonly alone: () => Stream.Stream<AccountInfo, FollowError>
}

/** The next accounts of a follower. */
type Pull = Effect.Effect<Chunk.Chunk<AccountInfo>, Option.Option<FollowError>>

const startAlone = ({ alone }: Wanted, scope: Scope.Scope): Effect.Effect<Pull> =>
  Scope.extend(Stream.toPull(alone()), scope)

const flattened = (batches: Chunk.Chunk<ReadonlyArray<AccountInfo>>): Effect.Effect<Chunk.Chunk<AccountInfo>> =>
  Effect.succeed(Chunk.flatMap(batches, Chunk.fromIterable))

/** A follower that shares. A class, because a thousand followers would keep a thousand of each closure. */
class Member {
  readonly #group: Group
  readonly #wanted: Wanted
  readonly #scope: Scope.Scope
  #inbox: Inbox
  #alone: Pull | undefined

  constructor(group: Group, wanted: Wanted, scope: Scope.Scope) {
    this.#group = group
    this.#wanted = wanted
    this.#scope = scope
    this.#inbox = group.join(wanted.offset, wanted.address)
    group.enter()
  }

  /** The next accounts. */
  readonly next: Pull = Effect.suspend(
    () =>
      this.#alone ??
      Effect.matchEffect(this.#inbox.take, { onSuccess: flattened, onFailure: (end) => this.#continue(end) })
  )

  leave(): void {
    const { address, offset } = this.#wanted
    this.#group.leave(offset, address, this.#inbox)
    this.#group.exit()
  }

  /** Continues after the end of the queue. */
  #continue(end: Option.Option<End>): Pull {
    const { address, offset } = this.#wanted
    if (Option.getOrUndefined(end) === "Full") {
      this.#inbox = this.#group.join(offset, address)
      return this.next
    }
    // Made on use: the Stream of a single follower takes a quarter of the memory of one that shares.
    return Effect.flatMap(startAlone(this.#wanted, this.#scope), (pull) => {
      this.#alone = pull
      return pull
    })
  }
}

/** The shared followers of a program over a pool. A follower is an effect that waits for its next accounts. */
export const make = (pool: Service, programId: Address) =>
  Effect.map(Effect.runtime(), (runtime) => {
    const runFork = Runtime.runFork(runtime)
    const rooms = new Map<string, Room>()

    const enter = (key: string): Room => {
      const room = rooms.get(key) ?? { followers: 0, group: undefined, isRefused: false }
      rooms.set(key, room)
      room.followers++
      return room
    }

    const exit = (key: string, room: Room): void => {
      room.followers--
      if (room.followers === 0 && rooms.get(key) === room) rooms.delete(key)
    }

    const start = (room: Room, { options, tag }: Wanted): Group => {
      const group = new Group()
      room.group = group
      // The group has its own context: no follower's deadline, span or interruption affects it. It is interruptible
      // even if the layer was built in an uninterruptible region, because the last follower waits for the group's end.
      group.fiber = runFork(
        Follow.program(programId, { ...options, filters: [{ memcmp: { offset: 0, bytes: discriminator(tag) } }] }).pipe(
          Stream.runForEachChunk((updates) => group.take(updates)),
          Effect.provideService(RpcPool, pool),
          Effect.interruptible,
          Effect.exit,
          Effect.flatMap(() =>
            Effect.sync(() => {
              if (room.group !== group) return
              room.group = undefined
              room.isRefused = true
              group.end()
            })
          )
        )
      )
      return group
    }

    // Uninterruptible: a member without a finalizer would keep the subscription open.
    const shared = (room: Room, wanted: Wanted, scope: Scope.Scope): Effect.Effect<Pull> =>
      Effect.uninterruptible(
        Effect.suspend(() => {
          const group = room.group ?? start(room, wanted)
          const member = new Member(group, wanted, scope)
          const leave = Effect.suspend(() => {
            member.leave()
            if (group.members > 0) return Effect.void
            if (room.group === group) room.group = undefined
            return group.fiber === undefined ? Effect.void : Fiber.interrupt(group.fiber)
          })
          return Effect.as(Scope.addFinalizer(scope, leave), member.next)
        })
      )

    return (wanted: Wanted, scope: Scope.Scope): Effect.Effect<Pull> =>
      Effect.suspend(() => {
        const interval = Duration.decodeUnknown(wanted.options.resyncInterval ?? "1 minute")
        if (Option.isNone(interval)) return startAlone(wanted, scope)
        const key = `${wanted.tag} ${Duration.toMillis(interval.value)}`
        const entered = Effect.uninterruptible(
          Effect.suspend(() => {
            const room = enter(key)
            const leave = Effect.sync(() => exit(key, room))
            return Effect.as(Scope.addFinalizer(scope, leave), room)
          })
        )
        return Effect.flatMap(entered, (room) => {
          const choose = Effect.suspend(() =>
            room.isRefused || (room.group === undefined && room.followers < 2)
              ? startAlone(wanted, scope)
              : shared(room, wanted, scope)
          )
          // Waits a turn of the event loop, so that followers that start in the same turn are counted first.
          return room.group !== undefined || room.isRefused ? choose : Effect.zipRight(Turns.next, choose)
        })
      })
  })
