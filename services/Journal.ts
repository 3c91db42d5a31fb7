/**
 * A persistent record of signed transactions whose outcome is not known yet. After a crash, another process finishes them.
 *
 * - An entry is written before its transaction is first sent, and removed when the outcome is known.
 * - An entry names its cluster and its program. `Transactions` does not send or judge it anywhere else.
 * - An entry that cannot be read is reported and kept: its transaction may have landed.
 *
 * Entries in files ({@link layerFileSystem}) are synced to the disk and survive a crash of the machine. Entries in a
 * `KeyValueStore` are as durable as that store.
 *
 * @since 0.1.0
 */
import type { FileSystem } from "@effect/platform/FileSystem"
import type { KeyValueStore } from "@effect/platform/KeyValueStore"
import type { Signature } from "@solana/kit"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Check from "../src/internal/check.js"
import * as Outside from "../src/internal/Outside.js"
import { printable } from "../src/internal/printable.js"
import type { InvalidInput } from "../src/InvalidInput.js"
import * as SafeText from "../src/SafeText.js"
import * as Address from "../src/solana/Address.js"
import * as Blockhash from "../src/solana/Blockhash.js"
import * as Signatures from "../src/solana/Signature.js"
import * as Wire from "../src/solana/Wire.js"
import * as FileStore from "./internal/fileStore.js"
import { keyValueStore } from "./internal/keyValueStore.js"
import * as StoreFailure from "./internal/storeFailure.js"
import { SignedTransaction } from "./SignedTransaction.js"

/**
 * One transaction that may have been sent.
 *
 * @since 0.1.0
 * @category models
 */
export class JournalEntry extends Schema.Class<JournalEntry>("@pod-protocol/effect/JournalEntry")({
  signed: SignedTransaction,
  /** The accounts that the transaction creates, if its sender named them. */
  creates: Schema.Array(Address.Schema),
  /** The genesis hash of the transaction's cluster. `Transactions` always writes it. */
  genesis: Schema.optional(Blockhash.Schema),
  /** The program that the transaction calls. `Transactions` always writes it. */
  program: Schema.optional(Address.Schema)
}) {
  toJSON(): typeof JournalEntry.Encoded {
    return Schema.encodeSync(JournalEntry)(this)
  }
}

/**
 * The journal could not write or read an entry.
 *
 * - `Full`: the journal has reached `maxEntries`. `Transactions.recover` finishes and removes the entries of dead processes.
 * - `Foreign`: the journal has an entry of this transaction for another cluster or program.
 * - `Unavailable`: the store failed. `detail` has the reason and advice, `cause` is the store's error.
 *
 * @since 0.1.0
 * @category errors
 */
export class JournalError extends printable(
  Schema.TaggedError<JournalError>("@pod-protocol/effect/JournalError")("JournalError", {
    reason: Schema.Literal("Foreign", "Full", "Unavailable"),
    detail: Schema.optional(SafeText.Schema()),
    cause: Schema.optional(Outside.Cause)
  })
) {
  override get message(): string {
    switch (this.reason) {
      case "Foreign":
        return "The journal holds this transaction for another cluster or program. Recover it there"
      case "Full":
        return `The journal is full${this.detail === undefined ? "" : `: ${this.detail}`}. Recover its entries, or raise maxEntries`
      case "Unavailable":
        return `The journal's store failed: ${this.detail ?? StoreFailure.explain(this.cause)}`
    }
  }

  /** Whether a retry may succeed. False for `Foreign` only. */
  get isRetryable(): boolean {
    return this.reason !== "Foreign"
  }
}

/**
 * The operations of a journal.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * Writes an entry. After success, the entry survives the death of the process. After a failure, the entry is not
   * recorded. Interruption does not stop the write: call `forget` to remove the entry.
   */
  readonly record: (entry: JournalEntry) => Effect.Effect<void, JournalError>
  /**
   * Removes an entry whose outcome is known. It has no effect if there is no entry. If the store fails, this process
   * drops the entry and retries the removal later; until then another process would find the entry.
   */
  readonly forget: (signature: Signature) => Effect.Effect<void, JournalError>
  /** The recorded entries that are not forgotten, of this process and of earlier ones. */
  readonly pending: Effect.Effect<ReadonlyArray<JournalEntry>>
  /**
   * The keys of unreadable entries, such as an entry that a power loss truncated. Each may belong to a sent
   * transaction. They stay and count towards `maxEntries` until you remove them from the store by hand.
   */
  readonly unreadable: Effect.Effect<ReadonlyArray<string>>
}

