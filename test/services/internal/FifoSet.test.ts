import { describe, expect, it } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as fc from "effect/FastCheck"
import { FifoSet } from "../../../services/internal/FifoSet.js"
import { assertProperty } from "../../support/runs.js"

const steps = fc.array(
  fc.oneof(
    fc.record({ act: fc.constant("add" as const), member: fc.nat(300) }),
    fc.record({ act: fc.constant("delete" as const), member: fc.nat(300) }),
    fc.record({ act: fc.constantFrom("shift" as const, "clear" as const), member: fc.constant(0) })
  ),
  { maxLength: 600, size: "max" }
)

describe("FifoSet", () => {
  it("Given any steps, When the oldest is taken, Then it is the first of those that are left", async () => {
    await assertProperty(
      fc.property(steps, (steps) => {
        const set = new FifoSet<number>()
        const model = new Set<number>()
        for (const { act, member } of steps) {
          if (act === "shift") {
            const [first] = model
            expect(set.shift()).toBe(first)
            if (first !== undefined) model.delete(first)
          } else if (act === "clear" && model.size > 200) {
            set.clear()
            model.clear()
          } else if (act === "add") {
            set.add(member)
            model.add(member)
          } else expect(set.delete(member)).toBe(model.delete(member))
          expect(set.size).toBe(model.size)
        }
        expect([...set]).toEqual([...model])
      }),
      200
    )
  })

  it("Given a hundred thousand members, When all are taken, Then the time is not quadratic", () => {
    const members = Arr.range(1, 100_000)
    const set = new FifoSet(members)
    const began = performance.now()
    const taken = members.map(() => set.shift())
    expect(performance.now() - began).toBeLessThan(1000)
    expect(set.size).toBe(0)
    expect(taken).toEqual(members)
  })

  it("Given members that leave before their turn, When millions do, Then the set keeps no memory of them", () => {
    const set = new FifoSet(Arr.range(1, 1000))
    const before = process.memoryUsage().heapUsed
    for (let member = 1001; member <= 3_000_000; member++) {
      set.add(member)
      set.delete(member - 1000)
    }
    globalThis.gc?.()
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(20_000_000)
    expect(set.shift()).toBe(2_999_001)
  })
})
