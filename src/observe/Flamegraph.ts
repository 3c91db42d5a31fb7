/**
 * Draws a call tree as a flamegraph: one SVG file with zoom and search that makes no request.
 *
 * @since 0.1.0
 */
import * as SafeText from "../SafeText.js"
import type * as CallTree from "./CallTree.js"
import { script } from "./flamegraph/script.js"
import { style } from "./flamegraph/style.js"

/**
 * The position of a frame.
 *
 * @since 0.1.0
 * @category models
 */
export interface Box {
  readonly node: CallTree.Node
  /** Left edge as a share of the picture's width. */
  readonly x: number
  /** Width as a share of the picture's width. */
  readonly width: number
  /** Rows above the root. */
  readonly depth: number
}

/**
 * The positions of all frames.
 *
 * @since 0.1.0
 * @category models
 */
export interface Layout {
  /** A caller comes before its callees. Empty if the tree costs nothing. */
  readonly boxes: ReadonlyArray<Box>
  /** The largest depth. */
  readonly depth: number
  /** Number of frames that are too narrow to draw. Their callees are not counted. */
  readonly hidden: number
}

/**
 * Options of a drawing.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The headline. Default "Flamegraph". */
  readonly title?: string | undefined
  /** A line below the headline. Default: the total cost, the idle time and the number of hidden frames. */
  readonly subtitle?: string | undefined
  /**
   * Narrowest frame as a share of the whole. Default 0.0004. Too low: the file grows. Too high: little remains when you zoom.
   */
  readonly minShare?: number | undefined
}

const MIN_SHARE = 0.0004

/** Maximum frames of a picture, at about 250 bytes each. The widest frames are drawn. */
const MAX_BOXES = 6000

/**
 * Lays a tree out from left to right, the most expensive callee of each caller first. Callees lie within their caller
 * and do not overlap.
 *
 * @since 0.1.0
 * @category layout
 */
export const layout = ({ root }: CallTree.CallTree, options: Options = {}): Layout => {
  const { minShare = MIN_SHARE } = options
  const all: Array<Box> = root.total > 0 ? [{ node: root, x: 0, width: 1, depth: 0 }] : []
  let hidden = 0
  for (let index = 0; index < all.length; index++) {
    const box = all[index]
    let left = box?.x ?? 0
    for (const child of box?.node.children ?? []) {
      const width = child.total / root.total
      if (width >= minShare) all.push({ node: child, x: left, width, depth: (box?.depth ?? 0) + 1 })
      else hidden++
      left += width
    }
  }
  // A caller is never narrower than its callee and the sort is stable, so the callers of all kept frames are kept.
  const boxes = all.length <= MAX_BOXES ? all : all.toSorted((a, b) => b.width - a.width).slice(0, MAX_BOXES)
  hidden += all.length - boxes.length
  return { boxes, depth: boxes.reduce((most, { depth }) => Math.max(most, depth), 0), hidden }
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;"
}

/**
 * Escapes a text for HTML and XML. The result is one line without invisible characters, cut to `maxLength` characters
 * (default 300) before escaping.
 *
 * @since 0.1.0
 * @category encoding
 */
export const escape = (text: string, maxLength = 300): string =>
  SafeText.make(text, maxLength)
    // XML does not allow these two characters
    .replace(/[\ufffe\uffff]/g, "\ufffd")
    .replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "")

const round = (value: number, digits: number): string => Number(value.toFixed(digits)).toString()

/**
 * A cost for people: `1.25 s`, `340 ms`, `12.5 MB`.
 *
 * @since 0.1.0
 * @category encoding
 */
export const cost = (value: number, unit: CallTree.CallTree["unit"]): string => {
  const size = Math.abs(value)
  if (unit === "microseconds") {
    if (size >= 1e6) return `${round(value / 1e6, 2)} s`
    return size >= 1e3 ? `${round(value / 1e3, size >= 1e5 ? 0 : 1)} ms` : `${round(value, 0)} µs`
  }
  if (size >= 1024 ** 2) return `${round(value / 1024 ** 2, 1)} MB`
  return size >= 1024 ? `${round(value / 1024, 1)} kB` : `${round(value, 0)} B`
}

/**
 * A share for people: `12.3 %`. 0 for a share of nothing.
 *
 * @since 0.1.0
 * @category encoding
 */
export const percent = (part: number, whole: number): string => `${round(whole > 0 ? (part / whole) * 100 : 0, 1)} %`

/**
 * The label of each owner in a legend.
 *
 * @since 0.1.0
 * @category constants
 */
