import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import type * as Tracer from "effect/Tracer"
import * as CallTree from "../../src/observe/CallTree.js"
import * as CpuProfile from "../../src/observe/CpuProfile.js"
import * as Flamegraph from "../../src/observe/Flamegraph.js"
import type * as HeapProfile from "../../src/observe/HeapProfile.js"
import * as ProfilePage from "../../src/observe/ProfilePage.js"
import { NO_SPAN, SpanTimeline } from "../../src/observe/SpanTimeline.js"
import { attributed, outer, span } from "../support/profiles.js"

const walk = (node: CallTree.Node): ReadonlyArray<CallTree.Node> => [node, ...node.children.flatMap(walk)]

const heap = (bytes: number, other: number): HeapProfile.HeapProfile => ({
  nodes: [
    { frame: { name: "(root)", url: "", line: 0, column: 0 }, parent: -1, selfBytes: 0 },
    { frame: { name: "keep", url: "file:///a.ts", line: 1, column: 1 }, parent: 0, selfBytes: bytes },
    { frame: { name: "drop", url: "file:///a.ts", line: 9, column: 1 }, parent: 0, selfBytes: other }
  ]
})

const scripts = (text: string): number => text.split(/<script\b/).length - 1

const close = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-6 * Math.max(1, Math.abs(a), Math.abs(b))

describe("CallTree", () => {
  it("Given any profile and spans, When it is folded, Then no time is lost, and each total is its parts", () => {
    FastCheck.assert(
      FastCheck.property(attributed, ({ profile, timeline }) => {
        const tree = CallTree.fromCpu(profile, { spans: timeline })
        const recorded = CpuProfile.weights(profile).reduce((sum, weight) => sum + weight, 0)
        expect(close(tree.root.total + tree.idle, recorded)).toBe(true)
        for (const { children, self, total } of walk(tree.root))
          expect(
            close(
              children.reduce((sum, child) => sum + child.total, self),
              total
            )
          ).toBe(true)
        const bySpan = CallTree.bySpan(tree).reduce((sum, { self }) => sum + self, 0)
        expect(close(bySpan, tree.root.total)).toBe(true)
        const byFunction = CallTree.byFunction(tree).reduce((sum, { self }) => sum + self, 0)
        expect(byFunction).toBeLessThanOrEqual(tree.root.total + 1e-6)
        expect(CallTree.compare(tree, tree)).toEqual([])
      })
    )
  })

  it("Given any changes of span, When samples are looked up, Then each has the last change before it", () => {
    FastCheck.assert(
      FastCheck.property(attributed, ({ changes, profile, timeline }) => {
        const names = Array.from(timeline.at(profile.times), (path) => timeline.paths[path]?.name ?? "")
        const expected = Array.from(profile.times, (time) => {
          const span = changes.findLast((change) => change.time <= time)?.span
          return span?._tag === "Span" ? span.name : ""
        })
        expect(names).toEqual(expected)
      })
    )
  })

  it("Given spans of ever new names and depths, When they are noted, Then paths are bounded and none is dropped", () => {
    const timeline = new SpanTimeline()
    let deep: Tracer.AnySpan = outer
    for (let index = 0; index < 5000; index++) {
      deep = span(`deep ${index}`, deep)
      timeline.note(index * 2, deep)
      timeline.note(index * 2 + 1, span(`wide ${index}`))
    }
    expect(timeline.paths.length).toBe(2000)
    expect(timeline.dropped).toBe(0)
    expect(timeline.at(Float64Array.of(-1))).toEqual(Int32Array.of(NO_SPAN))
  })

  it("Given frames of Effect's run loop and the profiler's hook, When they are folded, Then they are one frame", () => {
    const loop = "file:///app/node_modules/effect/dist/esm/internal/fiberRuntime.js"
    const frames = [
      { name: "(root)", url: "", line: 0, column: 0 },
      { name: "runLoop", url: loop, line: 9, column: 1 },
      { name: "podProfilerHook", url: "file:///app/bundle.mjs", line: 2, column: 1 },
      { name: "Sync", url: loop, line: 30, column: 1 },
      { name: "", url: "file:///app/src/work.ts", line: 7, column: 1 }
    ]
    const tree = CallTree.fromCpu(
      {
        startMicros: 0,
        endMicros: 10,
        nodes: frames.map((frame, index) => ({ frame, parent: index - 1 })),
        samples: Uint32Array.of(4),
        times: Float64Array.of(0)
      },
      { root: "file:///app/" }
    )
    expect(CallTree.toFolded(tree)).toBe("Effect run loop;work.ts:7 10\n")
    expect(walk(tree.root).at(-1)).toMatchObject({ location: "src/work.ts:7", owner: "application", self: 10 })
  })

  it("Given two heap profiles, When they are compared, Then the largest change comes first", () => {
    const changes = CallTree.compare(CallTree.fromHeap(heap(100, 50)), CallTree.fromHeap(heap(5000, 0)))
    expect(changes.map(({ change, name }) => [name, change])).toEqual([
      ["keep", 4900],
      ["drop", -50]
    ])
  })
})

