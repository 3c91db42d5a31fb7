/**
 * Reads the events of a range of slots from the history of the program's address.
 *
 * A node returns a history newest first, page by page. Events are needed oldest first. So the reader walks down to the
 * start of the range, and then back up. It keeps the oldest pages, but only the boundaries of the newer ones.
 *
 * Invariants:
 * - Slots are returned whole and in order. A slot is returned only after each of its transactions was read.
 * - If the history lists a transaction that no node returns, the reader asks for it again and never skips it. It
 *   returns `Lost` only if the node says that its ledger begins later.
 * - A history that ends above the start of the range is complete, unless the ledger was pruned.
 * - A number that one reply claims never moves the reader beyond the entries that it has read.
 */
import type { Address, Commitment, Signature, Slot } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as ProtocolEvent from "../../src/protocol/ProtocolEvent.js"
import { MAX_SIGNATURES_FOR_ADDRESS } from "../../src/solana/Limits.js"
import { readFrom } from "../internal/falseSlot.js"
import { persist } from "../internal/persist.js"
import * as Metrics from "../Metrics.js"
import type { HistoryOptions, Service, SignatureInfo } from "../RpcPool.js"
import { RpcError } from "../RpcTransport.js"

/** A commitment at which nodes serve transactions. */
export type Settled = Exclude<Commitment, "processed">

type Events = ReadonlyArray<ProtocolEvent.ProtocolEvent>

/** All events of a slot in order, or a range of slots whose transactions no node keeps. */
export type Part =
  | { readonly _tag: "Slot"; readonly slot: Slot; readonly events: Events }
  | { readonly _tag: "Lost"; readonly from: Slot; readonly to: Slot }

/** Transactions that are fetched before the first of them is returned. */
const RUN = 64

/** Pages that are kept during the walk down: 50,000 entries. */
const MAX_PAGES_HELD = 50

/** Maximum pages of a walk: 100 million transactions. A longer history is refused. */
const MAX_PAGES = 100_000

/** Attempts to read a transaction. Then the history is read again, to check that it still lists the transaction. */
const ATTEMPTS = 6

/** Milliseconds between the first and the second attempt. The wait doubles each time. */
const BASE = 250

/** Agave's error code for an unsupported transaction version. */
const UNSUPPORTED_VERSION = -32015

const METHOD = "getSignaturesForAddress"

interface Page {
  /** The page contains entries older than this one. */
  readonly before: Signature | undefined
  /** Newest first; `undefined` if the page must be read again. */
  items: ReadonlyArray<SignatureInfo> | undefined
}

/** The history changed during the read. The reader starts over after the last slot that it returned. */
const STALE = "Stale"

const stale: Effect.Effect<never, typeof STALE> = Effect.fail(STALE)

const disordered = new RpcError({
  reason: "Decode",
  method: METHOD,
  detail: "the history is not in slot order, or does not end"
})

export class History {
  readonly pool: Service
  readonly program: Address
  readonly commitment: Settled
  readonly concurrency: number

  constructor(pool: Service, program: Address, commitment: Settled, concurrency: number) {
    this.pool = pool
    this.program = program
    this.commitment = commitment
    this.concurrency = concurrency
  }

  /** The slot that the node has reached. */
  get head(): Effect.Effect<Slot, RpcError> {
    return persist(this.pool.getSlot({ commitment: this.commitment }))
  }

  /**
   * A page at a slot or later, newest first. If the cluster never reaches that slot, `onFalse` gets the pool's slot.
   */
  pageFrom(
    slot: Slot,
    options: Pick<HistoryOptions, "before" | "until" | "limit">,
    onFalse: (current: Slot) => void
  ): Effect.Effect<ReadonlyArray<SignatureInfo>, RpcError> {
    return readFrom(slot, (minContextSlot) => this.page({ ...options, minContextSlot }), {
      current: Effect.suspend(() => this.pool.getSlot({ commitment: this.commitment })),
      onFalse
    })
  }

  /** A page, newest first. */
  page(
    options: Pick<HistoryOptions, "before" | "until" | "minContextSlot" | "limit">
  ): Effect.Effect<ReadonlyArray<SignatureInfo>, RpcError> {
    return persist(
      Effect.flatMap(
        Effect.catchTag(
          this.pool.getSignaturesForAddress(this.program, { ...options, commitment: this.commitment }),
          "InvalidInput",
          Effect.die
        ),
        (page) =>
          page.every(({ slot }, index) => slot <= (page[index - 1]?.slot ?? slot))
            ? Effect.succeed(page)
            : Effect.fail(disordered)
      )
    )
  }

