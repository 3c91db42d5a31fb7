import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { Sieve } from "../../src/internal/Sieve.js"

interface Item {
  readonly key: string
  size: number
  value: number
  isHit: boolean
}

/** SIEVE over an array, oldest first, as its paper draws it. */
class Model {
  items: Array<Item> = []
  hand: Item | undefined
  constructor(
    readonly maxEntries: number,
    readonly maxBytes: number
  ) {}
  find(key: string) {
    return this.items.find((item) => item.key === key)
  }
  get bytes() {
    return this.items.reduce((sum, { size }) => sum + size, 0)
  }
  remove(item: Item) {
    const at = this.items.indexOf(item)
    if (this.hand === item) this.hand = this.items[at + 1]
    this.items.splice(at, 1)
  }
  makeRoom(isFull: () => boolean) {
    while (isFull()) {
      let at = this.hand === undefined ? 0 : this.items.indexOf(this.hand)
      while (this.items[at]?.isHit === true) {
        const item = this.items[at]
        if (item !== undefined) item.isHit = false
        at = (at + 1) % this.items.length
      }
      const victim = this.items[at]
      if (victim === undefined) return
      this.hand = this.items[at + 1]
      this.remove(victim)
    }
  }
  set(key: string, value: number, size: number) {
    const known = this.find(key)
    if (size > this.maxBytes) {
      if (known !== undefined) this.remove(known)
    } else if (known === undefined) {
      this.makeRoom(() => this.items.length > this.maxEntries - 1 || this.bytes + size > this.maxBytes)
      this.items.push({ key, value, size, isHit: false })
    } else {
      known.value = value
      known.size = size
      if (this.bytes > this.maxBytes) {
        known.isHit = true
        this.makeRoom(() => this.bytes > this.maxBytes)
      }
    }
  }
  get(key: string) {
    const item = this.find(key)
    if (item !== undefined) item.isHit = true
    return item?.value
  }
}

const key = FastCheck.integer({ min: 0, max: 12 }).map((n) => `k${n}`)
const operation = FastCheck.oneof(
  FastCheck.record({ do: FastCheck.constant("get" as const), key }),
  FastCheck.record({ do: FastCheck.constant("delete" as const), key }),
  FastCheck.record({ do: FastCheck.constant("set" as const), key, size: FastCheck.integer({ min: 0, max: 30 }) })
)

describe("Sieve", () => {
  it("Given any operations, When they run, Then it holds what a SIEVE over an array holds, and both bounds", () =>
    FastCheck.assert(
      FastCheck.property(
        FastCheck.integer({ min: 1, max: 8 }),
        FastCheck.integer({ min: 1, max: 60 }),
        FastCheck.array(operation, { maxLength: 120 }),
        (maxEntries, maxBytes, operations) => {
          const left: Array<string> = []
          const sieve = new Sieve<number>({ maxEntries, maxBytes }, (key, value) => left.push(`${key}=${value}`))
          const model = new Model(maxEntries, maxBytes)
          let entered = 0
          operations.forEach((operation, index) => {
            if (operation.do === "get") expect(sieve.get(operation.key)).toBe(model.get(operation.key))
            else if (operation.do === "delete") {
              const known = model.find(operation.key)
              if (known !== undefined) model.remove(known)
              expect(sieve.delete(operation.key)).toBe(known !== undefined)
            } else {
              const isKept = sieve.set(operation.key, index, operation.size)
              model.set(operation.key, index, operation.size)
              if (operation.size <= maxBytes) entered++
              expect(isKept).toBe(model.find(operation.key) !== undefined)
            }
            expect([...sieve.entries()]).toEqual(model.items.map(({ key, value }) => [key, value]).toReversed())
            expect(sieve.size).toBeLessThanOrEqual(maxEntries)
            expect(sieve.bytes).toBe(model.bytes)
            expect(sieve.bytes).toBeLessThanOrEqual(maxBytes)
            // Each value that came in is there or has been told to leave.
            expect(left.length + sieve.size).toBe(entered)
          })
        }
      )
    ))

  it("Given hot entries, When a scan passes, Then the hot ones stay", () => {
    const sieve = new Sieve<number>({ maxEntries: 100, maxBytes: 1e9 })
    for (let i = 0; i < 50; i++) sieve.set(`hot${i}`, i, 1)
    for (let i = 0; i < 50; i++) sieve.get(`hot${i}`)
    for (let i = 0; i < 10_000; i++) {
      sieve.set(`scan${i}`, i, 1)
      sieve.get(`hot${i % 50}`)
    }
    for (let i = 0; i < 50; i++) expect(sieve.peek(`hot${i}`)).toBe(i)
  })
})
