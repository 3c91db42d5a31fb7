import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import * as CpuProfiles from "../../src/observe/CpuProfile.js"
import type { CpuProfile, Frame, Node } from "../../src/observe/CpuProfile.js"
import { SpanTimeline } from "../../src/observe/SpanTimeline.js"

/** Names of attackers, and names of V8. */
const name = FastCheck.oneof(
  FastCheck.constantFrom("send", "sign", "", "(garbage collector)", "(program)", "(idle)", "podProfilerHook"),
  FastCheck.constantFrom(
    "<script>alert(1)</script>",
    "a;b\nc",
    "]]>",
    "&amp;\"'",
    "x".repeat(10_000),
    "\ud800\uffff\0"
  ),
  FastCheck.string({ unit: "binary", maxLength: 12 })
)

const url = FastCheck.constantFrom(
  "",
  "node:crypto",
  "file:///app/main.ts",
  "file:///app/node_modules/effect/dist/esm/internal/fiberRuntime.js",
  "file:///app/node_modules/effect/dist/esm/Schema.js",
  "file:///app/node_modules/undici/index.js",
  "file:///app/node_modules/@pod-protocol/effect/dist/index.js",
  'javascript:"><img src=x onerror=alert(1)>'
)

const position = FastCheck.integer({ min: 0, max: 500 })

/** A frame before it was written and read: names and URLs may have any length and content. */
export const frame: FastCheck.Arbitrary<Frame> = FastCheck.record({ name, url, line: position, column: position })

/** A tree of frames: each node's caller is an earlier node. */
const nodes: FastCheck.Arbitrary<ReadonlyArray<Node>> = FastCheck.array(
  FastCheck.tuple(frame, FastCheck.double({ min: 0, max: 0.999_999, noNaN: true })),
  { minLength: 1, maxLength: 40 }
).map((drawn) =>
  drawn.map(([frame, share], index) => ({ frame, parent: index === 0 ? -1 : Math.floor(share * index) }))
)

export const cpuProfile: FastCheck.Arbitrary<CpuProfile> = FastCheck.tuple(
  nodes,
  FastCheck.array(FastCheck.tuple(FastCheck.nat(), FastCheck.nat({ max: 5000 })), { maxLength: 60 }),
  FastCheck.nat()
).map(([nodes, drawn, startMicros]) => {
  let time = startMicros
  const times = drawn.map(([, delta]) => (time += delta))
  return {
    startMicros,
    endMicros: time + 1000,
    nodes,
    samples: Uint32Array.from(drawn, ([node]) => node % nodes.length),
    times: Float64Array.from(times)
  }
})

/** The profile as it is after it was written and read. */
const read = (profile: CpuProfile) => Either.getOrThrow(CpuProfiles.parse(CpuProfiles.toJson(profile)))

const external = Tracer.externalSpan({ traceId: "t", spanId: "s" })

export const span = (name: string, parent?: Tracer.AnySpan): Tracer.Span => ({
  ...external,
  _tag: "Span",
  name,
  parent: Option.fromNullable(parent),
  status: { _tag: "Started", startTime: 0n },
  attributes: new Map(),
  links: [],
  kind: "internal",
  end: () => undefined,
  attribute: () => undefined,
  event: () => undefined,
  addLinks: () => undefined
})

export const outer = span("outer")
const inner = span("inner", outer)
const remote = span("<b>remote</b>", external)
const spans = [undefined, outer, inner, remote, external]

/** A profile with a timeline whose changes are between its samples. */
export const attributed = FastCheck.tuple(
  cpuProfile,
  FastCheck.array(FastCheck.tuple(FastCheck.nat({ max: 5000 }), FastCheck.constantFrom(...spans)))
).map(([profile, changes]) => {
  const timeline = new SpanTimeline()
  let time = profile.startMicros
  const kept = changes.map(([delta, span]) => ({ time: (time += delta), span }))
  for (const { span, time } of kept) timeline.note(time, span)
  return { profile: read(profile), timeline, changes: kept }
})
