/**
 * A sampling heap profile as V8 writes it (`.heapprofile`): functions, and the memory that each allocated.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as CpuProfile from "./CpuProfile.js"

/**
 * A function with the memory that it allocated.
 *
 * @since 0.1.0
 * @category models
 */
export interface Node {
  readonly frame: CpuProfile.Frame
  /** Its caller's index in `nodes`; -1 for the root, which is the first node. A caller comes before its callees. */
  readonly parent: number
  /** Bytes that the function itself allocated, estimated from samples. */
  readonly selfBytes: number
}

/**
 * A profile of the heap.
 *
 * @since 0.1.0
 * @category models
 */
export interface HeapProfile {
  readonly nodes: ReadonlyArray<Node>
}

const malformed = (detail: string): Either.Either<never, CpuProfile.MalformedProfile> =>
  Either.left(new CpuProfile.MalformedProfile({ reason: "Malformed", detail }))

const tooLarge = (detail: string): Either.Either<never, CpuProfile.MalformedProfile> =>
  Either.left(new CpuProfile.MalformedProfile({ reason: "TooLarge", detail }))

/** Maximum depth of calls. V8 records 255; `JSON.stringify` recurses once for each level. */
const MAX_DEPTH = 1000

/**
 * Reads a heap profile as V8's inspector returns it. Names and URLs are cut and made safe to show. The time is linear in
 * the size.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decode = (input: unknown): Either.Either<HeapProfile, CpuProfile.MalformedProfile> => {
  const nodes: Array<Node> = []
  const next: Array<readonly [node: unknown, parent: number, depth: number]> = [
    [Predicate.hasProperty(input, "head") ? input.head : undefined, -1, 0]
  ]
  for (let each = next.pop(); each !== undefined; each = next.pop()) {
    const [node, parent, depth] = each
    if (!Predicate.hasProperty(node, "callFrame")) return malformed("head: a node has no callFrame")
    const selfBytes = Predicate.hasProperty(node, "selfSize") ? node.selfSize : undefined
    if (typeof selfBytes !== "number" || !Number.isFinite(selfBytes) || selfBytes < 0)
      return malformed("head: a node has no selfSize")
    const children = Predicate.hasProperty(node, "children") && Array.isArray(node.children) ? node.children : []
    if (nodes.length + next.length + children.length >= CpuProfile.MAX_NODES)
      return tooLarge(`more than ${CpuProfile.MAX_NODES} nodes`)
    if (depth > MAX_DEPTH) return tooLarge(`calls deeper than ${MAX_DEPTH}`)
    const index = nodes.push({ frame: CpuProfile.frameOf(node.callFrame), parent, selfBytes }) - 1
    for (const child of children) next.push([child, index, depth + 1])
  }
  return Either.right({ nodes })
}

/**
 * Reads the text of a `.heapprofile`.
 *
 * @since 0.1.0
 * @category decoding
 */
export const parse = (json: string): Either.Either<HeapProfile, CpuProfile.MalformedProfile> =>
  Either.flatMap(CpuProfile.parseJson(json), decode)

/**
 * The same profile with other frames. `f` is called once for each node.
 *
 * @since 0.1.0
 * @category mapping
 */
export const mapFrames = (profile: HeapProfile, f: (frame: CpuProfile.Frame) => CpuProfile.Frame): HeapProfile => ({
  nodes: profile.nodes.map((node) => ({ ...node, frame: f(node.frame) }))
})

interface Written {
  readonly callFrame: object
  readonly selfSize: number
  readonly id: number
  readonly children: Array<Written>
}

/**
 * Writes the profile as a `.heapprofile`, which Chrome's developer tools and VS Code open.
 *
 * @since 0.1.0
 * @category encoding
 */
export const toJson = ({ nodes }: HeapProfile): string => {
  const written = nodes.map(({ frame, selfBytes }, index): Written => ({
    callFrame: CpuProfile.callFrame(frame),
    selfSize: selfBytes,
    id: index + 1,
    children: []
  }))
  for (const [index, { parent }] of nodes.entries()) {
    const own = written[index]
    if (own !== undefined) written[parent]?.children.push(own)
  }
  return JSON.stringify({ head: written[0], samples: [] })
}
