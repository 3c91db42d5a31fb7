/**
 * Writes a call tree as a `pprof` profile, which `go tool pprof`, Pyroscope, Grafana and cloud profilers read.
 *
 * @since 0.1.0
 */
import { encode as encodeMessage, type MessageOf } from "../internal/protobuf.js"
import type * as CallTree from "./CallTree.js"

interface ValueType {
  readonly type: number
  readonly unit: number
}

interface Label {
  readonly key: number
  readonly str: number
}

interface Sample {
  /** The innermost function first. */
  readonly locationId: ReadonlyArray<number>
  readonly value: ReadonlyArray<number>
  readonly label: ReadonlyArray<Label>
}

interface Line {
  readonly functionId: number
  readonly line: number
}

interface Location {
  readonly id: number
  readonly line: ReadonlyArray<Line>
}

interface Func {
  readonly id: number
  readonly name: number
  readonly systemName: number
  readonly filename: number
  readonly startLine: number
}

/** Texts are indices into `stringTable`, whose first entry is empty. */
interface Profile {
  readonly sampleType: ReadonlyArray<ValueType>
  readonly sample: ReadonlyArray<Sample>
  readonly location: ReadonlyArray<Location>
  readonly function: ReadonlyArray<Func>
  readonly stringTable: ReadonlyArray<string>
  readonly timeNanos: string
  readonly durationNanos: string
  readonly defaultSampleType: number
}

const valueType = { type: [1, "varint"], unit: [2, "varint"] } as const satisfies MessageOf<ValueType>
const label = { key: [1, "varint"], str: [2, "varint"] } as const satisfies MessageOf<Label>
const sample = {
  locationId: [1, "varint"],
  value: [2, "int64"],
  label: [3, label]
} as const satisfies MessageOf<Sample>
const line = { functionId: [1, "varint"], line: [2, "varint"] } as const satisfies MessageOf<Line>
const location = { id: [1, "varint"], line: [4, line] } as const satisfies MessageOf<Location>
const func = {
  id: [1, "varint"],
  name: [2, "varint"],
  systemName: [3, "varint"],
  filename: [4, "varint"],
  startLine: [5, "varint"]
} as const satisfies MessageOf<Func>
const profile = {
  sampleType: [1, valueType],
  sample: [2, sample],
  location: [4, location],
  function: [5, func],
  stringTable: [6, "string"],
  timeNanos: [9, "int64"],
  durationNanos: [10, "int64"],
  defaultSampleType: [14, "varint"]
} as const satisfies MessageOf<Profile>

/** The pprof type and unit of a tree's cost, and the factor from the tree's unit to it. */
const MEASURES: Readonly<Record<CallTree.CallTree["unit"], readonly [type: string, unit: string, times: number]>> = {
  microseconds: ["cpu", "nanoseconds", 1000],
  bytes: ["inuse_space", "bytes", 1]
}

/**
 * The time of a recording.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Unix milliseconds at the start of the recording. Default 0: unknown. */
  readonly startedAt?: number | undefined
  /** Duration of the recording in milliseconds. Default 0: unknown. */
  readonly durationMillis?: number | undefined
}

/** The string table. It numbers texts in the order of their first use. */
class Strings {
  readonly all: Array<string> = [""]
  readonly #known = new Map<string, number>([["", 0]])

  of(text: string): number {
    const known = this.#known.get(text)
    if (known !== undefined) return known
    this.#known.set(text, this.all.length)
    return this.all.push(text) - 1
  }
}

const nanosOf = (millis: number): string => String(BigInt(Math.round(millis * 1e6)))

/** A step of the walk. Trees may be deep, so the walk uses a list and not the call stack. */
interface Step {
  readonly node: CallTree.Node
  /** The functions around it, the outermost first. */
  readonly stack: ReadonlyArray<number>
  readonly spans: ReadonlyArray<string>
}

/**
 * The bytes of the profile, without compression. Readers accept them as they are; `.pb.gz` is the same in gzip.
 *
 * A function is one location. Spans are not frames: each sample has its path of spans (`Message.send >
 * Transactions.send`) as the label `span`. `go tool pprof -tagroot=span` groups functions by span, and
 * `-tagfocus=span=Message` selects spans.
 *
 * @example
 * ```ts
 * import type * as CallTree from "@pod-protocol/effect/observe/CallTree"
 * import * as Pprof from "@pod-protocol/effect/observe/Pprof"
 *
 * export const file = (tree: CallTree.CallTree): Uint8Array => Pprof.encode(tree, { startedAt: 1_700_000_000_000 })
 * ```
 *
 * @since 0.1.0
 * @category encoding
 */
export const encode = ({ root, unit }: CallTree.CallTree, options: Options = {}): Uint8Array => {
  const { durationMillis = 0, startedAt = 0 } = options
  const strings = new Strings()
  const functions = new Map<string, Func>()
  const samples: Array<Sample> = []
  const [type, unitName, times] = MEASURES[unit]

  const functionOf = ({ location, name }: CallTree.Node): number => {
    const key = `${location}\n${name}`
    const known = functions.get(key)
    if (known !== undefined) return known.id
    const [, file = location, at = "0"] = /^(.*):(\d+)$/.exec(location) ?? []
    const id = functions.size + 1
    const shown = strings.of(name)
    functions.set(key, { id, name: shown, systemName: shown, filename: strings.of(file), startLine: Number(at) })
    return id
  }

  const spanKey = strings.of("span")
  const steps: Array<Step> = root.children.map((node) => ({ node, stack: [], spans: [] }))
  for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
    const { node } = step
    const isSpan = node.owner === "span"
    const stack = isSpan ? step.stack : [...step.stack, functionOf(node)]
    const spans = isSpan ? [...step.spans, node.name] : step.spans
    const value = Math.round(node.self * times)
    if (value > 0) {
      samples.push({
        locationId: stack.toReversed(),
        value: [value],
        label: spans.length === 0 ? [] : [{ key: spanKey, str: strings.of(spans.join(" > ")) }]
      })
    }
    for (const child of node.children) steps.push({ node: child, stack, spans })
  }

  const made: Profile = {
    sampleType: [{ type: strings.of(type), unit: strings.of(unitName) }],
    sample: samples,
    location: Array.from(functions.values(), ({ id, startLine }) => ({
      id,
      line: [{ functionId: id, line: startLine }]
    })),
    function: [...functions.values()],
    stringTable: strings.all,
    timeNanos: nanosOf(startedAt),
    durationNanos: nanosOf(durationMillis),
    defaultSampleType: strings.of(type)
  }
  return encodeMessage(profile, made)
}
