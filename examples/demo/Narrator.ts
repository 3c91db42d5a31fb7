/** Prints the story: in colour, as plain text, or not at all. */
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** Prints the story. */
export class Narrator extends Context.Tag("demo/Narrator")<
  Narrator,
  {
    /** Begins a chapter. */
    readonly chapter: (title: string) => Effect.Effect<void>
    /** Prints an action of an actor. */
    readonly told: (who: string, what: string) => Effect.Effect<void>
    /** Prints an event of the program. */
    readonly heard: (who: string, what: string) => Effect.Effect<void>
    /** Prints an expected refusal. */
    readonly refused: (who: string, what: string) => Effect.Effect<void>
  }
>() {}

interface Style {
  readonly bold: (text: string) => string
  readonly green: (text: string) => string
  readonly red: (text: string) => string
  readonly dim: (text: string) => string
}

const sgr = (code: number) => (text: string) => `\u001B[${code}m${text}\u001B[0m`
const colour: Style = { bold: sgr(1), green: sgr(32), red: sgr(31), dim: sgr(2) }
const same = (text: string): string => text
const plain: Style = { bold: same, green: same, red: same, dim: same }

/** Formats a line, with or without an actor's name. */
const line = (sign: string, who: string, what: string): string =>
  who === "" ? `  ${sign} ${what}` : `  ${sign} ${who.padEnd(5)} ${what}`

const make = (style: Style): Narrator["Type"] => ({
  chapter: (title) => Console.log(`\n${style.bold(title)}`),
  told: (who, what) => Console.log(line(style.green("✓"), who, what)),
  heard: (who, what) => Console.log(style.dim(line("┊", who, what))),
  refused: (who, what) => Console.log(line(style.red("✗"), who, what))
})

/** For a terminal. */
export const layerColour = Layer.succeed(Narrator, make(colour))

/** For a pipe or a file. */
export const layerPlain = Layer.succeed(Narrator, make(plain))

/** Prints nothing, for `--json`. */
export const layerSilent = Layer.succeed(Narrator, {
  chapter: () => Effect.void,
  told: () => Effect.void,
  heard: () => Effect.void,
  refused: () => Effect.void
})
