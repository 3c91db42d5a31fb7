import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as HeapSnapshot from "../../src/observe/HeapSnapshot.js"

const meta = {
  node_fields: ["type", "name", "id", "self_size", "edge_count"],
  node_types: [["hidden", "array", "string", "object", "native"], "string", "number", "number", "number"]
}

/** A snapshot of objects, each with a kind, a name and a size. */
const snapshot = (objects: ReadonlyArray<readonly [kind: number, name: string, size: number]>) => ({
  snapshot: { meta },
  nodes: objects.flatMap(([kind, , size], index) => [kind, index, index, size, 0]),
  strings: objects.map(([, name]) => name)
})

const OBJECT = 3
const STRING = 2

const decoded = (objects: Parameters<typeof snapshot>[0]) => Either.getOrThrow(HeapSnapshot.decode(snapshot(objects)))

describe("HeapSnapshot", () => {
  it("Given objects and strings, When they are summed up, Then classes have names and strings have none", () => {
    const { bytes, classes } = decoded([
      [OBJECT, "Agent", 16],
      [STRING, "a secret", 100],
      [OBJECT, "Agent", 24],
      [0, "hidden thing", 1]
    ])
    expect(bytes).toBe(141)
    expect(classes).toEqual([
      { name: "(string)", count: 1, bytes: 100 },
      { name: "Agent", count: 2, bytes: 40 },
      { name: "(hidden)", count: 1, bytes: 1 }
    ])
  })

  it("Given two snapshots, When they are compared, Then what did not change is left out", () => {
    const before = decoded([
      [OBJECT, "Same", 8],
      [OBJECT, "Gone", 50],
      [OBJECT, "More", 10]
    ])
    const after = decoded([
      [OBJECT, "Same", 8],
      [OBJECT, "More", 10],
      [OBJECT, "More", 10]
    ])
    expect(HeapSnapshot.compare(before, after)).toEqual([
      { name: "Gone", count: 0, bytes: 0, countChange: -1, bytesChange: -50 },
      { name: "More", count: 2, bytes: 20, countChange: 1, bytesChange: 10 }
    ])
  })

  it("Given any JSON, or a snapshot with any value in a field, When it is read, Then it is read or malformed", () => {
    const whole = snapshot([[OBJECT, "A", 1]])
    const changed = FastCheck.tuple(FastCheck.constantFrom("snapshot", "nodes", "strings"), FastCheck.jsonValue()).map(
      ([field, value]) => ({ ...whole, [field]: value })
    )
    FastCheck.assert(
      FastCheck.property(FastCheck.oneof(FastCheck.jsonValue(), changed), (input) => {
        const read = HeapSnapshot.decode(input)
        expect(Either.isRight(read) || read.left._tag === "MalformedProfile").toBe(true)
      }),
      { numRuns: 300 }
    )
  })

  it("Given ever new classes with hostile names, When they are summed up, Then they are bounded and safe to show", () => {
    const { classes } = decoded(
      Array.from({ length: 30_000 }, (_, index) => [OBJECT, `\u001b[2J${index}${"x".repeat(200)}`, 1] as const)
    )
    expect(classes).toHaveLength(20_001)
    expect(classes[0]).toEqual({ name: "(other)", count: 10_000, bytes: 10_000 })
    expect(classes.every(({ name }) => name.length <= 100 && !name.includes("\u001b"))).toBe(true)
  })

  it("Given a text that is cut, When it is read, Then it is no JSON", () => {
    expect(HeapSnapshot.parse('{"snapshot":')).toMatchObject({ left: { reason: "NotJson" } })
  })
})
