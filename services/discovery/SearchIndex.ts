/**
 * Accounts in memory, found by bits, by words and by range, in an order.
 *
 * Each order is a {@link SortedList} by a 64-bit key, highest first, then by address. Each bit and each word has the set of
 * its rows. A search takes the smallest of the sets that it names. If this set is small, it filters and sorts its rows.
 * Otherwise it walks the order and stops after the page, which is near where many rows match.
 *
 * Invariant: a row is in every order, and in the sets of its bits and words, or in none. A new account of an address is a
 * new row, so nothing changes while it is in an order.
 */
import type { Address } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Turns from "../internal/eventLoop.js"
import { type Position, SortedList } from "./SortedList.js"
import { tokens } from "./tokens.js"

/** Rows of a set that are sorted for a search. Above, walking the order finds a page sooner. */
const FEW = 2048

/** Accounts that are put in one turn of the event loop, in about two milliseconds. */
const PART = 128

/** What is indexed of an account. */
export interface Columns<A, Order extends string> {
  readonly bits: (account: A) => bigint
  readonly text: (account: A) => string
  /** The key of each order. */
  readonly orders: Readonly<Record<Order, (account: A) => bigint>>
}

/** Where a page begins: behind this key and address. */
export interface Place {
  readonly key: bigint
  readonly address: string
}

export interface Query<A, Order extends string> {
  readonly order: Order
  /** Bits that must all be set. 0: none. */
  readonly all: bigint
  /** Bits of which one must be set. 0: none. */
  readonly any: bigint
  /** Words of the text, by their beginnings; all must occur. */
  readonly text: string
  /** The least key in the order. */
  readonly min: bigint
  /** The greatest key in the order. */
  readonly max: bigint
  readonly isWanted: (account: A) => boolean
  readonly after: Place | undefined
  readonly limit: number
}

/** An account in the index. */
export interface Found<A> {
  readonly address: Address
  readonly account: A
}

/** An account in the index, with the words of its text. */
export interface Indexed<A> extends Found<A> {
  readonly words: ReadonlyArray<{ readonly text: string }>
}

interface Row<A> extends Indexed<A> {
  readonly slot: bigint
  readonly bits: bigint
  readonly words: ReadonlyArray<Word<A>>
  readonly keys: ReadonlyArray<bigint>
  /** The last step of a search that found this row. */
  mark: number
}

interface Word<A> {
  readonly text: string
  readonly rows: Set<Row<A>>
}

const compareTexts = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const bitsOf = (bits: bigint): ReadonlyArray<number> => {
  const found: Array<number> = []
  for (let bit = 0, rest = BigInt.asUintN(64, bits); rest !== 0n; bit++, rest >>= 1n) {
    if ((rest & 1n) === 1n) found.push(bit)
  }
  return found
}

export class SearchIndex<A, Order extends string> {
  readonly #columns: Columns<A, Order>
  readonly #names: ReadonlyArray<string>
  readonly #keyOf: ReadonlyArray<(account: A) => bigint>
  readonly #orders: ReadonlyArray<SortedList<Row<A>>>
  readonly #rows = new Map<Address, Row<A>>()
  readonly #byBit = new Map<number, Set<Row<A>>>()
  readonly #byWord = new Map<string, Word<A>>()
  readonly #words = new SortedList<Word<A>>((a, b) => compareTexts(a.text, b.text))
  #mark = 0

  constructor(columns: Columns<A, Order>) {
    const orders: ReadonlyArray<readonly [string, (account: A) => bigint]> = Object.entries(columns.orders)
    this.#columns = columns
    this.#names = orders.map(([name]) => name)
    this.#keyOf = orders.map(([, keyOf]) => keyOf)
    this.#orders = orders.map((_, index) => new SortedList<Row<A>>((a, b) => this.#compare(index, a, b)))
  }

  get size(): number {
    return this.#rows.size
  }

  get(address: Address): Indexed<A> | undefined {
    return this.#rows.get(address)
  }

