/**
 * The transactions in flight, and the only code that answers them.
 *
 * - Each is answered once. {@link InFlight.resolve} removes it from the set before it answers, and ignores a
 *   transaction that is not in the set. A look-up, a deadline and an interruption may end one transaction in the same
 *   turn: the first one counts.
 * - A transaction that leaves the set leaves no fiber. Its subscription and its first sending are interrupted, without
 *   waiting for them.
 * - Answering changes the set, so loops iterate over a copy. An entry of a copy may be answered while the loop waits
 *   for I/O: check {@link InFlight.has}.
 */
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import type { RpcError } from "../../RpcTransport.js"
import type { TransactionError } from "../TransactionError.js"
import type { Entry, Landed } from "./Entry.js"
import { IndexedSet } from "./IndexedSet.js"

export class InFlight {
  readonly #entries = new IndexedSet<Entry>()
  #answered = 0

  get size(): number {
    return this.#entries.size
  }

  /** The number of transactions answered so far. */
  get answered(): number {
    return this.#answered
  }

  list(): ReadonlyArray<Entry> {
    return this.#entries.list()
  }

  filter(predicate: (entry: Entry) => boolean): ReadonlyArray<Entry> {
    return this.#entries.filter(predicate)
  }

  has(entry: Entry): boolean {
    return this.#entries.has(entry)
  }

  add(entry: Entry): void {
    this.#entries.add(entry)
  }

  /** Removes a transaction without an answer, because its caller was interrupted. */
  remove(entry: Entry): void {
    this.#entries.delete(entry)
    entry.hint?.unsafeInterruptAsFork(FiberId.none)
    entry.giveUp?.()
  }

  resolve(entry: Entry, outcome: Effect.Effect<Landed, RpcError | TransactionError>): void {
    if (!this.#entries.has(entry)) return
    this.#answered++
    this.remove(entry)
    entry.resume(outcome)
  }

  fail(entry: Entry, error: RpcError | TransactionError): void {
    this.resolve(entry, Effect.fail(error))
  }
}
