/**
 * The lies of one endpoint among others, from the test bed of lies: heights, slots, lifetimes, blockhashes, fees, balances,
 * refusals, and statuses that are absent or of another slot.
 *
 * Left out are what one endpoint decides by design (docs/trust.md): that a transaction has landed or failed, and what a
 * read of accounts gives; HTTP statuses, which other faults play; and the genesis hash, whose lie ends the start of the pool.
 */
import * as Arr from "effect/Array"
import * as Answers from "../liar/Answer.js"
import * as Believed from "../liar/Believed.js"
import * as Lies from "../liar/Lies.js"
import type { Answer, Call } from "./Call.js"
import type { Dice } from "./Dice.js"

/** Whether an honest endpoint beside it does not help. */
const isByDesign = (lie: Lies.Lie): boolean => {
  const told = { lie, endpoints: 2 }
  if (Believed.read(told)) return true
  return Believed.success(told) && !/^getSignatureStatuses\.(context\.slot|value|value\.\*)=/.test(lie.name)
}

const byMethod = Arr.groupBy(
  Lies.all.filter((lie) => !isByDesign(lie) && !lie.name.includes("=HTTP ") && lie.method !== "getGenesisHash"),
  ({ method }) => method
)

/** The lie about this call that the dice pick, or the answer itself where the test bed has none. */
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
