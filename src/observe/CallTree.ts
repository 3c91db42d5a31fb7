/**
 * Call trees with costs: the merged stacks of a profile, grouped by the spans for which they ran.
 *
 * @since 0.1.0
 */
import * as CpuProfile from "./CpuProfile.js"
import type { HeapProfile } from "./HeapProfile.js"
import { NO_SPAN, type SpanTimeline } from "./SpanTimeline.js"

/**
 * The origin of a frame's code.
 *
 * - `span`: an Effect span, not a function.
 * - `sdk`: this package.
 * - `application`: code outside of `node_modules`.
 * - `effect`: `effect` and `@effect/*`.
 * - `node`: Node's own code and native code.
 * - `package`: other packages.
 * - `collector`: the garbage collector.
 *
 * @since 0.1.0
 * @category models
 */
export type Owner = "span" | "sdk" | "application" | "effect" | "node" | "package" | "collector"

/**
 * A function or a span. Its parent in the tree is its caller.
 *
 * @since 0.1.0
 * @category models
 */
export interface Node {
  /** An anonymous function is named by its file and line. */
  readonly name: string
  /** File and line, or empty. */
  readonly location: string
  readonly owner: Owner
  /** The cost without callees, in the tree's unit. */
  readonly self: number
  /** The cost with all callees. */
  readonly total: number
  readonly children: ReadonlyArray<Node>
}

/**
 * A tree of costs.
 *
 * @since 0.1.0
 * @category models
 */
export interface CallTree {
  readonly unit: "microseconds" | "bytes"
  readonly root: Node
  /** Microseconds in which nothing ran. The tree does not include them. */
  readonly idle: number
}

/**
 * Options of showing frames.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The spans by time. Default: the tree has no spans. */
  readonly spans?: SpanTimeline | undefined
  /** A folder as a URL; files below it are shown relative to it. Default none. */
  readonly root?: string | undefined
  /** Whether a frame's URL is of this package. Default: whether it is below `node_modules/@pod-protocol/effect`. */
  readonly isSdk?: ((url: string) => boolean) | undefined
}

interface Building {
  readonly name: string
  readonly location: string
  readonly owner: Owner
  readonly depth: number
  self: number
  readonly children: Map<string, Building>
}

/** The profiler's hook in the run loop counts as run loop. A bundle keeps its name; a loader may keep only its file. */
const HOOK = "podProfilerHook"
const HOOK_MODULE = /\/profiler\/SpanRecorder\.[cm]?[jt]s$/

/**
 * Deeper calls count for their ancestor at this depth. V8 records 255 frames; the limit bounds recursion over a tree.
 */
const MAX_DEPTH = 400

/**
 * The name of all frames that interpret effects.
 *
 * @since 0.1.0
 * @category constants
 */
export const RUN_LOOP = "Effect run loop"

/** Modules of Effect that interpret an effect. Their callees are of interest; these modules are not. */
const RUN_LOOP_MODULES =
  /\/node_modules\/effect\/.*\/(fiberRuntime|core|core-effect|effect|Effect|Effectable|effectable|Scheduler|singleShotGen|Utils|Function|Pipeable|tracer|defaultServices|fiberRefs|runtime|runtimeFlags|supervisor|context|Context|Option|Either|either|option)\.[cm]?[jt]s$/

const isSdkPackage = (url: string): boolean => url.includes("/node_modules/@pod-protocol/effect/")

const isEffect = (url: string): boolean => /\/node_modules\/(effect|@effect)\//.test(url)

const ownerOf = ({ name, url }: CpuProfile.Frame, isSdk: (url: string) => boolean): Owner => {
  if (name === "(garbage collector)") return "collector"
  if (url === "" || /^(node|wasm):/.test(url)) return "node"
  if (isEffect(url)) return "effect"
  if (isSdk(url)) return "sdk"
  return url.includes("/node_modules/") ? "package" : "application"
}

/**
 * Shortens the URL of a package's file to begin with the package's name, and of other files to their path below the
 * root.
 */