  /** The first slot of the node's ledger. */
  get firstSlot(): Effect.Effect<Slot, RpcError> {
    return persist(this.pool.getFirstAvailableBlock)
  }

  /** The events of a transaction; `None` if the node does not return it yet. */
  events({ blockTime, err, signature, slot }: SignatureInfo): Effect.Effect<Option.Option<Events>, RpcError> {
    if (err !== null && err !== undefined) return Effect.succeed(Option.some([]))
    const read = persist(
      Effect.catchTag(this.pool.getTransaction(signature, { commitment: this.commitment }), "InvalidInput", Effect.die)
    )
    const derived = Effect.map(
      read,
      Option.flatMap((transaction) =>
        transaction.slot === slot
          ? Either.getRight(ProtocolEvent.fromTransaction(signature, transaction, this.program))
          : Option.none()
      )
    )
    return Effect.catchIf(
      derived,
      ({ code }) => code === UNSUPPORTED_VERSION,
      ({ detail }) => Effect.succeed(Option.some([ProtocolEvent.unreadable({ signature, slot, blockTime }, detail)]))
    )
  }
}

/** The range of slots to read. */
export interface Range {
  /** Only slots above this one. -1 is before the first. */
  readonly after: Slot
  /** Up to this slot, which the node has reached. */
  readonly to: Slot
  /** The history was read up to this slot before, without an entry between `after` and it. Default: `after`. */
  readonly known?: Slot | undefined
  /** An entry at or below `after`, at which pages may end. Another entry at or below `after` precedes it. */
  readonly until?: Signature | undefined
}

export class Reader {
  readonly #history: History
  readonly #until: Signature | undefined
  #to: Slot
  #known: Slot
  #after: Slot
  /** The pages to read, newest first; `undefined` before the walk. */
  #pages: Array<Page> | undefined
  /** Entries of the range that were not returned yet, oldest first. */
  #entries: ReadonlyArray<SignatureInfo> = []

  #last: ReadonlyArray<Signature> = []

  constructor(history: History, { after, known = after, to, until }: Range) {
    this.#history = history
    this.#after = after
    this.#known = known
    this.#to = to
    this.#until = until
  }

  /** The end of the range. It is lower than requested if the cluster is far from the requested slot. */
  get to(): Slot {
    return this.#to
  }

  /** The last returned entries, at most two. */
  get last(): ReadonlyArray<Signature> {
    return this.#last
  }

