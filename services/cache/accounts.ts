/** Reads the program's accounts through the levels. Their version is the slot at which a node has read them. */
import type { Address, Slot } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { jsonable } from "../../src/internal/jsonable.js"
import type { AccountDecodeError } from "../../src/protocol/Account.js"
import type { AccountType } from "../../src/protocol/AccountType.js"
import * as Addresses from "../../src/solana/Address.js"
import { MAX_MULTIPLE_ACCOUNTS } from "../../src/solana/Limits.js"
import * as Deadline from "../Deadline.js"
import * as Clock from "../internal/clock.js"
import { CredibleSlots } from "../internal/CredibleSlots.js"
import * as Turns from "../internal/eventLoop.js"
import * as FalseSlot from "../internal/falseSlot.js"
import * as Hot from "../internal/hot.js"
import { located } from "../internal/located.js"
import { SLOT_NOT_REACHED } from "../internal/verdict.js"
import { AccountNotFound, type ProgramAccount } from "../ProgramAccount.js"
import type { AccountInfo, AccountOptions, Service as RpcPool } from "../RpcPool.js"
import { RpcError } from "../RpcTransport.js"
import { Askings } from "./Asking.js"
import * as Call from "./Call.js"
import type { Entry } from "./Entry.js"
import * as Entries from "./Entry.js"
import type { Groups, Kind, Levels, Loaded, Source } from "./Levels.js"
import { Reads } from "./Reads.js"
import { Together } from "./Together.js"

/**
 * An account from the cache.
 *
 * @since 0.1.0
 * @category models
 */
export interface CachedAccount<A> extends ProgramAccount<A> {
  /** The slot of the bank from which it was read. */
  readonly slot: Slot
  /** Unix milliseconds at which it was read. */
  readonly readAt: number
}

type Failure = AccountDecodeError | AccountNotFound | RpcError

type Answer<A> = Exit.Exit<CachedAccount<A>, Failure>

/** Maximum time for the pool to return its slot. */
const BELIEF = "2 seconds"

const METHOD = "getAccountInfo"

/** Concurrent calls of one read of many accounts. */
const CALLS_AT_ONCE = 4

/** Maximum bytes of an account that is kept. The program creates no larger one. */
const MAX_KEPT_BYTES = 64 * 1024

const GROUPS: Groups = { names: [], isTracked: true }

class Cached<A> implements CachedAccount<A> {
  constructor(
    readonly address: Address,
    readonly account: A,
    readonly slot: Slot,
    readonly readAt: number
  ) {}
}

jsonable(Cached)

const decode = <A>(type: AccountType<A>, address: Address, entry: Entry, programId: Address): Answer<A> => {
  const { bytes, readAt, version } = entry
  if (bytes === undefined) return Exit.fail(new AccountNotFound({ account: type.tag, address }))
  const decoded = type.decode(bytes)
  if (Either.isLeft(decoded)) return Exit.fail(decoded.left)
  const swapped = located(type, address, decoded.right, programId)
  return swapped === undefined
    ? Exit.succeed(new Cached(address, decoded.right, version, readAt.wall))
    : Exit.fail(swapped)
}

/** Reads one account from the network. */
type Ask = (
  options?: AccountOptions
) => Effect.Effect<Effect.Effect.Success<ReturnType<RpcPool["getAccountInfo"]>>, RpcError>

type AccountSource = Source<RpcError> & { readonly lagging: (least: bigint) => RpcError }

const entryOf = (kind: Kind<unknown>, { bytes, version }: Loaded, readAt: Clock.Moment): Entry => ({
  kind: kind.name,
  version,
  readAt,
  ttl: kind.ttlOf(bytes),
  bytes,
  groups: GROUPS.names,
  isTracked: GROUPS.isTracked,
  isFenced: false,
  decoded: undefined
})

/** Reads without the levels. The answer is not kept. */
const direct = Effect.fnUntraced(function* (
  kind: Kind<unknown>,
  source: AccountSource,
  least: bigint
): Effect.fn.Return<Entry, RpcError> {
  const loaded = yield* source.load(least)
  if (loaded === "behind" || loaded === "failed") return yield* source.lagging(least)
  return entryOf(kind, loaded, yield* Clock.currentMoment)
})

