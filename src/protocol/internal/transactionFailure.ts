/** Parses the transaction error of the runtime, as nodes encode it in JSON. */
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"

export interface TransactionFailure {
  /** The runtime's name of the error; `Custom` for a program's error code. */
  readonly kind: string
  /** The instruction that failed; `undefined` if the transaction failed as a whole. */
  readonly instructionIndex: number | undefined
  /** The program's error code. */
  readonly code: number | undefined
  /** The account that the runtime blames, by its place in the message. */
  readonly accountIndex?: number | undefined
}

/** A non-negative integer, given as a number or a bigint. */
const toIndex = (value: unknown): number | undefined => {
  const number = typeof value === "bigint" ? Number(value) : value
  return Predicate.isNumber(number) && Number.isSafeInteger(number) && number >= 0 ? number : undefined
}

/** A variant of the error: a name, or an object with the name as its only key. */
const variantOf = (value: unknown): readonly [name: string, content: unknown] | undefined => {
  if (Predicate.isString(value)) return [value, undefined]
  if (!Predicate.isRecord(value)) return undefined
  return Object.entries(value)[0]
}

export const parse = (error: unknown): Option.Option<TransactionFailure> => {
  const [kind, content] = variantOf(error) ?? []
  if (kind === undefined) return Option.none()
  if (kind !== "InstructionError") {
    const accountIndex = Predicate.hasProperty(content, "account_index") ? toIndex(content.account_index) : undefined
    return Option.some({ kind, instructionIndex: undefined, code: undefined, accountIndex })
  }
  const [index, inner] = Array.isArray(content) ? content : []
  const instructionIndex = toIndex(index)
  const [innerKind, code] = variantOf(inner) ?? []
  return instructionIndex === undefined || innerKind === undefined
    ? Option.none()
    : Option.some({ kind: innerKind, instructionIndex, code: innerKind === "Custom" ? toIndex(code) : undefined })
}
