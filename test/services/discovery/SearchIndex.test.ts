import { assert, describe, it } from "@effect/vitest"
import type { Address } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import { type Columns, type Dated, type Query, SearchIndex } from "../../../services/discovery/SearchIndex.js"
import { tokens } from "../../../services/discovery/tokens.js"
import * as Addresses from "../../../src/solana/Address.js"
import { assertProperty } from "../../support/runs.js"

interface Item {
  readonly bits: bigint
  readonly rank: bigint
  readonly time: bigint
  readonly text: string
}

type Order = "rank" | "time"

const WORDS = ["alpha", "alpine", "beta", "gamma", "Ünïcode", "42"]
const ADDRESSES: ReadonlyArray<Address> = Array.from({ length: 60 }, (_, n) =>
  Addresses.fromBytes(new Uint8Array(32).fill(n + 1))
)

const items = FastCheck.record({
  bits: FastCheck.bigInt({ min: 0n, max: 7n }),
  rank: FastCheck.bigInt({ min: 98n, max: 102n }),
  time: FastCheck.bigInt({ min: -5n, max: 5n }),
  text: FastCheck.array(FastCheck.constantFrom(...WORDS), { maxLength: 4 }).map((words) => words.join("/"))
})

const change: FastCheck.Arbitrary<Dated<Item>> = FastCheck.record({
  address: FastCheck.constantFrom(...ADDRESSES),
  account: items,
  slot: FastCheck.bigInt({ min: 0n, max: 9n })
})

const ALL: Omit<Query<Order>, "after"> = { order: "rank", terms: [], text: "", ranges: {}, limit: 7 }

const range = (least: bigint, greatest: bigint) =>
  FastCheck.record({
    min: FastCheck.bigInt({ min: least, max: greatest }),
    max: FastCheck.bigInt({ min: least, max: greatest })
  })

const queries = FastCheck.record({
  order: FastCheck.constantFrom<Order>("rank", "time"),
  terms: FastCheck.array(
    FastCheck.array(FastCheck.constantFrom("0", "1", "2", "none"), { minLength: 1, maxLength: 3 }),
    {
      maxLength: 3
    }
  ),
  text: FastCheck.constantFrom("", "al", "alp beta", "ünï", "gamma 42", "nothing"),
  ranges: FastCheck.record({
    rank: FastCheck.option(range(97n, 103n), { nil: undefined }),
    time: FastCheck.option(range(-6n, 6n), { nil: undefined })
  }),
  limit: FastCheck.integer({ min: 1, max: 7 })
})

const columns: Columns<Item, Order> = {
  terms: ({ bits }) => ["0", "1", "2"].filter((term) => ((bits >> BigInt(term)) & 1n) === 1n),
  text: ({ text }) => text,
  orders: { rank: ({ rank }) => rank, time: ({ time }) => time }
}

/** All pages of a query, one after the other. */
const paged = (index: SearchIndex<Item, Order>, query: Query<Order>): ReadonlyArray<Address> => {
  const pages: Array<Address> = []
  for (let after: Query<Order>["after"]; ;) {
    const found = index.search({ ...query, after })
    const page = found.slice(0, query.limit)
    pages.push(...page.map(({ address }) => address))
    const last = page.at(-1)
    if (found.length <= query.limit || last === undefined) return pages
    after = { key: last.account[query.order], address: last.address }
  }
}

const matches =
  ({ ranges, terms, text }: Omit<Query<Order>, "after" | "limit" | "order">) =>
  (item: Item): boolean =>
    terms.every((group) => group.some((term) => columns.terms(item).includes(term))) &&
    (["rank", "time"] as const).every((order) => {
      const range = ranges[order]
      return range === undefined || (item[order] >= range.min && item[order] <= range.max)
    }) &&
    tokens(text).every((prefix) => tokens(item.text).some((word) => word.startsWith(prefix)))

