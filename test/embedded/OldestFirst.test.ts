/** The map of the ledger's history, against the plain one that it is a faster form of. */
import { assert, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { OldestFirst } from "../../layers/embedded/chain/OldestFirst.js"

const key = FastCheck.integer({ min: 0, max: 20 })
const step = FastCheck.oneof(
  FastCheck.record({ kind: FastCheck.constant("set" as const), key }),
  FastCheck.record({ kind: FastCheck.constant("drop" as const) }),
  FastCheck.record({ kind: FastCheck.constant("dropTo" as const), size: key }),
  FastCheck.record({ kind: FastCheck.constant("look" as const) }),
  FastCheck.record({ kind: FastCheck.constant("copy" as const) })
)

it("Given entries set and dropped in any order, When the oldest is asked for, Then it is the plain map's first", () => {
  FastCheck.assert(
    FastCheck.property(FastCheck.array(step, { maxLength: 100 }), (steps) => {
      const plain = new Map<number, number>()
      let map = new OldestFirst<number, number>()
      const dropPlain = () => {
        const [first] = plain
        if (first !== undefined) plain.delete(first[0])
        return first?.[1]
      }
      steps.forEach((step, index) => {
        switch (step.kind) {
          case "set":
            plain.delete(step.key)
            plain.set(step.key, index)
            return map.set(step.key, index)
          case "drop":
            return assert.strictEqual(map.dropOldest(), dropPlain())
          case "dropTo": {
            const dropped = Array.from({ length: Math.max(0, plain.size - step.size) }, dropPlain)
            return assert.deepStrictEqual<ReadonlyArray<unknown>>(map.dropTo(step.size), dropped)
          }
          case "look":
            return assert.strictEqual(map.oldest, [...plain.values()][0])
          case "copy":
            map = map.copy()
        }
      })
      assert.deepStrictEqual([...map.values()], [...plain.values()])
      assert.strictEqual(map.size, plain.size)
    })
  )
})