  #compare(order: number, a: Row<A>, b: Row<A>): number {
    const x = a.keys[order] ?? 0n
    const y = b.keys[order] ?? 0n
    return x === y ? compareTexts(a.address, b.address) : x > y ? -1 : 1
  }

  /** Puts an account as it was at a slot. An older slot than the row's changes nothing, and gives false. */
  put(address: Address, account: A, slot: bigint): boolean {
    const known = this.#rows.get(address)
    if (known !== undefined) {
      if (known.slot > slot) return false
      this.#drop(known)
    }
    const { bits, text } = this.#columns
    const row: Row<A> = {
      address,
      account,
      slot,
      bits: BigInt.asUintN(64, bits(account)),
      words: tokens(text(account)).map((word) => this.#word(word)),
      keys: this.#keyOf.map((keyOf) => keyOf(account)),
      mark: 0
    }
    this.#rows.set(address, row)
    for (const order of this.#orders) order.add(row)
    for (const word of row.words) word.rows.add(row)
    for (const bit of bitsOf(row.bits)) {
      const rows = this.#byBit.get(bit)
      if (rows === undefined) this.#byBit.set(bit, new Set([row]))
      else rows.add(row)
    }
    return true
  }

  /** Puts many accounts as they were at a slot, in turns of the event loop. */
  putAll(accounts: ReadonlyArray<Found<A>>, slot: bigint): Effect.Effect<void> {
    return Effect.forEach(
      Turns.partsOf(accounts, PART),
      (part) =>
        Effect.zipRight(
          Effect.sync(() => {
            for (const { account, address } of part) this.put(address, account, slot)
          }),
          Turns.next
        ),
      { discard: true }
    )
  }

  #word(text: string): Word<A> {
    const known = this.#byWord.get(text)
    if (known !== undefined) return known
    const word: Word<A> = { text, rows: new Set() }
    this.#byWord.set(text, word)
    this.#words.add(word)
    return word
  }

  #drop(row: Row<A>): void {
    this.#rows.delete(row.address)
    for (const order of this.#orders) order.remove(row)
    for (const bit of bitsOf(row.bits)) this.#byBit.get(bit)?.delete(row)
    for (const word of row.words) {
      word.rows.delete(row)
      if (word.rows.size > 0) continue
      this.#byWord.delete(word.text)
      this.#words.remove(word)
    }
  }

  /** The accounts that match, at most one more than the limit: whether there is one says whether a page follows. */
  search(query: Query<A, Order>): ReadonlyArray<Found<A>> {
    const { after, all, any, isWanted, limit, max, min } = query
    const order = this.#names.indexOf(query.order)
    const words = tokens(query.text)
    const texts = words.length === 0 ? undefined : this.#marked(words)
    const mark = this.#mark
    const matches = (row: Row<A>): boolean =>
      (texts === undefined || row.mark === mark) &&
      (row.bits & all) === all &&
      (any === 0n || (row.bits & any) !== 0n) &&
      isWanted(row.account)
    const keyOf = (row: Row<A>): bigint => row.keys[order] ?? 0n
    const start: Position<Row<A>> = (row) => {
      const key = keyOf(row)
      if (key > max) return -1
      if (after === undefined) return 0
      if (key !== after.key) return key > after.key ? -1 : 1
      return row.address > after.address ? 1 : -1
    }

    const few = this.#few(all, texts)
    const found: Array<Row<A>> = []
    if (few === undefined) {
      this.#orders[order]?.walk(start, (row) => {
        if (keyOf(row) < min) return false
        if (matches(row)) found.push(row)
        return found.length <= limit
      })
      return found
    }
    for (const row of few) if (keyOf(row) >= min && start(row) >= 0 && matches(row)) found.push(row)
    return found.toSorted((a, b) => this.#compare(order, a, b)).slice(0, limit + 1)
  }

  /** The rows of the smallest set that a query names, where they are few. */
  #few(all: bigint, texts: ReadonlyArray<Row<A>> | undefined): Iterable<Row<A>> | undefined {
    let rows: Iterable<Row<A>> | undefined = texts
    let size = texts?.length ?? Infinity
    for (const bit of bitsOf(all)) {
      const set = this.#byBit.get(bit)
      if (set === undefined) return []
      if (set.size < size) [rows, size] = [set, set.size]
    }
    return size <= FEW ? rows : undefined
  }

  /** Marks and returns the rows that have all words, by their beginnings. */
  #marked(words: ReadonlyArray<string>): ReadonlyArray<Row<A>> {
    let rows: Array<Row<A>> = []
    for (const [index, prefix] of words.entries()) {
      const before = this.#mark++
      rows = []
      this.#words.walk(
        (word) => compareTexts(word.text, prefix),
        (word) => {
          if (!word.text.startsWith(prefix)) return false
          for (const row of word.rows) {
            if (index > 0 ? row.mark !== before : row.mark === this.#mark) continue
            row.mark = this.#mark
            rows.push(row)
          }
          return true
        }
      )
    }
    return rows
  }

  /** All accounts, in no order. */
  all(): ReadonlyArray<Indexed<A>> {
    return [...this.#rows.values()]
  }
}
