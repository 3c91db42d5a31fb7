/** Compares a caller's result with the truth. */
import * as Either from "effect/Either"
import * as Json from "../../src/solana/Json.js"
import * as Believed from "./Believed.js"
import type { Lie } from "./Lies.js"

export type Verdict =
  /** The outcome is the true one. */
  | "unchanged"
  /** A typed error that claims nothing false. */
  | "detected"
  /** A falsehood that is documented: see `Believed`. */
  | "believedByDesign"
  /** Reported as expired or refused, but it landed. */
  | "falseExpired"
  /** The work of one call was executed twice. */
  | "landedTwice"
  /** Reported as landed, but it did not land. */
  | "falseConfirmed"
  /** The wallet lost more lamports than its owner knew. */
  | "overpaid"
  /** Another falsehood, a defect, or no answer at all. */
  | "undetected"

export type Told =
  | { readonly _tag: "Success"; readonly value: unknown }
  | { readonly _tag: "Failure"; readonly error: { readonly _tag: string } }
  | { readonly _tag: "Died"; readonly cause: string }
  | { readonly _tag: "Hung" }

/** The state of the chain. */
export interface Facts {
  /** Whether the work was done before the call: then a failure denies nothing. */
  readonly wasDone: boolean
  /** The number of executions; undefined for a read. */
  readonly done: number | undefined
  readonly spent: bigint
  readonly cost: bigint
  /** The true result of a read, or the receipt of the landed transaction. */
  readonly truth: unknown
}

const field = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null && name in value ? Reflect.get(value, name) : undefined

/** Whether an error leaves the outcome open. */
const isOpen = (error: { readonly _tag: string }): boolean =>
  field(error, "reason") === "Unconfirmed" ||
  field(error, "mayHaveLanded") === true ||
  // A failed read does not deny a sent transaction.
  (error._tag === "RpcError" && field(error, "method") !== "sendTransaction")

const same = (a: unknown, b: unknown): boolean => Json.stringify(a) === Json.stringify(b)

const isEither = (value: unknown): value is Either.Either<unknown, unknown> => Either.isEither(value)

/** The verdict on several reads: all true, some refused and the others true, or some false. */
const ofReads = (told: unknown, truth: unknown): "unchanged" | "detected" | "false" => {
  if (!Array.isArray(told) || !Array.isArray(truth)) return "false"
  const truths: ReadonlyArray<unknown> = truth
  const verdicts = told.map((one: unknown, index) => {
    const other = truths[index]
    if (!isEither(one) || !isEither(other)) return "false"
    if (Either.isLeft(one)) return Either.isLeft(other) && same(one.left, other.left) ? "unchanged" : "detected"
    return Either.isRight(other) && same(one.right, other.right) ? "unchanged" : "false"
  })
  return (
    verdicts.find((verdict) => verdict === "false") ?? verdicts.find((verdict) => verdict === "detected") ?? "unchanged"
  )
}

export const of = ({
  endpoints,
  facts,
  lie,
  told
}: {
  readonly lie: Lie
  readonly endpoints: number
  readonly told: Told
  readonly facts: Facts
}): Verdict => {
  const { cost, done, spent, truth, wasDone } = facts
  const by = { lie, endpoints }
  if (done !== undefined && done > 1) return "landedTwice"
  if (spent > cost) return "overpaid"
  switch (told._tag) {
    case "Died":
    case "Hung":
      return "undetected"
    case "Failure":
      if (done !== 1 || wasDone || isOpen(told.error)) return "detected"
      return Believed.failure(by) ? "believedByDesign" : "falseExpired"
    case "Success": {
      if (done === undefined) {
        const verdict = ofReads(told.value, truth)
        return verdict !== "false" ? verdict : Believed.read(by) ? "believedByDesign" : "undetected"
      }
      if (done === 0) return Believed.success(by) ? "believedByDesign" : "falseConfirmed"
      const isTrue = ["signature", "slot", "fee"].every((name) => field(told.value, name) === field(truth, name))
      return isTrue ? "unchanged" : Believed.receipt(by) ? "believedByDesign" : "undetected"
    }
  }
}

/** The result as text. */
export const describe = (told: Told): string => {
  switch (told._tag) {
    case "Success":
      return `success ${Json.stringify(told.value)}`
    case "Failure": {
      const { error } = told
      const reason = field(error, "reason")
      const message = field(error, "message")
      return `${error._tag}${typeof reason === "string" ? ` ${reason}` : ""}: ${typeof message === "string" ? message : ""}`
    }
    case "Died":
      return `died: ${told.cause}`
    case "Hung":
      return "no answer"
  }
}
