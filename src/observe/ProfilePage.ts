/**
 * Writes a profile as a page for people: one HTML file with the flamegraph and the tables, which makes no request.
 *
 * @since 0.1.0
 */
import * as CallTree from "./CallTree.js"
import type * as CpuProfile from "./CpuProfile.js"
import * as Flamegraph from "./Flamegraph.js"
import { script, style } from "./flamegraph/page.js"

/**
 * A CPU profile with its tree and its costs by span: `Profiler.CpuRecording` is one.
 *
 * @since 0.1.0
 * @category models
 */
export interface Cpu {
  readonly profile: CpuProfile.CpuProfile
  readonly tree: CallTree.CallTree
  readonly bySpan: ReadonlyArray<CallTree.SpanCost>
  readonly droppedChanges: number
}

/**
 * The content of the page.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The headline. */
  readonly title: string
  /** The CPU profile. */
  readonly cpu: Cpu
  /** The heap profile of the same run. Default: none. */
  readonly heap?: { readonly tree: CallTree.CallTree } | undefined
  /** The fibers at some moment of the run, as text. Default: none. At most 200,000 characters are shown. */
  readonly fibers?: string | undefined
  /** The metrics of the run, as text. Default: none. At most 200,000 characters are shown. */
  readonly metrics?: string | undefined
  /** Names of files beside the page, to which it links. Default: none. */
  readonly files?: ReadonlyArray<string> | undefined
}

const ROWS = 25
const MAX_TEXT = 200_000

const { cost, escape, percent } = Flamegraph

/** Keeps the lines of a text, each made safe. */
const lines = (text: string): string =>
  text
    .slice(0, MAX_TEXT)
    .split("\n")
    .map((line) => escape(line))
    .join("\n")

/** A share in percent, as a number for CSS. */
const share = (part: number, whole: number): string => (whole > 0 ? ((part / whole) * 100).toFixed(2) : "0")

const track = (whole: number, ...parts: ReadonlyArray<number>): string =>
  `<td class="bar"><span class="track">${parts.map((part) => `<u style="width:${share(part, whole)}%"></u>`).join("")}</span></td>`

const sumBy = <A>(items: ReadonlyArray<A>, f: (item: A) => number): number =>
  items.reduce((sum, item) => sum + f(item), 0)

const tile = (label: string, value: string, note: string): string =>
  `<div class="tile"><span class="soft">${escape(label)}</span><b>${escape(value)}</b><span class="soft">${escape(note)}</span></div>`

const isIn = (owner: CallTree.Owner) => (one: { readonly owner: CallTree.Owner }) => one.owner === owner

const tiles = ({ bySpan, profile, tree }: Cpu, functions: ReadonlyArray<CallTree.FunctionCost>): string => {
  const busy = tree.root.total
  const outside = sumBy(
    bySpan.filter(({ path }) => path.length === 1 && path[0] === CallTree.NO_SPAN_NAME),
    ({ self }) => self
  )
  const collector = sumBy(functions.filter(isIn("collector")), ({ self }) => self)
  const [first] = functions.filter(({ name, owner }) => owner !== "collector" && name !== CallTree.RUN_LOOP)
  return [
    tile(
      "CPU busy",
      percent(busy, busy + tree.idle),
      `${cost(busy, tree.unit)} of ${cost(busy + tree.idle, tree.unit)}`
    ),
    bySpan.length === 0
      ? ""
      : tile("Within Effect spans", percent(busy - outside, busy), `${cost(outside, tree.unit)} outside of them`),
    tile("Garbage collector", percent(collector, busy), cost(collector, tree.unit)),
    first === undefined ? "" : tile("Top function", percent(first.self, busy), `${first.name} ${first.location}`),
    tile(
      "Samples",
      profile.samples.length.toLocaleString("en"),
      `${profile.nodes.length.toLocaleString("en")} call frames`
    )
  ].join("")
}

const owners = (functions: ReadonlyArray<CallTree.FunctionCost>, tree: CallTree.CallTree): string => {
  const shown = Flamegraph.OWNERS.map(([owner, label]) => {
    const cost = sumBy(functions.filter(isIn(owner)), ({ self }) => self)
    return { owner, label, cost }
  }).filter(({ cost }) => cost > 0)
  return [
    `<section><h2>Whose code ran</h2><p class="soft">Own time of functions by where they come from.</p><div class="stack">`,
    ...shown.map(
      ({ cost, label, owner }) =>
        `<span title="${label}" style="width:${share(cost, tree.root.total)}%;background:var(--${owner})"></span>`
    ),
    `</div><div class="key">`,
    ...shown.map(
      ({ cost, label, owner }) =>
        `<span><i style="background:var(--${owner})"></i>${label} <span class="soft">${percent(cost, tree.root.total)}</span></span>`
    ),
    `</div></section>`
  ].join("")
}

const find = (picture: string, name: string, isZoom: boolean): string =>
  `<button class="find" type="button" data-in="${picture}" data-find="${escape(name)}"${isZoom ? " data-zoom" : ""}>${escape(name)}</button>`