/** The failure of one address, if it concerns only this address. A failure of the network fails the whole call. */
const ownFailure = <A>(
  answer: Answer<A> | undefined
): Effect.Effect<Either.Either<CachedAccount<A>, AccountDecodeError | AccountNotFound>, RpcError> => {
  if (answer === undefined) return Effect.dieMessage("an address has no answer")
  return Effect.catchTags(Effect.map(answer, Either.right), {
    AccountDecodeError: (error) => Effect.succeed(Either.left(error)),
    AccountNotFound: (error) => Effect.succeed(Either.left(error))
  })
}

interface Registered<A> {
  /** The `AccountType`. */
  readonly type: object
  readonly kind: Kind<Answer<A>>
}

const isOf = <A>(registered: Registered<unknown>, type: AccountType<A>): registered is Registered<A> =>
  registered.type === type

/** The services and settings below the cache. */
export interface Under {
  readonly levels: Levels
  readonly pool: RpcPool
  readonly programId: Address
}

export class Accounts {
  readonly slots: CredibleSlots
  readonly #under: Under
  readonly #reads: Reads<RpcError>
  /** The pool's slot. */
  readonly #current: Effect.Effect<Slot, RpcError>
  /** Whether a check for a false slot is in progress. */
  #isDoubting = false
  readonly #askings = new Askings()
  /** The kind of the last read: most readers read one kind again. */
  #last: Registered<unknown> | undefined
  readonly #kinds = new WeakMap<object, Registered<unknown>>()