const shortUrl = (url: string, root: string): string => {
  const packaged = url.lastIndexOf("/node_modules/")
  if (packaged !== -1) return url.slice(packaged + "/node_modules/".length)
  return root !== "" && url.startsWith(root) ? url.slice(root.length).replace(/^\//, "") : url.replace(/^file:\/\//, "")
}

const rootNode = (): Building => ({ name: "all", location: "", owner: "span", depth: 0, self: 0, children: new Map() })

const below = (parent: Building, name: string, location: string, owner: Owner): Building => {
  const key = `${owner} ${location} ${name}`
  const found = parent.children.get(key)
  if (found !== undefined) return found
  if (parent.depth >= MAX_DEPTH) return parent
  const made = { name, location, owner, depth: parent.depth + 1, self: 0, children: new Map<string, Building>() }
  parent.children.set(key, made)
  return made
}

/** Finds the tree's node of each frame of a profile, below a given node. */
const placer = (options: Options) => {
  const { isSdk = isSdkPackage, root = "" } = options
  const shown = new Map<CpuProfile.Frame, Pick<Building, "name" | "location" | "owner">>()

  const show = (frame: CpuProfile.Frame): Pick<Building, "name" | "location" | "owner"> => {
    const found = shown.get(frame)
    if (found !== undefined) return found
    const { line, name, url } = frame
    const location = url === "" ? "" : `${shortUrl(url, root)}${line === 0 ? "" : `:${line}`}`
    const isLoop = name === HOOK || HOOK_MODULE.test(url) || RUN_LOOP_MODULES.test(url)
    const made = isLoop
      ? { name: RUN_LOOP, location: "", owner: "effect" as const }
      : {
          name: name !== "" ? name : (location.split("/").at(-1) ?? "") || "(anonymous)",
          location,
          owner: ownerOf(frame, isSdk)
        }
    shown.set(frame, made)
    return made
  }

  /** Consecutive frames of the run loop become one. */
  return (parent: Building, frame: CpuProfile.Frame): Building => {
    const { location, name, owner } = show(frame)
    return name === RUN_LOOP && parent.name === RUN_LOOP ? parent : below(parent, name, location, owner)
  }
}

/** Sums up from the leaves, and lists the most expensive children first. */
const finished = (root: Building): Node => {
  const order: Array<Building> = [root]
  for (let index = 0; index < order.length; index++)
    for (const child of order[index]?.children.values() ?? []) order.push(child)
  const done = new Map<Building, Node>()
  for (const each of order.toReversed()) {
    const children = [...each.children.values()].flatMap((child) => done.get(child) ?? []).toSorted(byCost)
    const total = children.reduce((sum, child) => sum + child.total, each.self)
    done.set(each, { name: each.name, location: each.location, owner: each.owner, self: each.self, total, children })
  }
  return done.get(root) ?? { ...root, total: root.self, children: [] }
}

const byCost = (a: Node, b: Node): number => b.total - a.total || (a.name < b.name ? -1 : 1)

/**
 * The name of the node for code that ran outside of spans.
 *
 * @since 0.1.0
 * @category constants
 */
export const NO_SPAN_NAME = "(no span)"

/** The tree's node of each path of spans. */
const spanNodes = (root: Building, spans: SpanTimeline) => {
  const nodes: Array<Building> = []
  for (const { name, parent } of spans.paths) nodes.push(below(nodes[parent] ?? root, name, "", "span"))
  const none = below(root, NO_SPAN_NAME, "", "span")
  return (path: number): Building => (path === NO_SPAN ? none : (nodes[path] ?? none))
}

/**
 * Merges the stacks of a CPU profile. Effect's run loop is one frame. `(idle)` is not in the tree, but in `idle`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromCpu = (profile: CpuProfile.CpuProfile, options: Options = {}): CallTree => {
  const { nodes, samples, times } = profile
  const root = rootNode()
  const place = placer(options)
  const spanAt = options.spans?.at(times)
  const nodeOf = options.spans === undefined ? () => root : spanNodes(root, options.spans)
  const placed = new Map<number, Map<number, Building>>()

  /** A caller has a lower index than its callees, so the walk up to a placed node terminates. */
  const building = (path: number, sample: number): Building => {
    const known = placed.get(path) ?? new Map<number, Building>()
    placed.set(path, known)
    const unplaced: Array<number> = []
    let at = sample
    while (at > 0 && !known.has(at)) {
      unplaced.push(at)
      at = nodes[at]?.parent ?? 0
    }
    let parent = known.get(at) ?? nodeOf(path)
    for (const index of unplaced.toReversed()) {
      const frame = nodes[index]?.frame
      if (frame !== undefined) parent = place(parent, frame)
      known.set(index, parent)
    }
    return parent
  }

  let idle = 0
  for (const [index, weight] of CpuProfile.weights(profile).entries()) {
    const sample = samples[index] ?? 0
    if (nodes[sample]?.frame.name === "(idle)") idle += weight
    else building(spanAt?.[index] ?? NO_SPAN, sample).self += weight
  }
  for (const [key, child] of root.children) if (child.owner === "span" && isEmpty(child)) root.children.delete(key)
  return { unit: "microseconds", root: finished(root), idle }
}

const isEmpty = ({ children, self }: Building): boolean => self === 0 && children.size === 0