/**
 * The journal of `Transactions`, if it is provided to its layer. Only one process at a time may use a journal.
 *
 * @example
 * ```ts
 * import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
 * import { Transactions } from "@pod-protocol/effect"
 * import * as Journal from "@pod-protocol/effect/services/Journal"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import * as Stream from "effect/Stream"
 *
 * export const JournaledTransactions = Transactions.layer().pipe(
 *   Layer.provide(Journal.layerFileSystem("journal")),
 *   Layer.provide(NodeFileSystem.layer)
 * )
 *
 * export const finishWhatWasLeft = Effect.flatMap(Transactions.Transactions, ({ recover }) =>
 *   Stream.runForEach(recover, ({ outcome, signed }) => Effect.log(signed.signature, outcome._tag))
 * )
 * ```
 *
 * @since 0.1.0
 * @category tags
 */
export class Journal extends Context.Tag("@pod-protocol/effect/Journal")<Journal, Service>() {}

/**
 * Options of a journal.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Prefix of its keys. Default `transaction-`. Two journals in one store need different prefixes. */
  readonly prefix?: string | undefined
  /**
   * Maximum number of entries, at most 1,000,000. Default 1024, the number that `Transactions` has in flight. Too low:
   * sending fails with `Unrecorded` while the journal is full. On a `KeyValueStore`, the start also misses entries of an
   * earlier process with a higher limit. Too high: each start on a `KeyValueStore` reads that many keys.
   */
  readonly maxEntries?: number | undefined
  /**
   * Maximum number of concurrent reads and writes of the store; further ones wait in FIFO order. Default 16. Too low:
   * sends wait for each other's writes. Too high: the writes may use up the file descriptors of the application.
   */
  readonly concurrency?: number | undefined
}

/** The names of this many keys take about 60 MB. */
const MAX_ENTRIES = 1_000_000

/** Longer texts are unreadable entries. A valid entry takes less than 4 KiB. */
const MAX_ENTRY_BYTES = 65_536

/** The text of the test write at the start. It is as long as a large entry. */
const PROBE = " ".repeat(4096)

/** The store of a journal's texts. */
interface Store {
  readonly get: (key: string) => Effect.Effect<Option.Option<string>, unknown>
  readonly set: (key: string, text: string) => Effect.Effect<void, unknown>
  readonly remove: (key: string) => Effect.Effect<void, unknown>
  /** All keys with an entry; none for a store that cannot list its keys. */
  readonly keys: Effect.Effect<Option.Option<ReadonlyArray<string>>, unknown>
}

/** An entry and its key. The entry is durable from the end of `written` until `leaving` is set. */
interface Slot {
  readonly key: string
  readonly entry: JournalEntry
  readonly written: Deferred.Deferred<void, JournalError>
  leaving: Deferred.Deferred<void> | undefined
}

const Stored = Schema.parseJson(JournalEntry)
const encode = Schema.encode(Stored)
const decodeStored = Schema.decodeOption(Stored)

/** Decodes an entry. None for an invalid text, or if the signature is not that of the transaction's bytes. */
const decode = (text: string): Option.Option<JournalEntry> =>
  text.length > MAX_ENTRY_BYTES
    ? Option.none()
    : Option.filter(decodeStored(text), ({ signed: { signature, wire } }) => {
        const isTransaction = Either.isRight(Wire.decode(wire))
        return isTransaction && Signatures.fromBytes(wire, Wire.FIRST_SIGNATURE_AT) === signature
      })

const unavailable = (cause: unknown) =>
  new JournalError({ reason: "Unavailable", detail: StoreFailure.explain(cause), cause })