  constructor(under: Under) {
    this.#under = under
    this.#reads = new Reads(under.levels)
    this.#current = Effect.suspend(() => under.pool.getSlot())
    this.slots = new CredibleSlots(Deadline.within(BELIEF)(this.#current))
  }

  /** The account that memory has and may be served by the fiber's options. `read` decides what this leaves open. */
  hit<A>(
    fiber: Fiber.RuntimeFiber<unknown, unknown>,
    type: AccountType<A>,
    address: Address
  ): Effect.Effect<CachedAccount<A>, Failure> | undefined {
    const { levels } = this.#under
    const kind = this.#kindOf(type)
    const asking = this.#askings.of(fiber)
    const entry = levels.hit(asking.now, kind, address, asking.call)
    if (entry === undefined) return undefined
    const answer = Entries.answer(address, entry, kind)
    if (Exit.isFailure(answer)) return undefined
    levels.counts.memory++
    asking.hits++
    return answer
  }

  read<A>(
    type: AccountType<A>,
    address: Address,
    options?: Call.CallOptions
  ): Effect.Effect<CachedAccount<A>, Failure> {
    return Effect.withFiberRuntime((fiber) =>
      this.#read(fiber, this.#kindOf(type), address, options ?? Call.of(fiber), (options) =>
        Effect.catchTag(this.#under.pool.getAccountInfo(address, options), "InvalidInput", Effect.die)
      )
    )
  }

  /** The accounts of these addresses, in order. Missing ones are read together. */
  readMany<A>(
    type: AccountType<A>,
    addresses: ReadonlyArray<Address>,
    options?: Call.CallOptions
  ): Effect.Effect<ReadonlyArray<Either.Either<CachedAccount<A>, AccountDecodeError | AccountNotFound>>, RpcError> {
    return Effect.withFiberRuntime((fiber) => {
      const kind = this.#kindOf(type)
      const call = options ?? Call.of(fiber)
      const { pool } = this.#under
      const answers = new Map<Address, Answer<A>>()
      const missing = new Set<Address>()
      for (const address of addresses) {
        const answer = this.#remembered(fiber, kind, address, call)
        if (answer === undefined) missing.add(address)
        else answers.set(address, answer)
      }
      const readPart = (part: ReadonlyArray<Address>) => {
        const together = new Together(pool)
        return Effect.forEach(
          part,
          (address) =>
            Effect.map(
              Effect.exit(
                Effect.withFiberRuntime<CachedAccount<A>, Failure>((fiber) =>
                  this.#read(fiber, kind, address, call, (options) => together.get(address, options))
                )
              ),
              (exit) => answers.set(address, exit)
            ),
          { concurrency: "unbounded", discard: true }
        )
      }
      const parts = Turns.partsOf([...missing], MAX_MULTIPLE_ACCOUNTS)
      return Effect.zipRight(
        Effect.forEach(parts, readPart, { concurrency: CALLS_AT_ONCE, discard: true }),
        Effect.forEach(addresses, (address) => ownFailure(answers.get(address)))
      )
    })
  }

  /** Stores an account that another call has read at a slot. */
  put<A>(type: AccountType<A>, info: AccountInfo, slot: Slot): Effect.Effect<void> {
    return Effect.flatMap(this.slots.believes(slot), (isBelieved) => {
      if (!isBelieved) return Effect.void
      const { address } = info
      const kind = this.#kindOf(type)
      const loaded = this.#loaded(slot, info, true)
      return Effect.zipRight(
        this.#raise(address, slot),
        Effect.withFiberRuntime<void>((fiber) =>
          loaded.isKept
            ? this.#under.levels.admit(kind, address, entryOf(kind, loaded, Clock.moment(fiber)))
            : Effect.void
        )
      )
    })
  }

  /** After this, no new read returns an account older than the slot. */
  fence(addresses: ReadonlyArray<Address>, slot: Slot): Effect.Effect<void> {
    return Effect.flatMap(this.slots.believes(slot), (isBelieved) =>
      isBelieved
        ? Effect.forEach(addresses, (address) => this.#raise(address, slot), { discard: true })
        : this.invalidate(addresses)
    )
  }

  /** As `fence`, for a change at an unknown slot. */
  invalidate(addresses: ReadonlyArray<Address>): Effect.Effect<void> {
    return Effect.forEach(addresses, (address) => this.#invalidate(address), { discard: true })
  }

  /** Drops all accounts in memory. `Levels.forget` drops the rows of the second level. */
  get forget(): Effect.Effect<void> {
    return Effect.sync(() => {
      const { fences, memory } = this.#under.levels
      fences.account.raiseAll(this.slots.highest)
      for (const [, entry] of memory.entries()) entry.isFenced = true
      this.#reads.outdate()
    })
  }

  /**
   * Replaces the row by a fence of its own slot, because another process may have read it at a slot that this one does
   * not know. The first level comes last: a read may have taken the row before.
   */
  #invalidate(address: Address): Effect.Effect<void> {
    return Effect.withFiberRuntime((fiber) => {
      const { levels } = this.#under
      return Effect.flatMap(levels.store?.get(fiber, "account", address) ?? Effect.succeed(undefined), (row) => {
        const { highest } = this.slots
        const slot = row !== undefined && row.slot > highest ? row.slot : highest
        return Effect.map(levels.writeFence("account", address, slot), () => {
          levels.fence("account", address, slot)
          this.#reads.outdate(address)
          const entry = levels.memory.peek(address)
          if (entry !== undefined) entry.isFenced = true
        })
      })
    })
  }

  #raise(address: Address, slot: Slot): Effect.Effect<void> {
    const { levels } = this.#under
    levels.fence("account", address, slot)
    return levels.writeFence("account", address, slot)
  }

  /** What memory says, also that there is no such account. */
  #remembered<A>(
    fiber: Fiber.RuntimeFiber<unknown, unknown>,
    kind: Kind<Answer<A>>,
    address: Address,
    call: Call.CallOptions
  ): Answer<A> | undefined {
    const { levels } = this.#under
    const entry = levels.hit(Clock.moment(fiber), kind, address, call)
    if (entry === undefined) return undefined
    levels.count(fiber, "memory")
    return Entries.answer(address, entry, kind)
  }

  #read<A>(
    fiber: Fiber.RuntimeFiber<unknown, unknown>,
    kind: Kind<Answer<A>>,
    address: Address,
    call: Call.CallOptions,
    ask: Ask
  ): Effect.Effect<CachedAccount<A>, Failure> {
    const source = this.#sourceOf(address, ask)
    const found =
      (call.policy ?? kind.policy) === "bypass"
        ? direct(kind, source, call.minSlot ?? 0n)
        : this.#reads.read(fiber, kind, address, call, source)
    return Hot.flatMapExit(found, (entry) =>
      entry === undefined
        ? Effect.dieMessage("reading an account fails with an error")
        : Entries.answer(address, entry, kind)
    )
  }

