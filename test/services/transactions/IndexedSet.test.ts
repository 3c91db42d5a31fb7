import { expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { IndexedSet } from "../../../services/transactions/confirm/IndexedSet.js"

const step = FastCheck.record({ add: FastCheck.boolean(), nth: FastCheck.nat(15) })

it("Given members that are added and removed, When they are listed, Then they equal those of a Set", () => {
  FastCheck.assert(
    FastCheck.property(FastCheck.array(step, { maxLength: 200 }), (steps) => {
      const members = Array.from({ length: 16 }, (_, nth) => ({ nth, place: -1 }))
      const crowd = new IndexedSet<{ nth: number; place: number }>()
      const model = new Set<{ nth: number; place: number }>()
      for (const { add, nth } of steps) {
        const member = members[nth]
        if (member === undefined) continue
        if (!add) crowd.delete(member)
        else if (!crowd.has(member)) crowd.add(member)
        if (add) model.add(member)
        else model.delete(member)
        expect(crowd.size).toBe(model.size)
        expect(new Set(crowd.list())).toStrictEqual(model)
        expect(members.filter((one) => crowd.has(one))).toStrictEqual(members.filter((one) => model.has(one)))
      }
    })
  )
})
