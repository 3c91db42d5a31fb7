/**
 * The lies of one endpoint among several, taken from `test/liar`: heights, slots, lifetimes, blockhashes, fees,
 * balances, refusals, and statuses that are missing or have another slot.
 *
 * Excluded are facts that one endpoint decides by design (docs/trust.md): that a transaction has landed or failed, and
 * the results of account reads. Also excluded are HTTP statuses, which other faults cover, and the genesis hash, whose
 * lie ends the start of the pool.
 */
import * as Arr from "effect/Array"
import * as Answers from "../liar/Answer.js"
import * as Believed from "../liar/Believed.js"
import * as Lies from "../liar/Lies.js"
import type { Answer, Call } from "./Call.js"
import type { Dice } from "./Dice.js"

/**
 * Whether an honest endpoint does not prevent the lie. Statuses in the opposite order tell of other transactions that they
 * have landed.
 */
const isByDesign = (lie: Lies.Lie): boolean => {
  const told = { lie, endpoints: 2 }
  if (Believed.read(told)) return true
  return (
    Believed.success(told) && !/^getSignatureStatuses\.(context\.slot|value|value\.\*)=(?!backwards)/.test(lie.name)
  )
}

const byMethod = Arr.groupBy(
  Lies.all.filter((lie) => !isByDesign(lie) && !lie.name.includes("=HTTP ") && lie.method !== "getGenesisHash"),
  ({ method }) => method
)

/** The lie about this call that the dice select, or the true answer if there is none. */
export const tell = ({ id, method }: Call, truth: Answer, dice: Dice): Answer => {
  const [first, ...others] = byMethod[method] ?? []
  if (first === undefined || truth.error !== undefined) return truth
  const told = dice.pick([first, ...others]).tell(Answers.result(truth.result))
  if (told._tag === "Result") return { jsonrpc: "2.0", id, result: told.result }
  if (told._tag === "Error") {
    return { jsonrpc: "2.0", id, error: { code: told.code, message: told.message, data: told.data } }
  }
  return truth
}