  /** The loaded form of a reply. */
  #loaded(version: Slot, info: AccountInfo | undefined, isBelieved: boolean): Loaded {
    const data = info?.owner === this.#under.programId ? info.data : undefined
    // Copied, because the data is part of a larger allocation that it would keep alive.
    return {
      version,
      bytes: data === undefined ? undefined : new Uint8Array(data),
      isKept: isBelieved && (data?.length ?? 0) <= MAX_KEPT_BYTES
    }
  }

  /**
   * Checks in the background whether a slot that no endpoint reaches is false. A pool of one endpoint may have
   * confirmed it, and a restarted validator leaves slots of its former chain. If it is false, entries with that slot no
   * longer fence a read.
   */
  #doubt(address: Address, claimed: Slot): Effect.Effect<"behind"> {
    return Effect.suspend(() => {
      const { scope, store } = this.#under.levels
      if (this.#isDoubting) return Effect.succeed("behind")
      this.#isDoubting = true
      return FalseSlot.contradicted(claimed, this.#current).pipe(
        Effect.flatMap((current) => {
          if (Option.isNone(current)) return Effect.void
          this.#takeBack(current.value)
          return store === undefined ? Effect.void : store.remove("account", address)
        }),
        Effect.interruptible,
        Effect.ensuring(Effect.sync(() => (this.#isDoubting = false))),
        Effect.forkIn(scope),
        Effect.as("behind")
      )
    })
  }

  /** Discards the slots that no node can have reached. */
  #takeBack(current: Slot): void {
    const { fences, memory, settings } = this.#under.levels
    this.slots.forget()
    fences.account.lower(current)
    for (const [name, { kind, version }] of memory.entries()) {
      if (Object.hasOwn(settings.ttl, kind) && FalseSlot.isFar(version, current)) memory.delete(name)
    }
  }

  #sourceOf(address: Address, ask: Ask): AccountSource {
    return {
      load: (least) =>
        Effect.matchEffect(ask(least > 0n ? { minContextSlot: least } : undefined), {
          onFailure: (error): Effect.Effect<Loaded | "behind", RpcError> =>
            error.code === SLOT_NOT_REACHED ? this.#doubt(address, least) : Effect.fail(error),
          onSuccess: ({ slot, value }): Effect.Effect<Loaded | "behind"> => {
            if (slot < least) return this.#doubt(address, least)
            return Effect.map(this.slots.believes(slot), (isBelieved) =>
              this.#loaded(slot, Option.getOrUndefined(value), isBelieved)
            )
          }
        }),
      lagging: (least) =>
        new RpcError({
          reason: "Node",
          method: METHOD,
          code: SLOT_NOT_REACHED,
          detail: `no endpoint has reached slot ${least}, at which the account was changed`
        })
    }
  }

  #kindOf<A>(type: AccountType<A>): Kind<Answer<A>> {
    const last = this.#last
    if (last !== undefined && isOf(last, type)) return last.kind
    const registered = this.#kinds.get(type)
    if (registered !== undefined && isOf(registered, type)) {
      this.#last = registered
      return registered.kind
    }
    const { levels, programId } = this.#under
    const { negativeTtl, policy, ttl } = levels.settings
    const kind: Kind<Answer<A>> = {
      name: type.tag,
      space: "account",
      policy: policy[type.tag],
      ttlOf: (bytes) => (bytes === undefined ? negativeTtl : ttl[type.tag]),
      groupsOf: () => GROUPS,
      isSound: (name, entry) => entry.bytes === undefined || Exit.isSuccess(Entries.answer(name, entry, kind)),
      decode: (name, entry) => decode(type, Addresses.known(name), entry, programId)
    }
    this.#kinds.set(type, { type, kind })
    return kind
  }
}
