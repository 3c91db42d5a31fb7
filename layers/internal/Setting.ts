/**
 * Settings of the environment. One that is empty, as a line `NAME=` of an env file leaves it, is not set. Errors say what
 * was expected and never what was found, which may be a secret.
 */
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Either from "effect/Either"
import * as Option from "effect/Option"

export interface Setting<A> {
  readonly name: string
  /** What is expected, to follow "Expected". */
  readonly expected: string
  /** The value of the trimmed text, or what is wrong with it where `expected` does not say so. */
  readonly parse: (text: string) => Either.Either<A, string | undefined>
}

/** The value, or none where it is not set. */
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

/** The parser of one of some words. */
export const oneOf =
  <A>(words: Readonly<Record<string, A>>) =>
  (text: string): Either.Either<A, undefined> =>
    Either.fromNullable(Object.hasOwn(words, text) ? words[text] : undefined, () => undefined)