/**
 * Merges the stacks of a heap profile.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromHeap = (profile: HeapProfile, options: Options = {}): CallTree => {
  const root = rootNode()
  const place = placer(options)
  const placed: Array<Building> = []
  for (const { frame, parent, selfBytes } of profile.nodes) {
    const made = parent === -1 ? root : place(placed[parent] ?? root, frame)
    made.self += selfBytes
    placed.push(made)
  }
  return { unit: "bytes", root: finished(root), idle: 0 }
}

/**
 * The cost of one path of spans.
 *
 * @since 0.1.0
 * @category models
 */
export interface SpanCost {
  /** Names, the outermost span first. `["(no span)"]` is code that ran outside of spans. */
  readonly path: ReadonlyArray<string>
  /** Without inner spans, in the tree's unit. */
  readonly self: number
  /** With inner spans. */
  readonly total: number
}

/**
 * The cost of each path of spans, the most expensive first. Empty for a tree without spans.
 *
 * @since 0.1.0
 * @category getters
 */
export const bySpan = ({ root }: CallTree): ReadonlyArray<SpanCost> => {
  const costs: Array<SpanCost> = []
  const visit = (span: Node, above: ReadonlyArray<string>): void => {
    const path = [...above, span.name]
    const inner = span.children.filter(({ owner }) => owner === "span")
    costs.push({ path, self: span.total - inner.reduce((sum, { total }) => sum + total, 0), total: span.total })
    for (const child of inner) visit(child, path)
  }
  for (const child of root.children) if (child.owner === "span") visit(child, [])
  return costs.toSorted((a, b) => b.self - a.self)
}

/**
 * The cost of one function, summed over all its callers.
 *
 * @since 0.1.0
 * @category models
 */
export interface FunctionCost {
  readonly name: string
  readonly location: string
  readonly owner: Owner
  readonly self: number
  /** With callees; a recursive call counts once. */
  readonly total: number
}

/**
 * The cost of each function, the most expensive first.
 *
 * @since 0.1.0
 * @category getters
 */
export const byFunction = ({ root }: CallTree): ReadonlyArray<FunctionCost> => {
  const costs = new Map<string, { name: string; location: string; owner: Owner; self: number; total: number }>()
  const active = new Set<string>()
  const visit = ({ children, location, name, owner, self, total }: Node): void => {
    const key = `${owner} ${location} ${name}`
    const isOuter = owner !== "span" && !active.has(key)
    if (owner !== "span") {
      const cost = costs.get(key) ?? { name, location, owner, self: 0, total: 0 }
      cost.self += self
      if (isOuter) cost.total += total
      costs.set(key, cost)
      active.add(key)
    }
    for (const child of children) visit(child)
    if (isOuter) active.delete(key)
  }
  visit(root)
  return [...costs.values()].toSorted((a, b) => b.self - a.self)
}

/**
 * The change of a function's cost.
 *
 * @since 0.1.0
 * @category models
 */
export interface Change {
  readonly name: string
  readonly location: string
  readonly owner: Owner
  readonly before: number
  readonly after: number
  /** `after` minus `before`. */
  readonly change: number
}

/**
 * How the own cost of each function changed between two trees of one unit, the largest change first. Functions are
 * matched by name and location.
 *
 * @since 0.1.0
 * @category getters
 */
export const compare = (before: CallTree, after: CallTree): ReadonlyArray<Change> => {
  const changes = new Map<string, Change>()
  const add = (tree: CallTree, side: "before" | "after"): void => {
    for (const { location, name, owner, self } of byFunction(tree)) {
      const key = `${owner} ${location} ${name}`
      const known = changes.get(key) ?? { name, location, owner, before: 0, after: 0, change: 0 }
      const sides = { before: known.before, after: known.after, [side]: self }
      changes.set(key, { name, location, owner, ...sides, change: sides.after - sides.before })
    }
  }
  add(before, "before")
  add(after, "after")
  return [...changes.values()]
    .filter(({ change }) => change !== 0)
    .toSorted((a, b) => Math.abs(b.change) - Math.abs(a.change))
}

/**
 * The tree as folded stacks, one a line (`outer;inner 42`), which other flamegraph tools read. Semicolons in names
 * become commas.
 *
 * @since 0.1.0
 * @category encoding
 */
export const toFolded = ({ root }: CallTree): string => {
  const lines: Array<string> = []
  const visit = ({ children, name, self }: Node, above: string): void => {
    const path = above === "" ? name.replaceAll(";", ",") : `${above};${name.replaceAll(";", ",")}`
    if (self > 0) lines.push(`${path} ${Math.round(self)}`)
    for (const child of children) visit(child, path)
  }
  for (const child of root.children) visit(child, "")
  return lines.map((line) => `${line}\n`).join("")
}
