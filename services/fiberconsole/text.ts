/** Writes a dump as a table for a terminal. */
import * as Option from "effect/Option"
import type { Dump, FiberView } from "./Model.js"

const time = (millis: number): string => {
  if (millis >= 60_000) return `${Math.floor(millis / 60_000)}m ${Math.floor((millis % 60_000) / 1000)}s`
  return millis >= 1000
    ? `${(millis / 1000).toFixed(1)} s`
    : `${millis >= 10 ? millis.toFixed(0) : millis.toFixed(1)} ms`
}

const HEADER = ["fiber", "state", "age", "waits", "busy", "longest", "polls", "span", "waits for / in"]

/** Columns of numbers are aligned at the right. */
const IS_RIGHT = [true, false, true, true, true, true, true, false, false]

const MAX_NAME = 40

const row = (fiber: FiberView): ReadonlyArray<string> => [
  `#${fiber.id}`,
  fiber.state,
  time(fiber.ageMillis),
  fiber.waitsMillis === 0 ? "" : time(fiber.waitsMillis),
  time(fiber.busyMillis),
  time(fiber.longestPollMillis),
  String(fiber.polls),
  Option.getOrElse(fiber.span, () => fiber.group).slice(0, MAX_NAME),
  [...fiber.waitsFor.map((id) => `#${id}`), ...fiber.places].join(" < ")
]

/** Writes the dump. It omits the newest fibers, because stuck fibers are among the oldest. */
export const render = ({ ended, fibers, lints, untracked }: Dump, rows: number): string => {
  const table = [HEADER, ...fibers.slice(0, rows).map(row)]
  const widths = HEADER.map((_, column) => Math.max(...table.map((cells) => cells[column]?.length ?? 0)))
  const line = (cells: ReadonlyArray<string>): string =>
    cells
      .map((cell, column) => (IS_RIGHT[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join("  ")
      .trimEnd()
  const running = fibers.filter(({ state }) => state === "running").length
  return [
    `${fibers.length} fibers: ${running} running, ${fibers.length - running} suspended; ${ended} have ended`,
    ...(untracked > 0 ? [`${untracked} fibers were too many to track`] : []),
    ...lints.map(({ kind, message }) => `! ${kind}: ${message}`),
    "",
    ...table.map(line),
    ...(fibers.length > rows ? [`… ${fibers.length - rows} more`] : []),
    ""
  ].join("\n")
}