  /** The next parts, oldest first; `undefined` at the end of the range. */
  next(): Effect.Effect<ReadonlyArray<Part> | undefined, RpcError> {
    return Effect.catchAll(this.#next, (error) => {
      if (error !== STALE) return Effect.fail(error)
      this.#pages = undefined
      this.#entries = []
      return Effect.zipRight(
        Effect.sleep(BASE),
        Effect.suspend(() => this.next())
      )
    })
  }

  get #next(): Effect.Effect<ReadonlyArray<Part> | undefined, RpcError | typeof STALE> {
    return Effect.gen(this, function* () {
      if (this.#pages === undefined) {
        const pages: Array<Page> = []
        const lost = yield* this.#walk(pages)
        this.#pages = pages
        if (lost !== undefined) {
          this.#known = lost.to
          return [lost]
        }
      }
      const pages = this.#pages
      while (this.#runLength() === 0 && pages.length > 0) yield* this.#takePage(pages)
      const run = this.#entries.slice(0, this.#runLength())
      if (run.length === 0) return undefined
      const parts = yield* this.#parts(run)
      this.#entries = this.#entries.slice(run.length)
      this.#after = run.at(-1)?.slot ?? this.#after
      this.#last = [...this.#last, ...run.map(({ signature }) => signature)].slice(-2)
      return parts
    })
  }

  /** The number of entries in the next run: whole slots, at least {@link RUN} entries if there are that many. */
  #runLength(): number {
    const entries = this.#entries
    // The newest slot may continue in the next page.
    const isLast = this.#pages?.length === 0
    let end = Math.min(RUN, entries.length)
    while (end < entries.length && entries[end]?.slot === entries[end - 1]?.slot) end++
    if (end < entries.length || isLast) return end
    while (end > 0 && entries[end - 1]?.slot === entries.at(-1)?.slot) end--
    return end
  }

  /** Finds the pages of the range. Returns the slots that the ledger no longer contains as `Lost`. */
  #walk(pages: Array<Page>): Effect.Effect<Extract<Part, { readonly _tag: "Lost" }> | undefined, RpcError> {
    return Effect.gen(this, function* () {
      const ends = new Set<Signature>()
      let before: Signature | undefined
      let newest: Slot | undefined
      while (true) {
        const items = yield* this.#read(before)
        const [first] = items
        const last = items.at(-1)
        if (first === undefined || last === undefined) break
        const isEndless = pages.length >= MAX_PAGES || ends.has(last.signature)
        if (isEndless || (newest !== undefined && first.slot > newest)) return yield* disordered
        ends.add(last.signature)
        pages.push({ before, items })
        const released = pages[pages.length - 1 - MAX_PAGES_HELD]
        if (released !== undefined) released.items = undefined
        if (last.slot <= this.#after) return undefined
        before = last.signature
        newest = last.slot
      }
      // The history ends above the start of the range: it is complete, or the ledger begins later.
      const start = yield* this.#history.firstSlot
      const from = (this.#known > this.#after ? this.#known : this.#after) + 1n
      return start > from && start <= this.#to ? { _tag: "Lost" as const, from, to: start - 1n } : undefined
    })
  }

  #read(before: Signature | undefined): Effect.Effect<ReadonlyArray<SignatureInfo>, RpcError> {
    const page = { before, until: this.#until, limit: MAX_SIGNATURES_FOR_ADDRESS }
    return this.#history.pageFrom(this.#to, page, (current) => {
      this.#to = current
    })
  }

  /** Appends the oldest page to the entries. */
  #takePage(pages: Array<Page>): Effect.Effect<void, RpcError | typeof STALE> {
    return Effect.suspend(() => {
      const page = pages.at(-1)
      if (page === undefined) return Effect.void
      const items = page.items === undefined ? this.#read(page.before) : Effect.succeed(page.items)
      return Effect.flatMap(items, (items) => {
        if (items.length === 0) return stale
        pages.pop()
        const known = new Set(this.#entries.map(({ signature }) => signature))
        const added: Array<SignatureInfo> = []
        for (const info of items.toReversed()) {
          if (info.slot <= this.#after || info.slot > this.#to || known.has(info.signature)) continue
          known.add(info.signature)
          added.push(info)
        }
        this.#entries = [...this.#entries, ...added]
        return Effect.void
      })
    })
  }

  #parts(run: ReadonlyArray<SignatureInfo>): Effect.Effect<ReadonlyArray<Part>, RpcError | typeof STALE> {
    return Effect.map(
      Effect.forEach(run, (info) => this.#fetch(info, 0), { concurrency: this.#history.concurrency }),
      (fetched) => {
        const parts: Array<Part> = []
        let events: Array<ProtocolEvent.ProtocolEvent> = []
        for (const [index, { slot }] of run.entries()) {
          const found = fetched[index]
          if (found === undefined) parts.push({ _tag: "Lost", from: slot, to: slot })
          else for (const event of found) events.push(event)
          if (run[index + 1]?.slot === slot) continue
          parts.push({ _tag: "Slot", slot, events })
          events = []
        }
        return parts
      }
    )
  }

  /** The events of a transaction; `undefined` if the ledger no longer contains it. */
  #fetch(info: SignatureInfo, attempt: number): Effect.Effect<Events | undefined, RpcError | typeof STALE> {
    return Effect.flatMap(this.#history.events(info), (events) => {
      if (Option.isSome(events)) return Effect.succeed(events.value)
      return Effect.zipRight(
        Metric.increment(Metrics.eventsHeld),
        Effect.flatMap(this.#history.firstSlot, (start): Effect.Effect<Events | undefined, RpcError | typeof STALE> => {
          if (start > info.slot && start <= this.#to) return Effect.succeed(undefined)
          return attempt >= ATTEMPTS
            ? stale
            : Effect.zipRight(
                Effect.sleep(BASE * 2 ** Math.min(attempt, 4)),
                Effect.suspend(() => this.#fetch(info, attempt + 1))
              )
        })
      )
    })
  }
}
