/**
 * A CPU profile as V8 writes it (`.cpuprofile`): call frames, and the frame that ran at each sample.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { printable } from "../internal/printable.js"
import * as SafeText from "../SafeText.js"

/**
 * A text or value is not a profile.
 *
 * - `NotJson`: the text is not JSON. It may have been cut.
 * - `Malformed`: a field is missing, has the wrong type or contradicts another. `detail` names it.
 * - `TooLarge`: it has more nodes, samples or characters than this package reads.
 *
 * @since 0.1.0
 * @category errors
 */
export class MalformedProfile extends printable(
  Schema.TaggedError<MalformedProfile>("@pod-protocol/effect/MalformedProfile")("MalformedProfile", {
    reason: Schema.Literal("NotJson", "Malformed", "TooLarge"),
    detail: SafeText.Schema()
  })
) {
  /** Always false: the same bytes are malformed again. */
  readonly isRetryable = false

  override get message(): string {
    return `The profile cannot be read (${this.reason}: ${this.detail}): record it again`
  }
}

/**
 * A function of the profiled program.
 *
 * @since 0.1.0
 * @category models
 */
export interface Frame {
  /** At most 200 characters; empty for an anonymous function. V8's own states are in parentheses: `(idle)`. */
  readonly name: string
  /** Where its source is; empty for native code. At most 500 characters. */
  readonly url: string
  /** Line and column of the function, from 1; 0 if unknown. */
  readonly line: number
  readonly column: number
}

/**
 * A frame with the frame that called it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Node {
  readonly frame: Frame
  /** Its caller's index in `nodes`; -1 for the root, which is the first node. A caller comes before its callees. */
  readonly parent: number
}

/**
 * A profile. Times are microseconds of the monotonic clock.
 *
 * @since 0.1.0
 * @category models
 */
export interface CpuProfile {
  readonly startMicros: number
  readonly endMicros: number
  readonly nodes: ReadonlyArray<Node>
  /** For each sample the index of the node that ran. */
  readonly samples: Uint32Array
  /** For each sample its time; never falls. */
  readonly times: Float64Array
}

/**
 * Maximum nodes of a profile.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_NODES = 500_000

/**
 * Maximum samples of a profile: more than four hours at one sample per millisecond.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_SAMPLES = 16_000_000

/** About ten bytes a sample, and 250 a node. */
const MAX_CHARACTERS = 400_000_000

const MAX_NAME = 200
const MAX_URL = 500

const malformed = (detail: string): Either.Either<never, MalformedProfile> =>
  Either.left(new MalformedProfile({ reason: "Malformed", detail }))

const tooLarge = (detail: string): Either.Either<never, MalformedProfile> =>
  Either.left(new MalformedProfile({ reason: "TooLarge", detail }))

const text = (value: unknown, maxLength: number): string =>
  typeof value === "string" ? SafeText.make(value, maxLength) : ""

/** V8 names a frame of a regular expression after its pattern, which may be made of data: of a secret to remove, say. */
const PATTERN = "RegExp: "

const nameOf = (value: unknown): string =>
  typeof value === "string" && value.startsWith(PATTERN) ? "(regular expression)" : text(value, MAX_NAME)

/** V8 counts lines and columns from 0, and writes -1 for unknown ones. */
const position = (value: unknown): number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value + 1 : 0

/**
 * Converts a `callFrame` of V8's protocol to a frame that is safe to show. Missing fields become empty.
 *
 * @since 0.1.0
 * @category decoding
 */
export const frameOf = (callFrame: unknown): Frame => {
  const field = (name: string): unknown => (Predicate.hasProperty(callFrame, name) ? callFrame[name] : undefined)
  return {
    name: nameOf(field("functionName")),
    url: text(field("url"), MAX_URL),
    line: position(field("lineNumber")),
    column: position(field("columnNumber"))
  }
}

/**
 * Parses a profile's JSON, within the bounds of this module.
 *
 * @since 0.1.0
 * @category decoding
 */
export const parseJson = (json: string): Either.Either<unknown, MalformedProfile> =>
  json.length > MAX_CHARACTERS
    ? tooLarge(`more than ${MAX_CHARACTERS} characters`)
    : Either.try({
        try: (): unknown => JSON.parse(json),
        catch: () => new MalformedProfile({ reason: "NotJson", detail: "the text is not JSON, or it is cut" })
      })

