/**
 * Checks the fields of a new error, as its class of `Schema` does. A refused call makes an error, so the check is fast:
 * Effect's parser, which takes ten times as long, runs only if a field is invalid or changes.
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

/** Whether the value of a field is valid and is kept as it is. */
const isKept = (ast: AST.AST): Predicate.Predicate<unknown> => {
  switch (ast._tag) {
    case "StringKeyword":
      return Predicate.isString
    case "NumberKeyword":
      return Predicate.isNumber
    case "UndefinedKeyword":
      return Predicate.isUndefined
    case "Literal":
      return (value) => value === ast.literal
    case "Union": {
      const members = ast.types.map(isKept)
      return (value) => members.some((isMember) => isMember(value))
    }
    default: {
      const validate = ParseResult.validateOption(Schema.make(ast))
      return (value) => {
        const valid = validate(value)
        return Option.isSome(valid) && valid.value === value
      }
    }
  }
}

/** The check of a class. An optional field that is undefined is left out. */
export const checkOf = ({ _tag: tag, fields, identifier }: Declared): Check => {
  const { _tag, ...given } = fields
  const schema = Schema.typeSchema(Schema.Struct(given)).annotations({ title: `${identifier} (Constructor)` })
  const validate = ParseResult.validateSync(schema)
  const properties = AST.getPropertySignatures(schema.ast).map(({ name, type }) => {
    const isValid = isKept(type)
    return { name, isValid, isOptional: isValid(undefined) }
  })
  return (props) => {
    const given: Record<PropertyKey, unknown> = {}
    let isWhole = true
    for (const { isOptional, isValid, name } of properties) {
      const value = props[name]
      if (value !== undefined) given[name] = value
      isWhole &&= value === undefined ? isOptional : isValid(value)
    }
    const kept: Record<PropertyKey, unknown> = isWhole ? given : { ...validate(given) }
    kept["_tag"] = tag
    return kept
  }
}
