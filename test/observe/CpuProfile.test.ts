import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as CpuProfile from "../../src/observe/CpuProfile.js"
import * as HeapProfile from "../../src/observe/HeapProfile.js"
import { cpuProfile } from "../support/profiles.js"

const read = (profile: CpuProfile.CpuProfile) => Either.getOrThrow(CpuProfile.parse(CpuProfile.toJson(profile)))

const reasonOf = (result: Either.Either<unknown, CpuProfile.MalformedProfile>) =>
  Either.match(result, { onLeft: ({ reason }) => reason, onRight: () => "read" })

const node = (id: number, children: ReadonlyArray<number> = []) => ({
  id,
  callFrame: { functionName: `f${id}` },
  children
})

const profile = (changes: object) => ({
  nodes: [node(1, [2]), node(2)],
  startTime: 100,
  endTime: 200,
  samples: [2],
  timeDeltas: [10],
  ...changes
})

describe("CpuProfile", () => {
  it("Given any profile, When it is written and read twice, Then stacks, samples and times are the same", () => {
    FastCheck.assert(
      FastCheck.property(cpuProfile, (given) => {
        const once = read(given)
        const stack = ({ nodes }: CpuProfile.CpuProfile, at: number): ReadonlyArray<CpuProfile.Frame> => {
          const found = nodes[at]
          return found === undefined ? [] : [found.frame, ...stack({ ...once, nodes }, found.parent)]
        }
        const stacks = (profile: CpuProfile.CpuProfile) => Array.from(profile.samples, (at) => stack(profile, at))
        const twice = read(once)
        expect(stacks(twice)).toEqual(stacks(once))
        expect(once.times).toEqual(given.times)
        expect(once.nodes.length).toBe(given.nodes.length)
        expect(Math.max(...once.nodes.map(({ frame }) => frame.name.length))).toBeLessThanOrEqual(200)
      })
    )
  })

  it("Given any profile, When its samples are weighed, Then they add up to the time from the first one to the end", () => {
    FastCheck.assert(
      FastCheck.property(cpuProfile, (given) => {
        const sum = CpuProfile.weights(given).reduce((sum, weight) => sum + weight, 0)
        expect(sum).toBeCloseTo(given.times.length === 0 ? 0 : given.endMicros - (given.times[0] ?? 0))
      })
    )
  })

  it("Given a frame of a regular expression, When it is read, Then its pattern is left out", () => {
    const { name } = CpuProfile.frameOf({ functionName: "RegExp: S3CR3T", url: "", lineNumber: -1, columnNumber: -1 })
    expect(name).toBe("(regular expression)")
  })

  it("Given a file that is cut anywhere, When it is read, Then the error is typed", () => {
    FastCheck.assert(
      FastCheck.property(cpuProfile, FastCheck.double({ min: 0, max: 0.999, noNaN: true }), (given, share) => {
        const json = CpuProfile.toJson(given)
        expect(reasonOf(CpuProfile.parse(json.slice(0, Math.floor(json.length * share))))).toBe("NotJson")
      })
    )
  })

  it("Given any JSON, or a profile with any value in a field, When it is read, Then it is read or malformed", () => {
    const field = FastCheck.constantFrom("nodes", "startTime", "endTime", "samples", "timeDeltas")
    FastCheck.assert(
      FastCheck.property(FastCheck.jsonValue(), field, (value, name) => {
        expect(["Malformed", "read"]).toContain(reasonOf(CpuProfile.decode(profile({ [name]: value }))))
        expect(reasonOf(CpuProfile.decode(value))).toBe("Malformed")
        expect(reasonOf(HeapProfile.decode(value))).toBe("Malformed")
      })
    )
  })

  it.each<readonly [string, object]>([
    ["a circle", { nodes: [node(1), node(2, [3]), node(3, [2])] }],
    ["a node that calls itself", { nodes: [node(1, [1])] }],
    ["two callers", { nodes: [node(1, [2, 3]), node(2, [3]), node(3)] }],
    ["two roots", { nodes: [node(1), node(2)] }],
    ["one id twice", { nodes: [node(1, [2]), node(2), node(2)] }],
    ["a child that is not there", { nodes: [node(1, [9]), node(2)] }],
    ["a parent that is not there", { nodes: [node(1), { ...node(2), parent: 9 }] }],
    ["a sample that is not there", { samples: [7] }],
    ["samples without times", { timeDeltas: [] }],
    ["no end", { endTime: 50 }],
    ["an endless delta", { timeDeltas: [Infinity] }]
  ])("Given a profile with %s, When it is read, Then it is malformed", (_, changes) => {
    expect(reasonOf(CpuProfile.decode(profile(changes)))).toBe("Malformed")
  })

  it("Given samples out of order, When they are read, Then they are sorted by time", () => {
    const { samples, times } = Either.getOrThrow(
      CpuProfile.decode(profile({ samples: [1, 2, 1], timeDeltas: [10, -5, 20] }))
    )
    expect([...times]).toEqual([105, 110, 125])
    expect([...samples]).toEqual([1, 0, 0])
  })

  it("Given a chain of 50,000 calls, or a node of 50,000, When it is read, Then it takes no stack and no square", () => {
    const ids = Array.from({ length: 50_000 }, (_, index) => index + 1)
    const chain = ids.map((id) => node(id, id === ids.length ? [] : [id + 1]))
    expect(reasonOf(CpuProfile.decode(profile({ nodes: chain })))).toBe("read")
    const wide = [node(1, ids.slice(1)), ...ids.slice(1).map((id) => node(id))]
    expect(reasonOf(CpuProfile.decode(profile({ nodes: wide })))).toBe("read")
  })

  it("Given a heap profile of 100,000 nested calls, When it is read, Then it is too large", () => {
    let head: object = { callFrame: {}, selfSize: 1, children: [] }
    for (let depth = 0; depth < 100_000; depth++) head = { callFrame: {}, selfSize: 1, children: [head] }
    expect(reasonOf(HeapProfile.decode({ head }))).toBe("TooLarge")
  })
})