/**
 * Reads the text of a `.cpuprofile`.
 *
 * @example
 * ```ts
 * import * as CallTree from "@pod-protocol/effect/observe/CallTree"
 * import * as CpuProfile from "@pod-protocol/effect/observe/CpuProfile"
 * import * as Flamegraph from "@pod-protocol/effect/observe/Flamegraph"
 * import * as Either from "effect/Either"
 *
 * export const draw = (file: string) =>
 *   Either.map(CpuProfile.parse(file), (profile) => Flamegraph.svg(CallTree.fromCpu(profile)))
 * ```
 *
 * @since 0.1.0
 * @category decoding
 */
export const parse = (json: string): Either.Either<CpuProfile, MalformedProfile> =>
  Either.flatMap(parseJson(json), decode)

/** The nodes as V8 lists them, by id. */
interface Listed {
  readonly frame: Frame
  readonly children: ReadonlyArray<unknown>
  readonly parent: unknown
}

const listed = (nodes: ReadonlyArray<unknown>): Either.Either<ReadonlyMap<number, Listed>, MalformedProfile> => {
  const byId = new Map<number, Listed>()
  for (const node of nodes) {
    if (!Predicate.hasProperty(node, "id") || typeof node.id !== "number") return malformed("nodes: one has no id")
    if (byId.has(node.id)) return malformed("nodes: two have the same id")
    const children = Predicate.hasProperty(node, "children") && Array.isArray(node.children) ? node.children : []
    byId.set(node.id, {
      frame: frameOf(Predicate.hasProperty(node, "callFrame") ? node.callFrame : undefined),
      children,
      parent: Predicate.hasProperty(node, "parent") ? node.parent : undefined
    })
  }
  return Either.right(byId)
}

/** Callers by callee: from `children`, or from `parent` as older tools write it. */
const parentsOf = (byId: ReadonlyMap<number, Listed>): Either.Either<ReadonlyMap<number, number>, MalformedProfile> => {
  const parents = new Map<number, number>()
  for (const [id, { children, parent }] of byId) {
    if (typeof parent === "number") parents.set(id, parent)
    for (const child of children) {
      if (typeof child !== "number" || !byId.has(child)) return malformed("nodes: a child is missing")
      if ((parents.get(child) ?? id) !== id) return malformed("nodes: one has two callers")
      parents.set(child, id)
    }
  }
  return Either.right(parents)
}

interface Ordered {
  readonly nodes: ReadonlyArray<Node>
  readonly indexById: ReadonlyMap<number, number>
}

/**
 * Orders nodes so that callers come before callees. A node that the root does not reach is in a circle or is an orphan.
 */
const ordered = (byId: ReadonlyMap<number, Listed>): Either.Either<Ordered, MalformedProfile> =>
  Either.flatMap(parentsOf(byId), (parents) => {
    const callees = new Map<number, Array<number>>()
    const roots: Array<number> = []
    for (const id of byId.keys()) {
      const parent = parents.get(id)
      if (parent === undefined) {
        roots.push(id)
        continue
      }
      const others = callees.get(parent)
      if (others === undefined) callees.set(parent, [id])
      else others.push(id)
    }
    const [root] = roots
    if (root === undefined || roots.length > 1) return malformed("nodes: there must be exactly one root")
    const nodes: Array<Node> = []
    const indexById = new Map<number, number>()
    const next: Array<number> = [root]
    for (let id = next.pop(); id !== undefined; id = next.pop()) {
      const node = byId.get(id)
      if (node === undefined) return malformed("nodes: a caller is missing")
      indexById.set(id, nodes.length)
      nodes.push({ frame: node.frame, parent: indexById.get(parents.get(id) ?? Number.NaN) ?? -1 })
      for (const callee of callees.get(id) ?? []) next.push(callee)
    }
    return nodes.length === byId.size
      ? Either.right({ nodes, indexById })
      : malformed("nodes: some are not reached from the root")
  })

