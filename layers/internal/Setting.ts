/**
 * Reads settings from the environment. An empty setting, such as the line `NAME=` of an env file, counts as absent.
 * Errors state the expected form and never the value, which may be a secret.
 */
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Either from "effect/Either"
import * as Option from "effect/Option"

export interface Setting<A> {
  readonly name: string
  /** The expected form, as the end of a sentence that begins with "Expected". */
  readonly expected: string
  /** Parses the trimmed text. Left: the fault, if `expected` does not state it. */
  readonly parse: (text: string) => Either.Either<A, string | undefined>
}

/** The value, or `None` if the setting is absent. */
export const optional = <A>({ expected, name, parse }: Setting<A>): Config.Config<Option.Option<A>> =>
  Config.option(Config.string(name)).pipe(
    Config.mapOrFail((found) => {
      const text = Option.getOrElse(found, () => "").trim()
      return text === ""
        ? Either.right(Option.none())
        : Either.mapBoth(parse(text), {
            onLeft: (wrong) =>
              ConfigError.InvalidData([name], `Expected ${expected}${wrong === undefined ? "" : `, but ${wrong}`}`),
            onRight: Option.some
          })
    }),
    Config.withDescription(expected)
  )

export const withDefault = <A>(setting: Setting<A>, value: A): Config.Config<A> =>
  Config.map(
    optional(setting),
    Option.getOrElse(() => value)
  )

export const required = <A>(setting: Setting<A>): Config.Config<A> =>
  Config.mapOrFail(
    optional(setting),
    Either.fromOption(() => ConfigError.MissingData([setting.name], `Expected ${setting.expected}: it is not set`))
  )

/** A parser that accepts the given words. */
export const oneOf =
  <A>(words: Readonly<Record<string, A>>) =>
  (text: string): Either.Either<A, undefined> =>
    Either.fromNullable(Object.hasOwn(words, text) ? words[text] : undefined, () => undefined)