describe("Flamegraph", () => {
  it("Given any tree, When it is laid out, Then callees lie within their caller and do not overlap", () => {
    FastCheck.assert(
      FastCheck.property(attributed, ({ profile, timeline }) => {
        const tree = CallTree.fromCpu(profile, { spans: timeline })
        const { boxes, depth } = Flamegraph.layout(tree)
        const byNode = new Map(boxes.map((box) => [box.node, box]))
        for (const box of boxes) {
          let left = box.x
          expect(box.depth).toBeLessThanOrEqual(depth)
          for (const child of box.node.children) {
            const below = byNode.get(child)
            if (below === undefined) continue
            expect(below.x).toBeGreaterThanOrEqual(left - 1e-9)
            expect(below.depth).toBe(box.depth + 1)
            left = below.x + below.width
          }
          expect(left).toBeLessThanOrEqual(box.x + box.width + 1e-9)
        }
      })
    )
  })

  it("Given hostile names, When the picture and the page are written, Then no name is markup", () => {
    const tag =
      /<(?!\/?(?:svg|style|rect|text|g|title|foreignObject|script|!doctype|html|head|meta|body|main|header|h1|h2|p|div|span|b|i|u|section|table|thead|tbody|tr|th|td|button|small|pre|a)\b)/
    FastCheck.assert(
      FastCheck.property(attributed, ({ profile, timeline }) => {
        const tree = CallTree.fromCpu(profile, { spans: timeline })
        const svg = Flamegraph.svg(tree, { title: "</title><script>alert(1)</script>" })
        const page = ProfilePage.html({
          title: "</title><img src=x>",
          cpu: { profile, tree, bySpan: CallTree.bySpan(tree), droppedChanges: 0 },
          metrics: "</pre><iframe src=x>",
          fibers: "<\u0000!--",
          files: ["\"><b onclick='x'>"]
        })
        expect(scripts(svg)).toBe(tree.root.total > 0 ? 1 : 0)
        expect(scripts(page)).toBe(tree.root.total > 0 ? 2 : 1)
        const withoutCode = page.replaceAll(/<(script|style)>[\s\S]*?<\/\1>/g, "").replaceAll(/"[^"]*"/g, '""')
        expect(withoutCode).not.toMatch(tag)
        expect(withoutCode).not.toMatch(/<[^>]*\son\w+=/)
        expect(svg).not.toMatch(/https?:\/\/(?!www\.w3\.org)/)
        // oxlint-disable-next-line no-control-regex -- XML forbids them
        expect(svg).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/)
      }),
      { numRuns: 20 }
    )
  })

  it("Given a profile without samples, When it is drawn, Then the picture says so", () => {
    const empty = Either.getOrThrow(
      CpuProfile.decode({ nodes: [{ id: 1 }], startTime: 0, endTime: 5, samples: [], timeDeltas: [] })
    )
    const tree = CallTree.fromCpu(empty)
    expect(Flamegraph.svg(tree)).toContain("No samples")
    expect(ProfilePage.html({ title: "t", cpu: { profile: empty, tree, bySpan: [], droppedChanges: 0 } })).toContain(
      "No samples"
    )
  })

  it("Given 100,000 functions, When they are drawn, Then the picture is bounded", () => {
    const nodes = Array.from({ length: 100_000 }, (_, index) => ({
      frame: { name: `f${index}`, url: "file:///a.ts", line: index, column: 1 },
      parent: index === 0 ? -1 : 0,
      selfBytes: 1
    }))
    const tree = CallTree.fromHeap({ nodes })
    expect(Flamegraph.layout(tree, { minShare: 0 }).boxes.length).toBe(6000)
    expect(Flamegraph.svg(tree).length).toBeLessThan(20_000)
  })
})