export const OWNERS: ReadonlyArray<readonly [owner: CallTree.Owner, label: string]> = [
  ["span", "Effect span"],
  ["sdk", "this SDK"],
  ["application", "application"],
  ["effect", "Effect"],
  ["node", "Node and native"],
  ["package", "other packages"],
  ["collector", "garbage collector"]
]

const ROW = 19
const HEADER = 84
const FOOTER = 10

/** Labels are cut for a picture of this width, unless the script runs and cuts them anew. */
const STATIC_WIDTH = 1200
const CHARACTER = 7.25

const tintOf = (name: string): number => {
  let hash = 0
  for (let index = 0; index < name.length; index++) hash = (hash * 31 + name.charCodeAt(index)) % 9973
  return hash % 3
}

const label = (name: string, width: number): string => {
  const fits = Math.floor((width * STATIC_WIDTH - 8) / CHARACTER)
  return fits < 3 ? "" : name.length > fits ? `${name.slice(0, fits - 1)}…` : name
}

const frame = ({ depth, node, width, x }: Box, tree: CallTree.CallTree, height: number): string => {
  const y = height - FOOTER - (depth + 1) * ROW
  const { location, name, owner, self, total } = node
  const kind = depth === 0 ? "root" : `${owner} t${tintOf(name)}`
  const shown = label(name, width)
  const whole = tree.root.total
  const title = [
    escape(name),
    escape(location),
    `${percent(total, whole)}, ${cost(total, tree.unit)}; itself ${percent(self, whole)}, ${cost(self, tree.unit)}`
  ].join("\n")
  const left = `${round(x * 100, 4)}%`
  return [
    `<g class="f ${kind}" data-at="${Math.round(x * 1e7)} ${Math.round(width * 1e7)} ${depth}"><title>${title}</title>`,
    `<rect x="${left}" y="${y}" width="${round(width * 100, 4)}%" height="${ROW - 1}"/>`,
    shown === "" ? "" : `<text x="${left}" dx="4" y="${y + 13.5}">${escape(shown)}</text>`,
    `</g>`
  ].join("")
}

const legend = (owners: ReadonlySet<CallTree.Owner>): string => {
  let x = 12
  return OWNERS.filter(([owner]) => owners.has(owner))
    .map(([owner, text]) => {
      const at = x
      x += 26 + text.length * 6.6
      return `<g class="${owner}"><rect x="${at}" y="48" width="10" height="10" rx="2"/></g><text class="legend" x="${at + 15}" y="57">${text}</text>`
    })
    .join("")
}

const sum = (tree: CallTree.CallTree, { hidden }: Layout): string =>
  tree.root.total > 0
    ? [
        `${cost(tree.root.total, tree.unit)}${tree.unit === "bytes" ? "" : " busy"}`,
        ...(tree.idle > 0 ? [`${cost(tree.idle, tree.unit)} idle`] : []),
        ...(hidden > 0 ? [`${hidden} narrow frames are not drawn`] : [])
      ].join(", ")
    : "No samples: nothing ran, or the profile was too short"

const HINT = "Click a frame to zoom, press / to search by regular expression, Esc to reset"

/**
 * Draws a tree. The document is self-contained: its script makes no request, and texts of the profile are escaped. It
 * follows the reader's light or dark scheme. If scripts are disabled, it is a still picture whose frames have tooltips.
 *
 * @since 0.1.0
 * @category encoding
 */
export const svg = (tree: CallTree.CallTree, options: Options = {}): string => {
  const drawn = layout(tree, options)
  const height = HEADER + (drawn.depth + 1) * ROW + FOOTER
  const { subtitle = sum(tree, drawn), title = "Flamegraph" } = options
  const owners = new Set(drawn.boxes.slice(1).map(({ node }) => node.owner))
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="pod-flame" width="100%" height="${height}" role="group" aria-label="${escape(title)}">`,
    `<style>${escapeCode(style)}</style>`,
    `<rect class="paper" width="100%" height="100%"/>`,
    `<text class="title" x="12" y="24">${escape(title)}</text>`,
    `<text class="sub" x="12" y="41">${escape(subtitle)}</text>`,
    legend(owners),
    `<text class="about" x="12" y="76">${drawn.boxes.length === 0 ? "" : HINT}</text>`,
    ...drawn.boxes.map((box) => frame(box, tree, height)),
    ...(drawn.boxes.length === 0
      ? []
      : [
          `<foreignObject x="40%" y="6" height="32" style="width:calc(60% - 12px)"/>`,
          `<script>${escapeCode(script)}</script>`
        ]),
    `</svg>\n`
  ].join("\n")
}

/** XML and the SVG of an HTML page read entities within these elements alike. */
const escapeCode = (code: string): string => code.replace(/[&<>]/g, (character) => ENTITIES[character] ?? "")
