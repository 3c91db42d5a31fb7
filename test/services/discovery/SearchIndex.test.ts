import { assert, describe, it } from "@effect/vitest"
import type { Address } from "@solana/kit"
import * as FastCheck from "effect/FastCheck"
import { type Query, SearchIndex } from "../../../services/discovery/SearchIndex.js"
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

const puts = FastCheck.array(
  FastCheck.tuple(FastCheck.constantFrom(...ADDRESSES), items, FastCheck.bigInt({ min: 0n, max: 9n })),
  { maxLength: 150 }
)

const queries = FastCheck.record({
  order: FastCheck.constantFrom<Order>("rank", "time"),
  all: FastCheck.bigInt({ min: 0n, max: 7n }),
  any: FastCheck.bigInt({ min: 0n, max: 7n }),
  text: FastCheck.constantFrom("", "al", "alp beta", "ünï", "gamma 42", "nothing"),
  min: FastCheck.bigInt({ min: -6n, max: 100n }),
  max: FastCheck.bigInt({ min: 0n, max: 103n }),
  limit: FastCheck.integer({ min: 1, max: 7 })
})

const indexed = () =>
  new SearchIndex<Item, Order>({
    bits: ({ bits }) => bits,
    text: ({ text }) => text,
    orders: { rank: ({ rank }) => rank, time: ({ time }) => time }
  })

const isEven = ({ time }: Item): boolean => time % 2n === 0n

/** All pages of a query, one after the other. */
const paged = (index: SearchIndex<Item, Order>, query: Query<Item, Order>): ReadonlyArray<Address> => {
  const pages: Array<Address> = []
  for (let after: Query<Item, Order>["after"]; ;) {
    const found = index.search({ ...query, after })
    const page = found.slice(0, query.limit)
    pages.push(...page.map(({ address }) => address))
    const last = page.at(-1)
    if (found.length <= query.limit || last === undefined) return pages
    after = { key: last.account[query.order], address: last.address }
  }
}

describe("SearchIndex", () => {
  it("Given any accounts that change, When they are searched page by page, Then a filter of all finds the same", () => {
    assertProperty(
      FastCheck.property(puts, FastCheck.array(queries, { minLength: 1, maxLength: 8 }), (changes, questions) => {
        const index = indexed()
        const model = new Map<Address, { readonly item: Item; readonly slot: bigint }>()
        for (const [address, item, slot] of changes) {
          const isNewer = (model.get(address)?.slot ?? -1n) <= slot
          assert.strictEqual(index.put(address, item, slot), isNewer)
          if (isNewer) model.set(address, { item, slot })
        }
        assert.strictEqual(index.size, model.size)
        for (const question of questions) {
          const { all, any, max, min, order, text } = question
          const expected = [...model]
            .filter(
              ([, { item }]) =>
                (item.bits & all) === all &&
                (any === 0n || (item.bits & any) !== 0n) &&
                item[order] >= min &&
                item[order] <= max &&
                isEven(item) &&
                tokens(text).every((prefix) => tokens(item.text).some((word) => word.startsWith(prefix)))
            )
            .toSorted(([a, { item: x }], [b, { item: y }]) => Number(y[order] - x[order]) || (a < b ? -1 : 1))
            .map(([address]) => address)
          assert.deepStrictEqual(paged(index, { ...question, isWanted: isEven, after: undefined }), expected)
        }
      })
    )
  })

  it("Given a hostile text, When it is indexed, Then few short words are kept", () => {
    const words = tokens(
      `https://www.${"x".repeat(500)} ${Array.from({ length: 500 }, (_, n) => `w${n}`).join("\u0000")}`
    )
    assert.strictEqual(words.length, 32)
    assert.strictEqual(words[0], "x".repeat(32))
  })
})
