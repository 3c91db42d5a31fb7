/**
 * An index of accounts in memory. It finds them by terms, by words and by ranges, in an order.
 *
 * Each account has a row number. Each order is a {@link SortedList} of rows by a 64-bit key, highest first, then by
 * address. Each term and each word has a set of rows. A search intersects the sets that it names, so it reads only
 * matching accounts. Then it walks the order and stops after the page, or selects the best of a few rows.
 *
 * Invariant: a row is in every order and in the sets of all its terms and words, or in none of them. The fields of a
 * row do not change while the row is in an order.
 */
import type { Address } from "@solana/kit"
import type * as Effect from "effect/Effect"
import * as Turns from "../internal/eventLoop.js"
import { Best } from "./Best.js"
import { KeyColumn, keyOf } from "./KeyColumn.js"
import * as Bits from "./RowSet.js"
import { RowSet } from "./RowSet.js"
import { byTexts, byWords } from "./sort.js"
import { type Position, SortedList } from "./SortedList.js"
import { TextColumn } from "./TextColumn.js"
import { tokens } from "./tokens.js"

/** Accounts that are added in one step, which takes about half a millisecond. */
const PART = 128

/** Words that are processed in one step. */
const WORDS = 2048

/** The indexed columns of an account. */
export interface Columns<A, Order extends string> {
  /** Exact search keys of an account, such as `status:Read`. */
  readonly terms: (account: A) => ReadonlyArray<string>
  /** The text whose words find the account. */
  readonly text: (account: A) => string
  /** The key of each order. */
  readonly orders: Readonly<Record<Order, (account: A) => bigint>>
  /** The amount that is added up over all accounts. */
  readonly amount?: (account: A) => bigint
}

/** Where a page begins: behind this key and address. */
export interface Place {
  readonly key: bigint
  readonly address: string
}

export interface Range {
  readonly min: bigint
  readonly max: bigint
}

export interface Query<Order extends string> {
  readonly order: Order
  /** An account must have at least one term of each list. */
  readonly terms: ReadonlyArray<ReadonlyArray<string>>
  /** Words of the text, matched by prefix. All must match. */
  readonly text: string
  /** The lowest and the highest key in an order. */
  readonly ranges: { readonly [order in Order]?: Range | undefined }
  readonly after: Place | undefined
  readonly limit: number
}

/** An account in the index. */
export interface Found<A> {
  readonly address: Address
  readonly account: A
}

/**
 * What an account and a query have in common: terms, and words. `either` counts the elements that at least one of them
 * has.
 */
export interface Overlap {
  readonly terms: { readonly both: number; readonly either: number }
  readonly words: { readonly both: number; readonly either: number }
}

/** An account with the slot at which it was read. */
export interface Dated<A> extends Found<A> {
  readonly slot: bigint
}

interface Row<A> extends Dated<A> {
  readonly terms: number
  readonly words: number
}

/** A word, and the rows that contain it. */
class Word extends RowSet {
  readonly text: string

  constructor(text: string) {
    super()
    this.text = text
  }
}

interface Ordering<A> {
  readonly name: string
  readonly keyOf: (account: A) => bigint
  readonly keys: KeyColumn
  readonly rows: SortedList<number>
}

const NONE: Bits.Bits = new Uint32Array(0)

const compareTexts = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

export class SearchIndex<A, Order extends string> {
  readonly #columns: Columns<A, Order>
  readonly #orders: ReadonlyArray<Ordering<A>>
  readonly #rows: Array<Row<A> | undefined> = []
  readonly #free: Array<number> = []
  readonly #rowOf = new Map<Address, number>()
  readonly #addresses = new TextColumn()
  readonly #byTerm = new Map<string, RowSet>()
  readonly #byWord = new Map<string, Word>()
  readonly #words = new SortedList<Word>((a, b) => compareTexts(a.text, b.text))
  #total = 0n
  /** Buffers for the rows of a search, kept to save allocations. */
  #some = NONE
  #more = NONE

  constructor(columns: Columns<A, Order>) {
    const orders: ReadonlyArray<readonly [string, (account: A) => bigint]> = Object.entries(columns.orders)
    this.#columns = columns
    this.#orders = orders.map(([name, keyOf]) => {
      const keys = new KeyColumn()
      return { name, keyOf, keys, rows: new SortedList<number>((a, b) => this.#compare(keys, a, b)) }
    })
  }

