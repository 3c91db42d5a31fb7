import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { SortedList } from "../../../services/discovery/SortedList.js"
import { assertProperty } from "../../support/runs.js"

const ROWS = 3000

interface Item {
  readonly id: number
}

const items: ReadonlyArray<Item> = Array.from({ length: ROWS }, (_, id) => ({ id }))

const item = (id: number): Item => items[id] ?? { id }

const byId = (a: Item, b: Item): number => a.id - b.id

const all = (list: SortedList<Item>): ReadonlyArray<number> => {
  const ids: Array<number> = []
  list.walk(
    () => 0,
    ({ id }) => ids.push(id) > 0
  )
  return ids
}

describe("SortedList", () => {
  it("Given any additions and removals, When walked from any place, Then it does as a sorted array", () => {
    assertProperty(
      FastCheck.property(
        FastCheck.array(FastCheck.tuple(FastCheck.boolean(), FastCheck.nat(ROWS - 1)), { maxLength: 200 }),
        FastCheck.array(FastCheck.nat(20), { minLength: ROWS, maxLength: ROWS }),
        FastCheck.nat(20),
        (steps, keys, from) => {
          const keyOf = (row: number) => keys[row] ?? 0
          const compare = (a: number, b: number) => keyOf(a) - keyOf(b) || a - b
          const list = new SortedList<Item>((a, b) => compare(a.id, b.id))
          const model = new Set<number>()
          for (const [isAdded, row] of steps) {
            if (isAdded && !model.has(row)) {
              list.add(item(row))
              model.add(row)
            } else {
              assert.strictEqual(list.remove(item(row)), model.delete(row))
            }
          }
          const sorted = [...model].toSorted(compare)
          assert.strictEqual(list.size, model.size)
          assert.deepStrictEqual(all(list), sorted)
          const visited: Array<number> = []
          list.walk(
            ({ id }) => keyOf(id) - from,
            ({ id }) => visited.push(id) < 5
          )
          assert.deepStrictEqual(visited, sorted.filter((row) => keyOf(row) >= from).slice(0, 5))
        }
      )
    )
  })

  it("Given more rows than blocks hold, When they come in any order and half of them go, Then the order holds", () => {
    for (const step of [1, ROWS - 1, 1009]) {
      const list = new SortedList(byId)
      for (let n = 0; n < ROWS; n++) list.add(item((n * step) % ROWS))
      assert.deepStrictEqual(
        all(list),
        Array.from({ length: ROWS }, (_, row) => row)
      )
      for (let row = 0; row < ROWS; row += 2) assert.isTrue(list.remove(item(row)))
      assert.isFalse(list.remove(item(0)))
      assert.deepStrictEqual(
        all(list),
        Array.from({ length: ROWS / 2 }, (_, index) => 2 * index + 1)
      )
    }
  })

  it("Given an empty list, When walked or asked to remove, Then nothing happens", () => {
    const list = new SortedList(byId)
    assert.deepStrictEqual(all(list), [])
    assert.isFalse(list.remove(item(1)))
  })
})
