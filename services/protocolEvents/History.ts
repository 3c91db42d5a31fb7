/**
 * The events of a range of slots, read from the history of the program's address.
 *
 * A history is read newest first, page by page. Its events are needed oldest first. So the reader walks down to the start
 * of the range, keeps the oldest pages and only the boundaries of the newer ones, and comes back up.
 *
 * Invariants:
 * - Slots are given whole and in order. No slot is given before each of its transactions was read.
 * - A transaction that the history lists and no node returns is asked for again, never passed over. `Lost` is given only
 *   where the node says that its ledger begins later.
 * - A history that ends above the start of the range without a pruned ledger is the whole history.
 * - No number that one reply claims moves the reader further than the entries that it has read.
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

/** All events of a slot in order, or slots whose transactions no node keeps. */
export type Part =
  | { readonly _tag: "Slot"; readonly slot: Slot; readonly events: Events }
  | { readonly _tag: "Lost"; readonly from: Slot; readonly to: Slot }

/** Transactions that are fetched before any of them is given. */
const RUN = 64

/** Pages that are kept while the reader walks down: 50,000 entries. */
const MAX_PAGES_HELD = 50

/** Pages of a walk: 100 million transactions. A node whose history has no end is refused. */
const MAX_PAGES = 100_000

/** How often a transaction is asked for before the history is asked again whether it is still there. */
const ATTEMPTS = 6

/** Milliseconds from the first to the second attempt; doubled each time. */
const BASE = 250

/** Agave's code for a message version that the client does not read. */
const UNSUPPORTED_VERSION = -32015

const METHOD = "getSignaturesForAddress"

interface Page {
  /** The page holds what is older than this. */
  readonly before: Signature | undefined
  /** Newest first; undefined for one that is read again. */
  items: ReadonlyArray<SignatureInfo> | undefined
}

/** The history changed under the reader: it starts over from the last slot that it gave. */
const STALE = "Stale"

const stale: Effect.Effect<never, typeof STALE> = Effect.fail(STALE)

const disordered = new RpcError({
  reason: "Decode",
  method: METHOD,
  detail: "the history is not in the order of slots, or has no end"
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

  /** A page as of a slot or later, newest first. `onFalse` gets the pool's slot, if it never reaches that one. */
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

  /** Where the node's ledger begins. */
  get firstSlot(): Effect.Effect<Slot, RpcError> {
    return persist(this.pool.getFirstAvailableBlock)
  }

  /** The events of a transaction; none while the nodes do not return it. */
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

/** The slots to read. */
export interface Range {
  /** Slots above this one. -1 is before the first. */
  readonly after: Slot
  /** Up to this one, which the node has reached. */
  readonly to: Slot
  /** The history up to this slot was read before, and held nothing between `after` and it. Default: `after`. */
  readonly known?: Slot | undefined
  /** An entry at or below `after`, where pages can end, with another one at or below `after` behind it. */
  readonly until?: Signature | undefined
}

export class Reader {
  readonly #history: History
  readonly #until: Signature | undefined
  #to: Slot
  #known: Slot
  #after: Slot
  /** The pages to read, newest first; undefined before the walk. */
  #pages: Array<Page> | undefined
  /** Entries in the range, oldest first, that were not given yet. */
  #entries: ReadonlyArray<SignatureInfo> = []

  #last: ReadonlyArray<Signature> = []

  constructor(history: History, { after, known = after, to, until }: Range) {
    this.#history = history
    this.#after = after
    this.#known = known
    this.#to = to
    this.#until = until
  }

  /** The end of the range: lower than asked for, where the cluster has not come near that. */
  get to(): Slot {
    return this.#to
  }

  /** The last entries that were given, at most two. */
  get last(): ReadonlyArray<Signature> {
    return this.#last
  }

  /** The next parts, oldest first; none at the end of the range. */
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

  /** Entries of whole slots, at least {@link RUN} of them unless there are fewer. */
  #runLength(): number {
    const entries = this.#entries
    // The newest slot may go on in the next page.
    const isLast = this.#pages?.length === 0
    let end = Math.min(RUN, entries.length)
    while (end < entries.length && entries[end]?.slot === entries[end - 1]?.slot) end++
    if (end < entries.length || isLast) return end
    while (end > 0 && entries[end - 1]?.slot === entries.at(-1)?.slot) end--
    return end
  }

  /** Finds the pages of the range. Slots that the ledger no longer holds come as `Lost`. */
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
      // The history ends above the range's start: it is whole, or the ledger begins later.
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

  /** Puts the oldest page behind the entries. */
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

  /** The events of a transaction; undefined where the ledger no longer holds it. */
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