  /**
   * Builds an index in turns of the event loop. If two accounts have one address, the one with the later slot counts.
   */
  static make<A, Order extends string>(
    columns: Columns<A, Order>,
    accounts: Iterable<Dated<A>>
  ): Effect.Effect<SearchIndex<A, Order>> {
    return Turns.longSteps(() => new SearchIndex(columns).#build(accounts))
  }

  /** Adds the next accounts to the rows and sets. Returns false after the last one. V8 optimises no loop of a generator. */
  #setPart(accounts: Iterator<Dated<A>>, newWords: Array<Word>): boolean {
    for (let put = 0; put < PART; put++) {
      const next = accounts.next()
      if (next.done === true) return false
      const { account, address, slot } = next.value
      const known = this.#rowOf.get(address)
      if (known !== undefined && slot < (this.#rows[known]?.slot ?? 0n)) continue
      if (known !== undefined) this.#unset(known)
      this.#set(known ?? this.#rows.length, address, account, slot, newWords)
    }
    return true
  }

  *#build(accounts: Iterable<Dated<A>>): Generator<void, this> {
    const newWords: Array<Word> = []
    const rest = accounts[Symbol.iterator]()
    while (this.#setPart(rest, newWords)) yield
    const byAddress = yield* byTexts(this.#rows.length, this.#addresses, (row) => this.#rows[row]?.address ?? "")
    for (const { keys, rows } of this.#orders) yield* rows.replacing(yield* byWords(byAddress, keys.descending))
    const beginnings = new TextColumn()
    for (const [index, { text }] of newWords.entries()) {
      beginnings.set(index, text)
      if (index % WORDS === 0) yield
    }
    const order = yield* byTexts(newWords.length, beginnings, (index) => newWords[index]?.text ?? "")
    const inOrder: Array<Word> = []
    for (const [place, index] of order.entries()) {
      const word = newWords[index]
      // A later account may have replaced all accounts of a word. Another word object may have its text now.
      if (word !== undefined && word.size > 0) inOrder.push(word)
      if (place % WORDS === 0) yield
    }
    yield* this.#words.replacing(inOrder)
    return this
  }

  get size(): number {
    return this.#rowOf.size
  }

  get(address: Address): Found<A> | undefined {
    const row = this.#rowOf.get(address)
    return row === undefined ? undefined : this.#rows[row]
  }

  /** The sum of the amounts of all accounts. */
  get total(): bigint {
    return this.#total
  }

  /** The number of accounts with a term. */
  count(term: string): number {
    return this.#byTerm.get(term)?.size ?? 0
  }

  /** The highest key of an order; `undefined` for an empty index. */
  highest(order: Order): bigint | undefined {
    const ordering = this.#orderingOf(order)
    let first: Row<A> | undefined
    ordering?.rows.walk(
      () => 0,
      (row) => {
        first = this.#rows[row]
        return false
      }
    )
    return first === undefined ? undefined : ordering?.keyOf(first.account)
  }

  /** All accounts, in no order. */
  *all(): Generator<Dated<A>> {
    for (const row of this.#rows) if (row !== undefined) yield row
  }

  #orderingOf(order: Order): Ordering<A> | undefined {
    return this.#orders.find(({ name }) => name === order)
  }

  #compare(keys: KeyColumn, a: number, b: number): number {
    return (
      keys.compare(b, a) ||
      this.#addresses.compare(a, b) ||
      compareTexts(this.#rows[a]?.address ?? "", this.#rows[b]?.address ?? "")
    )
  }

  /** Adds or replaces an account with its slot. Returns false, without a change, if the index has a later slot. */
  put(address: Address, account: A, slot: bigint): boolean {
    const known = this.#rowOf.get(address)
    if (known !== undefined && slot < (this.#rows[known]?.slot ?? 0n)) return false
    if (known !== undefined) {
      for (const { rows } of this.#orders) rows.remove(known)
      this.#unset(known)
    }
    const newWords: Array<Word> = []
    const row = known ?? this.#free.pop() ?? this.#rows.length
    this.#set(row, address, account, slot, newWords)
    for (const word of newWords) this.#words.add(word)
    for (const { rows } of this.#orders) rows.add(row)
    return true
  }

  /** Removes the last account of an order and returns its address. */
  removeLast(order: Order): Address | undefined {
    const row = this.#orderingOf(order)?.rows.last
    const address = row === undefined ? undefined : this.#rows[row]?.address
    if (row === undefined || address === undefined) return undefined
    for (const { rows } of this.#orders) rows.remove(row)
    this.#unset(row)
    this.#rows[row] = undefined
    this.#rowOf.delete(address)
    this.#free.push(row)
    return address
  }

  #set(row: number, address: Address, account: A, slot: bigint, newWords: Array<Word>): void {
    const terms = this.#columns.terms(account)
    const words = tokens(this.#columns.text(account))
    this.#rows[row] = { address, account, slot, terms: terms.length, words: words.length }
    this.#rowOf.set(address, row)
    this.#addresses.set(row, address)
    this.#total += this.#columns.amount?.(account) ?? 0n
    for (const { keyOf, keys } of this.#orders) keys.set(row, keyOf(account))
    for (const term of terms) {
      let rows = this.#byTerm.get(term)
      if (rows === undefined) this.#byTerm.set(term, (rows = new RowSet()))
      rows.add(row)
    }
    for (const text of words) {
      let word = this.#byWord.get(text)
      if (word === undefined) {
        this.#byWord.set(text, (word = new Word(text)))
        newWords.push(word)
      }
      word.add(row)
    }
  }

  /** Removes a row from the sets of its terms and words. */
  #unset(row: number): void {
    const known = this.#rows[row]
    if (known === undefined) return
    this.#total -= this.#columns.amount?.(known.account) ?? 0n
    for (const term of this.#columns.terms(known.account)) {
      const rows = this.#byTerm.get(term)
      rows?.remove(row)
      if (rows?.size === 0) this.#byTerm.delete(term)
    }
    for (const text of tokens(this.#columns.text(known.account))) {
      const word = this.#byWord.get(text)
      word?.remove(row)
      if (word === undefined || word.size > 0) continue
      this.#byWord.delete(text)
      this.#words.remove(word)
    }
  }

  /** The matching accounts: at most one more than the limit, to show whether another page follows. */
  search(query: Query<Order>): ReadonlyArray<Found<A>> {
    const ordering = this.#orderingOf(query.order)
    if (ordering === undefined) return []
    const { keys, rows } = ordering
    const { after, limit } = query
    const range = query.ranges[query.order]
    const max = range === undefined ? undefined : keyOf(range.max)
    const min = range === undefined ? undefined : keyOf(range.min)
    const behind = after === undefined ? undefined : { key: keyOf(after.key), address: after.address }
    const start: Position<number> = (row) => {
      if (max !== undefined && keys.compareTo(row, max) > 0) return -1
      if (behind === undefined) return 0
      const difference = keys.compareTo(row, behind.key)
      if (difference !== 0) return -difference
      return (this.#rows[row]?.address ?? "") > behind.address ? 1 : -1
    }
    const isInside = (row: number): boolean => min === undefined || keys.compareTo(row, min) >= 0

    const some = this.#matching(query)
    const count = some === undefined ? this.size : Bits.count(some)
    if (count === 0) return []
    const found: Array<Row<A>> = []
    const keep = (row: number): void => {
      const kept = this.#rows[row]
      if (kept !== undefined) found.push(kept)
    }
    // If matches are spread evenly, walking to a full page is shorter than the list of all matches.
    if (some === undefined || count * count > this.size * limit) {
      rows.walk(start, (row) => {
        if (!isInside(row)) return false
        if (some === undefined || Bits.has(some, row)) keep(row)
        return found.length <= limit
      })
      return found
    }
    const best = new Best<number>(limit + 1, (a, b) => this.#compare(keys, a, b))
    Bits.forEach(some, (row) => {
      if (start(row) >= 0 && isInside(row)) best.add(row)
    })
    best.items.forEach(keep)
    return found
  }

  /**
   * The rows that match every condition except the range of the query's own order. `undefined` if all rows match. Valid
   * until the next search.
   */
  #matching({ order, ranges, terms, text }: Query<Order>): Bits.Bits | undefined {
    const length = Bits.wordsOf(this.#rows.length)
    if (this.#some.length < length) {
      this.#some = new Uint32Array(length + (length >>> 2))
      this.#more = new Uint32Array(this.#some.length)
    }
    let isFirst = true
    /** Restricts the rows to those that match another condition. */
    const narrow = (addTo: (target: Bits.Bits) => void): void => {
      const target = isFirst ? this.#some : this.#more
      target.fill(0)
      addTo(target)
      if (!isFirst) Bits.intersect(this.#some, this.#more)
      isFirst = false
    }

    for (const group of terms) {
      const sets = group.flatMap((term) => this.#byTerm.get(term) ?? [])
      if (sets.length === 0) return NONE
      narrow((target) => {
        for (const rows of sets) rows.addTo(target)
      })
    }
    for (const { keys, name, rows } of this.#orders) {
      const range = Object.entries<Range | undefined>(ranges).find(([ranged]) => ranged === name)?.[1]
      if (range === undefined || name === order) continue
      const [max, min] = [keyOf(range.max), keyOf(range.min)]
      const start: Position<number> = (row) => -Math.max(0, keys.compareTo(row, max))
      const end: Position<number> = (row) => (keys.compareTo(row, min) >= 0 ? -1 : 0)
      const inside = rows.rankOf(end) - rows.rankOf(start)
      if (inside <= 0) return NONE
      if (inside === this.size) continue
      narrow((target) => {
        let left = inside
        rows.walk(start, (row) => {
          Bits.include(target, row)
          return --left > 0
        })
      })
    }
    for (const prefix of tokens(text)) {
      narrow((target) => {
        this.#words.walk(
          (word) => compareTexts(word.text, prefix),
          (word) => {
            if (!word.text.startsWith(prefix)) return false
            word.addTo(target)
            return true
          }
        )
      })
    }
    return isFirst ? undefined : this.#some
  }

  /** Visits the terms with a prefix, and the number of their accounts, in steps. */
  *sizes(prefix: string, visit: (rest: string, accounts: number) => void): Generator<void, void> {
    let step = 0
    for (const [term, { size }] of this.#byTerm) {
      if (term.startsWith(prefix)) visit(term.slice(prefix.length), size)
      if (++step % OVERLAP_ROWS === 0) yield
    }
  }

  /** The accounts with a term, in no order. */
  withTerm(term: string): ReadonlyArray<Found<A>> {
    const found: Array<Found<A>> = []
    this.#byTerm.get(term)?.forEach(
      (row) => {
        const kept = this.#rows[row]
        if (kept !== undefined) found.push(kept)
      },
      0,
      this.#rows.length
    )
    return found
  }

  /**
   * Visits each account with its overlap with these terms and words, in steps. A step reads the present rows: an
   * account that changes in between counts with its old or its new state.
   */
  *overlaps(
    terms: ReadonlyArray<string>,
    text: string,
    visit: (found: Found<A>, overlap: Overlap) => void
  ): Generator<void, void> {
    const words = tokens(text)
    for (let from = 0; from < this.#rows.length; from += OVERLAP_ROWS) {
      const to = from + OVERLAP_ROWS
      const commonTerms = new Uint8Array(OVERLAP_ROWS)
      const commonWords = new Uint8Array(OVERLAP_ROWS)
      const countIn = (counts: Uint8Array) => (row: number) => {
        counts[row - from] = (counts[row - from] ?? 0) + 1
      }
      for (const term of terms) this.#byTerm.get(term)?.forEach(countIn(commonTerms), from, to)
      for (const word of words) this.#byWord.get(word)?.forEach(countIn(commonWords), from, to)
      for (let row = from; row < Math.min(to, this.#rows.length); row++) {
        const found = this.#rows[row]
        const [both, same] = [commonTerms[row - from] ?? 0, commonWords[row - from] ?? 0]
        if (found === undefined) continue
        visit(found, {
          terms: { both, either: terms.length + found.terms - both },
          words: { both: same, either: words.length + found.words - same }
        })
      }
      yield
    }
  }
}

/** Rows of a step of `overlaps`, which takes about a millisecond. A multiple of 32. */
const OVERLAP_ROWS = 4096
