/**
 * Checks the fields of a new error, as its class of `Schema` does. A refused call makes an error, so the check is fast:
 * Effect's parser, which takes ten times as long, runs only to report an invalid field.
 */
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"

/** What a tagged class of `Schema` declares. */
export interface Declared {
  readonly _tag: string
  readonly identifier: string
  readonly fields: Schema.Struct.Fields
}

type Props = Readonly<Record<PropertyKey, unknown>>

/** Returns the fields to keep, and the tag. Throws a `ParseError` if one is invalid. */
export type Check = (props: Props) => Props

const INVALID = Symbol("invalid")

/** Returns the value to keep, or `INVALID`. */
type Keep = (value: unknown) => unknown

const keepIf =
  (isValid: (value: unknown) => boolean): Keep =>
  (value) =>
    isValid(value) ? value : INVALID

const keepOf = (ast: AST.AST): Keep => {
  switch (ast._tag) {
    case "StringKeyword":
      return keepIf(Predicate.isString)
    case "NumberKeyword":
      return keepIf(Predicate.isNumber)
    case "UndefinedKeyword":
      return keepIf(Predicate.isUndefined)
    case "Literal":
      return keepIf((value) => value === ast.literal)
    case "Union": {
      const members = ast.types.map(keepOf)
      return (value) => {
        for (const member of members) {
          const kept = member(value)
          if (kept !== INVALID) return kept
        }
        return INVALID
      }
    }
    default: {
      const validate = ParseResult.validateOption(Schema.make(ast))
      return (value) => Option.getOrElse(validate(value), () => INVALID)
    }
  }
}

/** The check of a class. An optional field that is undefined is left out. */
export const checkOf = ({ _tag: tag, fields, identifier }: Declared): Check => {
  const { _tag, ...given } = fields
  const schema = Schema.typeSchema(Schema.Struct(given)).annotations({ title: `${identifier} (Constructor)` })
  const validate = ParseResult.validateSync(schema)
  const properties = AST.getPropertySignatures(schema.ast).map(({ name, type }) => {
    const keep = keepOf(type)
    return { name, keep, isOptional: keep(undefined) !== INVALID }
  })
  return (props) => {
    const kept: Record<PropertyKey, unknown> = {}
    for (const { isOptional, keep, name } of properties) {
      const value = props[name]
      if (value === undefined && isOptional) continue
      const one = keep(value)
      if (one === INVALID) return { ...validate(props), _tag: tag }
      kept[name] = one
    }
    kept["_tag"] = tag
    return kept
  }
}
