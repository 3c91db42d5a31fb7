/**
 * The error that the runtime reports of a transaction, as nodes write it in JSON.
 */
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"

export interface TransactionFailure {
  /** The runtime's name of the error; `Custom` for an error code of a program. */
  readonly kind: string
  /** The instruction that failed; `undefined` if the transaction failed as a whole. */
  readonly instructionIndex: number | undefined
  /** The program's error code. */
  readonly code: number | undefined
}

/** A non-negative integer, however the JSON parser gives it. */
const toIndex = (value: unknown): number | undefined => {
  const number = typeof value === "bigint" ? Number(value) : value
  return Predicate.isNumber(number) && Number.isSafeInteger(number) && number >= 0 ? number : undefined
}

/** A variant: its name alone, or an object whose one key is the name. */
const variantOf = (value: unknown): readonly [name: string, content: unknown] | undefined => {
  if (Predicate.isString(value)) return [value, undefined]
  if (!Predicate.isRecord(value)) return undefined
  return Object.entries(value)[0]
}

export const parse = (error: unknown): Option.Option<TransactionFailure> => {
  const [kind, content] = variantOf(error) ?? []
  if (kind === undefined) return Option.none()
  if (kind !== "InstructionError") return Option.some({ kind, instructionIndex: undefined, code: undefined })
  const [index, inner] = Array.isArray(content) ? content : []
  const instructionIndex = toIndex(index)
  const [innerKind, code] = variantOf(inner) ?? []
  return instructionIndex === undefined || innerKind === undefined
    ? Option.none()
    : Option.some({ kind: innerKind, instructionIndex, code: innerKind === "Custom" ? toIndex(code) : undefined })
}
