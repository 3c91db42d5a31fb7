/** The table of docs/trust.md: the effect of a lie, by its subject and by the presence of honest endpoints. */
import * as Arr from "effect/Array"
import type { Outcome } from "./Bed.js"
import type { Verdict } from "./Verdict.js"

/** The words of the page. */
const WORDS: Readonly<Record<Verdict, string>> = {
  unchanged: "nothing",
  detected: "typed error",
  believedByDesign: "believed",
  falseExpired: "FALSE EXPIRY",
  landedTwice: "LANDED TWICE",
  falseConfirmed: "FALSE RECEIPT",
  overpaid: "OVERPAID",
  undetected: "UNDETECTED"
}

const ORDER = Object.values(WORDS)

/** Lies about a whole reply and about its value share a row. */
export const wordOf = (verdict: Verdict): string => WORDS[verdict]

export interface Row {
  readonly about: string
  readonly alone: ReadonlyArray<string>
  readonly minority: ReadonlyArray<string>
}

const wordsOf = (outcomes: ReadonlyArray<Outcome>): ReadonlyArray<string> =>
  Arr.dedupe(outcomes.map(({ verdict }) => WORDS[verdict])).toSorted((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b))

/** The rows, in the order of their first lies. */
export const rows = (outcomes: ReadonlyArray<Outcome>): ReadonlyArray<Row> =>
  Object.entries(Arr.groupBy(outcomes, ({ lie }) => lie.about))
    .filter(([about]) => about !== "nothing")
    .map(([about, all]) => {
      const [minority, alone] = Arr.partition(all, ({ endpoints }) => endpoints === 1)
      return { about, alone: wordsOf(alone), minority: wordsOf(minority) }
    })

const cell = (words: ReadonlyArray<string>): string => (words.length === 0 ? "–" : words.join(", "))

export const table = (outcomes: ReadonlyArray<Outcome>): string =>
  [
    "| a lie about | of the only endpoint | of one of two or three |",
    "| --- | --- | --- |",
    ...rows(outcomes).map(({ about, alone, minority }) => `| \`${about}\` | ${cell(alone)} | ${cell(minority)} |`)
  ].join("\n")

/** The rows of a page with such a table. */
export const parse = (page: string): ReadonlyArray<Row> =>
  page.split("\n").flatMap((line) => {
    const [about, alone, minority] = /^\| `(.+)` +\| (.+?) +\| (.+?) +\|$/.exec(line)?.slice(1) ?? []
    return about === undefined || alone === undefined || minority === undefined
      ? []
      : [{ about, alone: alone.split(", "), minority: minority.split(", ") }]
  })