/** Sorts samples by time: V8 may deliver them out of order. */
const sorted = (samples: Uint32Array, times: Float64Array): Pick<CpuProfile, "samples" | "times"> => {
  if (times.every((time, index) => index === 0 || time >= (times[index - 1] ?? 0))) return { samples, times }
  const order = Uint32Array.from(times, (_, index) => index).toSorted((a, b) => (times[a] ?? 0) - (times[b] ?? 0))
  return {
    samples: Uint32Array.from(order, (index) => samples[index] ?? 0),
    times: Float64Array.from(order, (index) => times[index] ?? 0)
  }
}

const isTime = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value) && value >= 0

/**
 * Reads a profile as V8's inspector returns it. Names and URLs are cut and made safe to show. The time is linear in the
 * size.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decode = (input: unknown): Either.Either<CpuProfile, MalformedProfile> => {
  const field = (name: string): unknown => (Predicate.hasProperty(input, name) ? input[name] : undefined)
  const [nodes, start, end] = [field("nodes"), field("startTime"), field("endTime")]
  const [ids, deltas] = [field("samples") ?? [], field("timeDeltas") ?? []]
  if (!Array.isArray(nodes) || nodes.length === 0) return malformed("nodes: must be a list with a root")
  if (!isTime(start) || !isTime(end) || end < start) return malformed("startTime, endTime: must be two times in order")
  if (!Array.isArray(ids) || !Array.isArray(deltas) || ids.length !== deltas.length)
    return malformed("samples, timeDeltas: must be lists of one length")
  if (nodes.length > MAX_NODES) return tooLarge(`more than ${MAX_NODES} nodes`)
  if (ids.length > MAX_SAMPLES) return tooLarge(`more than ${MAX_SAMPLES} samples`)
  return listed(nodes).pipe(
    Either.flatMap(ordered),
    Either.flatMap(({ indexById, nodes }) => {
      const samples = new Uint32Array(ids.length)
      const times = new Float64Array(ids.length)
      let time = start
      for (let index = 0; index < ids.length; index++) {
        const delta: unknown = deltas[index]
        const node = indexById.get(Number(ids[index]))
        if (node === undefined) return malformed("samples: a node is missing")
        if (typeof delta !== "number" || !Number.isFinite(delta)) return malformed("timeDeltas: one is not a number")
        time += delta
        samples[index] = node
        times[index] = time
      }
      return Either.right({ startMicros: start, endMicros: end, nodes, ...sorted(samples, times) })
    })
  )
}

/**
 * The time of each sample in microseconds: until the next sample, or until the end of the profile.
 *
 * @since 0.1.0
 * @category getters
 */
export const weights = ({ endMicros, times }: CpuProfile): Float64Array =>
  times.map((time, index) => Math.max((times[index + 1] ?? endMicros) - time, 0))

/**
 * The same profile with other frames, such as frames of the sources of a bundle. `f` is called once for each node.
 *
 * @since 0.1.0
 * @category mapping
 */
export const mapFrames = (profile: CpuProfile, f: (frame: Frame) => Frame): CpuProfile => ({
  ...profile,
  nodes: profile.nodes.map(({ frame, parent }) => ({ frame: f(frame), parent }))
})

/**
 * V8's form of a frame: the reverse of {@link frameOf}.
 *
 * @since 0.1.0
 * @category encoding
 */
export const callFrame = ({ column, line, name, url }: Frame) => ({
  functionName: name,
  scriptId: "0",
  url,
  lineNumber: line - 1,
  columnNumber: column - 1
})

/**
 * Writes the profile as a `.cpuprofile`, which Chrome's developer tools, VS Code and speedscope open.
 *
 * @since 0.1.0
 * @category encoding
 */
export const toJson = ({ endMicros, nodes, samples, startMicros, times }: CpuProfile): string => {
  const children = nodes.map((): Array<number> => [])
  for (const [index, { parent }] of nodes.entries()) children[parent]?.push(index + 1)
  const hits = new Uint32Array(nodes.length)
  for (const sample of samples) hits[sample] = (hits[sample] ?? 0) + 1
  return JSON.stringify({
    nodes: nodes.map(({ frame }, index) => ({
      id: index + 1,
      callFrame: callFrame(frame),
      hitCount: hits[index],
      children: children[index]
    })),
    startTime: startMicros,
    endTime: endMicros,
    samples: Array.from(samples, (sample) => sample + 1),
    timeDeltas: Array.from(times, (time, index) => time - (times[index - 1] ?? startMicros))
  })
}
