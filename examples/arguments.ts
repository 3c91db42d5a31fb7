/** Parses the arguments of a command line. A bad argument fails with `InvalidInput`, which names the option. */
import { parseArgs, type ParseArgsConfig } from "node:util"
import { InvalidInput } from "@pod-protocol/effect/InvalidInput"
import * as Effect from "effect/Effect"

type Options = NonNullable<ParseArgsConfig["options"]>

/** The values of the options. Unknown options and positional arguments are refused. */
export const parse = <const O extends Options>(
  options: O,
  args: ReadonlyArray<string> = process.argv.slice(2)
): Effect.Effect<ReturnType<typeof parseArgs<{ args: Array<string>; options: O }>>["values"], InvalidInput> =>
  Effect.try({
    try: () => parseArgs({ args: [...args], options }).values,
    catch: (cause) =>
      new InvalidInput({ field: "arguments", rule: cause instanceof Error ? cause.message : String(cause) })
  })

const MOST = 999_999_999_999_999

/** A whole number from `least` to `most`. */
export const wholeNumber = (
  field: string,
  text: string,
  least = 0,
  most = MOST
): Effect.Effect<number, InvalidInput> => {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  if (value >= least && value <= most) return Effect.succeed(value)
  const range = most === MOST ? (least === 0 ? "" : ` from ${least}`) : ` from ${least} to ${most}`
  return Effect.fail(new InvalidInput({ field, rule: `must be a whole number${range}` }))
}