/** Runs an effect to its end, even if the caller that waits for it is interrupted. */
const detached = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(Effect.forkDaemon(effect), (fiber) => restore(Fiber.join(fiber)))
  )

const differ = <A>(one: A | undefined, other: A | undefined): boolean =>
  one !== undefined && other !== undefined && one !== other

/**
 * A journal over a store, with each entry under one of `maxEntries` keys.
 *
 * Invariants:
 * - A key is in one of four places: `taken`, `free`, `stale` (its old entry could not be removed) or `unreadable`.
 * - A key moves only after the store has answered, and no operation of the store is interrupted. So no write to a free key
 *   is in progress.
 * - A second `record` of a transaction waits for the first write. If the entry is being removed, it waits for the removal
 *   and then writes again.
 */
const over = Effect.fnUntraced(function* (
  { get, keys, remove, set }: Store,
  options: Options
): Effect.fn.Return<Service, InvalidInput | JournalError> {
  const { prefix = "transaction-" } = options
  const maxEntries = yield* Check.integer("maxEntries", options.maxEntries ?? 1024, 1, MAX_ENTRIES)
  const concurrency = yield* Check.integer("concurrency", options.concurrency ?? 16, 1)
  const permits = yield* Effect.makeSemaphore(concurrency)
  const limited = <A>(use: Effect.Effect<A, unknown>) => Effect.mapError(permits.withPermits(1)(use), unavailable)
  const removed = (key: string) =>
    Effect.catchIf(
      limited(remove(key)),
      ({ cause }) => StoreFailure.isNotFound(cause),
      () => Effect.void
    )

  const taken = new Map<Signature, Slot>()
  const free: Array<string> = []
  const stale: Array<string> = []
  const unreadable: Array<string> = []

  /** Removes an entry and frees its key. */
  const removeEntry = (signature: Signature, { key }: Slot) =>
    Effect.onExit(removed(key), (exit) =>
      Effect.sync(() => {
        taken.delete(signature)
        if (Exit.isSuccess(exit)) free.push(key)
        else stale.push(key)
      })
    )

  /** Tries to remove one stale entry. */
  const clean = Effect.suspend(() => {
    const key = stale.pop()
    if (key === undefined) return Effect.void
    return Effect.match(removed(key), {
      onFailure: () => {
        stale.push(key)
      },
      onSuccess: () => {
        free.push(key)
      }
    })
  })

  const full = () =>
    new JournalError({
      reason: "Full",
      detail: `${taken.size} entries are pending and ${unreadable.length} cannot be read`
    })

  const write = (slot: Slot) =>
    encode(slot.entry).pipe(
      Effect.mapError(unavailable),
      Effect.flatMap((text) => limited(set(slot.key, text))),
      Effect.tapError(() => Effect.ignore(removeEntry(slot.entry.signed.signature, slot))),
      Effect.intoDeferred(slot.written)
    )

  const record: Service["record"] = (entry) =>
    Effect.suspend(() => {
      const { signature } = entry.signed
      const known = taken.get(signature)
      if (known !== undefined) {
        if (differ(known.entry.genesis, entry.genesis) || differ(known.entry.program, entry.program)) {
          return new JournalError({ reason: "Foreign" })
        }
        return known.leaving === undefined
          ? Deferred.await(known.written)
          : Effect.zipRight(Deferred.await(known.leaving), record(entry))
      }
      // Stale entries are overwritten first, so that another process finds as few of them as possible.
      const key = stale.pop() ?? free.pop()
      if (key === undefined) return full()
      const slot: Slot = { key, entry, written: Deferred.unsafeMake(FiberId.none), leaving: undefined }
      taken.set(signature, slot)
      return Effect.zipRight(detached(write(slot)), Deferred.await(slot.written))
    })

  const forget: Service["forget"] = (signature) =>
    Effect.suspend(() => {
      const slot = taken.get(signature)
      if (slot === undefined) return Effect.void
      if (slot.leaving !== undefined) return Deferred.await(slot.leaving)
      const leaving = Deferred.unsafeMake<void>(FiberId.none)
      slot.leaving = leaving
      return Effect.exit(Deferred.await(slot.written)).pipe(
        // A failed write has removed the entry already.
        Effect.flatMap((written) => (Exit.isSuccess(written) ? removeEntry(signature, slot) : Effect.void)),
        Effect.ensuring(Deferred.succeed(leaving, undefined)),
        Effect.zipLeft(clean),
        detached
      )
    })

  const restore = (key: string, text: string) =>
    Option.match(decode(text), {
      onNone: () => {
        unreadable.push(key)
        return Effect.logError("A journal entry cannot be read and is kept. Its transaction may have landed", key)
      },
      onSome: (entry) =>
        Effect.map(Deferred.make<void, JournalError>(), (written) => {
          Deferred.unsafeDone(written, Effect.void)
          taken.set(entry.signed.signature, { key, entry, written, leaving: undefined })
        })
    })

  const read = (key: string) =>
    Effect.flatMap(
      limited(get(key)),
      Option.match({ onNone: () => Effect.sync(() => void free.push(key)), onSome: (text) => restore(key, text) })
    )

  /** The test write detects a read-only store before the first transaction. */
  const probe = `${prefix}probe`
  yield* limited(set(probe, PROBE)).pipe(Effect.ensuring(Effect.ignore(removed(probe))))
  const own = Array.from({ length: maxEntries }, (_, index) => `${prefix}${index}`)
  const isEntry = (key: string) => key.startsWith(prefix) && /^\d{1,15}$/.test(key.slice(prefix.length))
  const used = Option.map(yield* limited(keys), (listed) => new Set(listed.filter(isEntry)))
  yield* Effect.forEach(
    Option.getOrElse(used, () => own),
    read,
    { concurrency, discard: true }
  )
  if (Option.isSome(used)) for (const key of own) if (!used.value.has(key)) free.push(key)
  free.reverse()

  return {
    record,
    forget,
    pending: Effect.sync(() => Array.from(taken.values(), ({ entry }) => entry)),
    unreadable: Effect.sync(() => unreadable.slice())
  }
})