/** Spans below their parents, the most expensive first. */
const spanRows = (tree: CallTree.CallTree): string => {
  const rows: Array<string> = []
  const visit = (span: CallTree.Node, depth: number): void => {
    const inner = span.children.filter(isIn("span"))
    const self = span.total - sumBy(inner, ({ total }) => total)
    rows.push(
      [
        `<tr><td style="padding-left:${depth * 18}px">${find("cpu", span.name, true)}</td>`,
        track(tree.root.total, span.total, self),
        `<td>${percent(self, tree.root.total)}</td><td>${cost(self, tree.unit)}</td><td>${percent(span.total, tree.root.total)}</td></tr>`
      ].join("")
    )
    for (const child of inner) visit(child, depth + 1)
  }
  for (const span of tree.root.children) if (span.owner === "span") visit(span, 0)
  return rows.slice(0, 4 * ROWS).join("\n")
}

const spans = (tree: CallTree.CallTree): string =>
  [
    `<section><h2>By Effect span</h2><p class="soft">Own time of a span excludes its inner spans. Choose one to zoom to it.</p>`,
    `<table><thead><tr><th>Span</th><th></th><th>Own</th><th>Time</th><th>With inner</th></tr></thead><tbody>`,
    spanRows(tree),
    `</tbody></table></section>`
  ].join("\n")

const functionRow = (picture: string, tree: CallTree.CallTree) => (one: CallTree.FunctionCost) =>
  [
    `<tr><td><i style="background:var(--${one.owner})"></i>${find(picture, one.name, false)}<small>${escape(one.location)}</small></td>`,
    track(tree.root.total, one.total, one.self),
    `<td>${percent(one.self, tree.root.total)}</td><td>${cost(one.self, tree.unit)}</td><td>${percent(one.total, tree.root.total)}</td></tr>`
  ].join("")

const functionTable = (
  picture: string,
  title: string,
  tree: CallTree.CallTree,
  functions: ReadonlyArray<CallTree.FunctionCost>
): string =>
  [
    `<section><h2>${title}</h2><p class="soft">Choose one to see where it is called.</p>`,
    `<table><thead><tr><th>Function</th><th></th><th>Own</th><th>${tree.unit === "bytes" ? "Size" : "Time"}</th><th>With callees</th></tr></thead><tbody>`,
    ...functions.slice(0, ROWS).map(functionRow(picture, tree)),
    `</tbody></table></section>`
  ].join("\n")

const picture = (id: string, tree: CallTree.CallTree, title: string): string =>
  `<section class="picture" id="${id}">${Flamegraph.svg(tree, { title })}</section>`

const heapParts = (tree: CallTree.CallTree): string =>
  [
    picture("heap", tree, "Memory, by the function that allocated it"),
    functionTable("heap", "Top allocators", tree, CallTree.byFunction(tree))
  ].join("\n")

const textPart = (title: string, text: string | undefined): string =>
  text === undefined ? "" : `<section><h2>${title}</h2><pre>${lines(text)}</pre></section>`

const POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"

/**
 * Writes the page. The page is self-contained: it loads nothing from elsewhere, which its content policy also forbids,
 * and texts of the profile are escaped. It follows the reader's light or dark scheme.
 *
 * @since 0.1.0
 * @category encoding
 */
export const html = ({ cpu, files = [], fibers, heap, metrics, title }: Options): string => {
  const { profile, tree } = cpu
  const functions = CallTree.byFunction(tree)
  const recorded = cost(profile.endMicros - profile.startMicros, "microseconds")
  return [
    `<!doctype html>`,
    `<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">`,
    `<meta http-equiv="Content-Security-Policy" content="${POLICY}"><title>${escape(title)}</title>`,
    `<style>${style}</style></head><body><main>`,
    `<header><h1>${escape(title)}</h1><p class="soft">${recorded} recorded</p></header>`,
    `<div class="tiles">${tiles(cpu, functions)}</div>`,
    cpu.droppedChanges > 0
      ? `<section class="warn">${cpu.droppedChanges} changes of span were dropped: later samples may be attributed to the wrong span.</section>`
      : "",
    picture("cpu", tree, "Where CPU time goes, by Effect span"),
    owners(functions, tree),
    cpu.bySpan.length === 0 ? "" : spans(tree),
    functionTable("cpu", "Top functions", tree, functions),
    heap === undefined ? "" : heapParts(heap.tree),
    textPart("Metrics", metrics),
    textPart("Fibers", fibers),
    files.length === 0
      ? ""
      : `<section class="files"><h2>Files</h2><p>${files.map((file) => `<a href="${escape(encodeURI(file))}">${escape(file)}</a>`).join(" ")}</p></section>`,
    `</main><script>${script}</script></body></html>\n`
  ].join("\n")
}

/**
 * The cost of each span as a text: share, own time, time with inner spans, path.
 *
 * @since 0.1.0
 * @category encoding
 */
export const spansText = ({ bySpan, tree }: Pick<Cpu, "bySpan" | "tree">): string =>
  [
    "   own        time  with inner  span",
    ...bySpan.map(({ path, self, total }) =>
      [
        percent(self, tree.root.total).padStart(7),
        cost(self, tree.unit).padStart(10),
        cost(total, tree.unit).padStart(10),
        ` ${path.join(" > ")}`
      ].join(" ")
    ),
    ""
  ].join("\n")
