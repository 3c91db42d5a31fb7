/**
 * Transactions that were signed and whose outcome is not known yet, written down so that another process can go on with
 * them when this one dies.
 *
 * It survives the death of the process. Whether it survives that of the machine is the store's affair: a store that does
 * not sync its writes to the disk may lose the last of them.
 *
 * @since 0.1.0
 */
import type { Signature } from "@solana/kit"
import type { KeyValueStore } from "@effect/platform/KeyValueStore"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { InvalidInput } from "../../src/InvalidInput.js"
import * as Address from "../../src/solana/Address.js"
import { keyValueStore } from "../internal/keyValueStore.js"
import { SignedTransaction } from "./SignedTransaction.js"

/**
 * One transaction that may be on its way.
 *
 * @since 0.1.0
 * @category models
 */
export class JournalEntry extends Schema.Class<JournalEntry>("@pod-protocol/effect/JournalEntry")({
  signed: SignedTransaction,
  /** The accounts that it makes, where its sender said so. */
  creates: Schema.Array(Address.Schema)
}) {}

/**
 * A journal did not write.
 *
 * - `Full`: it holds as many entries as it may. `Transactions.recover` finishes and removes those of dead processes.
 * - `Unavailable`: the store failed; `cause` is why.
 *
 * @since 0.1.0
 * @category errors
 */
export class JournalError extends Schema.TaggedError<JournalError>("@pod-protocol/effect/JournalError")(
  "JournalError",
  {
    reason: Schema.Literal("Full", "Unavailable"),
    cause: Schema.optional(Schema.Defect)
  }
) {
  override get message(): string {
    return this.reason === "Full"
      ? "the journal is full: recover what is in it, or give it more capacity"
      : "the journal's store failed"
  }

  /** Whether the same may succeed later. */
  get isRetryable(): boolean {
    return true
  }
}

/**
 * What can be asked of a journal.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** Writes a transaction down. When this succeeds, it is found after the death of the process. */
  readonly record: (entry: JournalEntry) => Effect.Effect<void, JournalError>
  /** Strikes it out, since its outcome is known. Nothing happens where it was not written down. */
  readonly forget: (signature: Signature) => Effect.Effect<void, JournalError>
  /** What was written down and not struck out, by this process and those before it. */
  readonly pending: Effect.Effect<ReadonlyArray<JournalEntry>>
}

/**
 * Where `Transactions` writes down what it sends, if this is provided to its layer. One journal belongs to one process
 * at a time.
 *
 * @example
 * ```ts
 * import * as NodeKeyValueStore from "@effect/platform-node/NodeKeyValueStore"
 * import { Transactions } from "@pod-protocol/effect"
 * import * as Journal from "@pod-protocol/effect/services/transactions/Journal"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import * as Stream from "effect/Stream"
 *
 * export const JournaledTransactions = Transactions.layer().pipe(
 *   Layer.provide(Journal.layerKeyValueStore()),
 *   Layer.provide(NodeKeyValueStore.layerFileSystem("journal"))
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
 * How a journal uses its store.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** What its keys begin with. Default `transaction-`. Two journals in one store need different ones. */
  readonly prefix?: string | undefined
  /**
   * Entries at the same time. Default 1024, as many as `Transactions` has in flight. Too low: sending fails with
   * `Unrecorded` while it is full. Too high: each start reads so many keys.
   */
  readonly capacity?: number | undefined
}

const READS = 16

const Stored = Schema.parseJson(JournalEntry)
const encode = Schema.encode(Stored)
const decode = Schema.decode(Stored)

const unavailable = (cause: unknown) => new JournalError({ reason: "Unavailable", cause })

/**
 * A journal over a key-value store, each entry under one of `capacity` keys. An entry that cannot be read was cut off
 * while it was written, thus before it was sent: it is logged and removed.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = Effect.fnUntraced(function* (
  options: Options = {}
): Effect.fn.Return<Service, InvalidInput | JournalError, KeyValueStore> {
  const { capacity = 1024, prefix = "transaction-" } = options
  if (!(Number.isSafeInteger(capacity) && capacity > 0)) {
    return yield* new InvalidInput({ field: "capacity", rule: "must be a whole number, at least 1", size: capacity })
  }
  const store = yield* keyValueStore
  const free: Array<string> = []
  const taken = new Map<Signature, { readonly key: string; readonly entry: JournalEntry }>()
  const keys = Array.from({ length: capacity }, (_, index) => `${prefix}${index}`)

  const read = (key: string) =>
    Effect.flatMap(
      Effect.mapError(store.get(key), unavailable),
      Option.match({
        onNone: () => Effect.sync(() => free.push(key)),
        onSome: (text) =>
          Effect.matchEffect(decode(text), {
            onFailure: () =>
              Effect.logWarning("a journal entry was cut off before its transaction was sent", key).pipe(
                Effect.zipRight(Effect.mapError(store.remove(key), unavailable)),
                Effect.zipRight(Effect.sync(() => free.push(key)))
              ),
            onSuccess: (entry) => Effect.sync(() => taken.set(entry.signed.signature, { key, entry }))
          })
      })
    )
  yield* Effect.forEach(keys, read, { concurrency: READS, discard: true })
  free.reverse()

  return {
    record: (entry) =>
      Effect.suspend(() => {
        const { signature } = entry.signed
        if (taken.has(signature)) return Effect.void
        const key = free.pop()
        if (key === undefined) return Effect.fail(new JournalError({ reason: "Full" }))
        taken.set(signature, { key, entry })
        return encode(entry).pipe(
          Effect.flatMap((text) => store.set(key, text)),
          Effect.mapError(unavailable),
          Effect.tapError(() =>
            Effect.sync(() => {
              taken.delete(signature)
              free.push(key)
            })
          )
        )
      }),
    forget: (signature) =>
      Effect.suspend(() => {
        const found = taken.get(signature)
        if (found === undefined) return Effect.void
        return store.remove(found.key).pipe(
          Effect.mapError(unavailable),
          Effect.tap(() =>
            Effect.sync(() => {
              taken.delete(signature)
              free.push(found.key)
            })
          )
        )
      }),
    pending: Effect.sync(() => Array.from(taken.values(), ({ entry }) => entry))
  }
})

/**
 * {@link make} as a layer. `InvalidInput` for a capacity that is no positive whole number.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerKeyValueStore = (
  options?: Options
): Layer.Layer<Journal, InvalidInput | JournalError, KeyValueStore> => Layer.effect(Journal, make(options))