/** What a filter of all accounts finds. */
const filtered = (items: Iterable<Dated<Item>>, question: Omit<Query<Order>, "after">): ReadonlyArray<Address> =>
  Array.from(items)
    .filter(({ account }) => matches(question)(account))
    .toSorted(
      (a, b) => Number(b.account[question.order] - a.account[question.order]) || (a.address < b.address ? -1 : 1)
    )
    .map(({ address }) => address)

describe("SearchIndex", () => {
  it("Given any accounts that change, When they are searched page by page, Then a filter of all finds the same", () =>
    assertProperty(
      FastCheck.asyncProperty(
        FastCheck.array(change, { maxLength: 80 }),
        FastCheck.array(change, { maxLength: 80 }),
        FastCheck.nat(60),
        FastCheck.array(queries, { minLength: 1, maxLength: 8 }),
        async (first, later, kept, questions) => {
          // Given an index that is built at once, and then changes account by account
          const model = new Map<Address, Dated<Item>>()
          const isNewer = ({ address, slot }: Dated<Item>) => (model.get(address)?.slot ?? -1n) <= slot
          for (const dated of first) if (isNewer(dated)) model.set(dated.address, dated)
          const index = await Effect.runPromise(SearchIndex.make(columns, first))
          for (const dated of later) {
            const { account, address, slot } = dated
            const expected = isNewer(dated)
            assert.strictEqual(index.put(address, account, slot), expected)
            if (expected) model.set(address, dated)
          }
          while (index.size > kept) {
            const [last] = filtered(model.values(), { ...ALL, order: "time" }).slice(-1)
            assert.strictEqual(index.removeLast("time"), last)
            if (last !== undefined) model.delete(last)
          }
          assert.strictEqual(index.size, model.size)
          // When it is searched, Then it finds what the filter finds
          for (const question of questions) {
            assert.deepStrictEqual(paged(index, { ...question, after: undefined }), filtered(model.values(), question))
          }
        }
      ),
      150
    ))

  it("Given thousands of accounts, When they are searched, Then a filter of all finds the same", async () => {
    const accounts = Array.from({ length: 5000 }, (_, n) => ({
      address: Addresses.fromBytes(
        new Uint8Array(32)
          .fill(1)
          .fill(n % 251, 1, 2)
          .fill(n / 251, 2, 3)
      ),
      slot: 1n,
      account: {
        bits: BigInt(n % 8),
        rank: BigInt((n * 7919) % 13) * 2n ** 60n,
        time: BigInt((n * 104_729) % 5000) - 2500n,
        text: `w${n % 10}/n${n}`
      }
    }))
    // Half at once, half one by one.
    const index = await Effect.runPromise(SearchIndex.make(columns, accounts.slice(0, 2500)))
    for (const { account, address, slot } of accounts.slice(2500)) index.put(address, account, slot)
    const unlimited = { min: -(2n ** 63n), max: 2n ** 64n - 1n }
    for (const question of [
      ALL,
      { ...ALL, terms: [["0"], ["1", "2"]] },
      { ...ALL, terms: [["0"]], text: "w3" },
      { ...ALL, text: "n12", ranges: { time: unlimited } },
      { ...ALL, ranges: { time: { min: 0n, max: 2000n }, rank: { min: 2n ** 62n, max: 2n ** 63n } } },
      { ...ALL, order: "time" as const, ranges: { rank: { min: 2n ** 63n, max: 2n ** 64n - 1n } } },
      { ...ALL, ranges: { time: { min: 9000n, max: 9001n } } }
    ]) {
      assert.deepStrictEqual(paged(index, { ...question, limit: 1000, after: undefined }), filtered(accounts, question))
    }
  })

  it("Given a hostile text, When it is indexed, Then few short words are kept", () => {
    const words = tokens(
      `https://www.${"x".repeat(500)} ${Array.from({ length: 500 }, (_, n) => `w${n}`).join("\u0000")}`
    )
    assert.strictEqual(words.length, 32)
    assert.strictEqual(words[0], "x".repeat(32))
  })
})
