import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as CallTree from "../../src/observe/CallTree.js"
import type * as CpuProfile from "../../src/observe/CpuProfile.js"
import * as Pprof from "../../src/observe/Pprof.js"
import * as Oracle from "../support/pprof.js"
import { attributed } from "../support/profiles.js"

/** A stack as folded stacks have it. */
const folded = ({ frames, labels, value }: Oracle.Stack): string => {
  const names = [...(labels["span"]?.split(" > ") ?? []), ...frames.map(({ name }) => name)]
  return `${names.map((name) => name.replaceAll(";", ",")).join(";")} ${Math.round(value / 1000)}`
}

const deep = (levels: number): CallTree.CallTree => {
  let node: CallTree.Node = { name: "leaf", location: "a.ts:7", owner: "application", self: 5, total: 5, children: [] }
  for (let level = 1; level < levels; level++) {
    node = { name: `f${level}`, location: "", owner: "application", self: 0, total: 5, children: [node] }
  }
  return {
    unit: "bytes",
    idle: 0,
    root: { name: "all", location: "", owner: "span", self: 0, total: 5, children: [node] }
  }
}

describe("Pprof", () => {
  it("Given any profile and spans, When it is encoded, Then an independent reader finds the same stacks and times", () => {
    FastCheck.assert(
      FastCheck.property(attributed, ({ profile, timeline }) => {
        const tree = CallTree.fromCpu(profile, { spans: timeline })
        const { durationNanos, stacks, types } = Oracle.read(Pprof.encode(tree, { durationMillis: 1.5 }))
        expect(types).toEqual([["cpu", "nanoseconds"]])
        expect(durationNanos).toBe(1_500_000)
        const own = tree.root.self > 0 ? 1 : 0
        const lines = CallTree.toFolded(tree).split("\n").slice(0, -1)
        expect(
          stacks
            .map(folded)
            .filter((line) => !line.endsWith(" 0"))
            .toSorted()
        ).toEqual(lines.filter((line) => !line.endsWith(" 0")).toSorted())
        const total = stacks.reduce((sum, { value }) => sum + value, 0)
        expect(Math.abs(total / 1000 - tree.root.total)).toBeLessThanOrEqual(stacks.length + own * tree.root.self + 1)
      }),
      { numRuns: 300 }
    )
  })

  it("Given a function with a place, When it is encoded, Then its file and line are apart", () => {
    const profile: CpuProfile.CpuProfile = {
      startMicros: 0,
      endMicros: 2000,
      nodes: [
        { frame: { name: "(root)", url: "", line: 0, column: 0 }, parent: -1 },
        { frame: { name: "sign", url: "file:///app/a:b.ts", line: 12, column: 3 }, parent: 0 }
      ],
      samples: Uint32Array.of(1),
      times: Float64Array.of(1000)
    }
    const tree = CallTree.fromCpu(profile, { root: "file:///app/" })
    expect(Oracle.read(Pprof.encode(tree)).stacks).toEqual([
      { frames: [{ name: "sign", file: "a:b.ts", line: 12 }], value: 1_000_000, labels: {} }
    ])
  })

  it("Given 2,000 nested calls, or none, When they are encoded, Then it takes no stack", () => {
    const nested = Oracle.read(Pprof.encode(deep(2000)))
    expect(nested.types).toEqual([["inuse_space", "bytes"]])
    expect(nested.stacks.map(({ frames, value }) => [frames.length, value])).toEqual([[2000, 5]])
    expect(Oracle.read(Pprof.encode({ ...deep(1), root: { ...deep(1).root, children: [] } })).stacks).toEqual([])
  })
})