/**
 * A journal over a key-value store, with each entry under one of `maxEntries` keys. `JournalError` if the store cannot be read
 * or written.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options = {}): Effect.Effect<Service, InvalidInput | JournalError, KeyValueStore> =>
  Effect.flatMap(keyValueStore, ({ get, remove, set }) => over({ get, remove, set, keys: Effect.succeedNone }, options))

const decoder = new TextDecoder()
const encoder = new TextEncoder()

/**
 * A journal in the files of a folder, which is created if it does not exist. Before a transaction is first sent, its entry is
 * written under a temporary name, synced and renamed, and the folder is synced. Files and created folders are readable by
 * their owner only. `JournalError` if the folder cannot be read or written.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeFileSystem = (
  directory: string,
  options: Options = {}
): Effect.Effect<Service, InvalidInput | JournalError, FileSystem> =>
  FileStore.make(directory, { maxBytes: MAX_ENTRY_BYTES, leftoverAge: Duration.zero }).pipe(
    Effect.mapError(unavailable),
    Effect.flatMap(({ get, keys, remove, restrict, set }) =>
      over(
        {
          // Earlier versions wrote files that every user could read.
          get: (key) =>
            Effect.ignore(restrict(key)).pipe(
              Effect.zipRight(get(key)),
              Effect.map(Option.map((bytes) => decoder.decode(bytes)))
            ),
          set: (key, text) => set(key, encoder.encode(text)),
          remove,
          keys: Effect.asSome(keys)
        },
        options
      )
    )
  )

/**
 * {@link make} as a layer. `InvalidInput` if `maxEntries` or `concurrency` is out of range.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerKeyValueStore = (
  options?: Options
): Layer.Layer<Journal, InvalidInput | JournalError, KeyValueStore> => Layer.effect(Journal, make(options))

/**
 * {@link makeFileSystem} as a layer. `InvalidInput` if `maxEntries` or `concurrency` is out of range.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerFileSystem = (
  directory: string,
  options?: Options
): Layer.Layer<Journal, InvalidInput | JournalError, FileSystem> =>
  Layer.effect(Journal, makeFileSystem(directory, options))
