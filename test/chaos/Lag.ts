import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Answer, Call } from "./Call.js"

/**
 * A node that is 32 slots behind: its newest slot is the finalized slot of the cluster. It refuses reads that require a
 * newer slot (`minContextSlot`), and has no newer blockhashes and transactions.
 */
const SLOTS = 32

const isRecord = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const COMMITMENTS = ["commitment", "preflightCommitment"]

/** The call in the view of the lagging node. Calls without a commitment mean `finalized` anyway. */
export const ask = (call: Call): Call => ({
  ...call,
  params: call.params.map((param) =>
    isRecord(param)
      ? {
          ...param,
          ...Object.fromEntries(COMMITMENTS.filter((name) => name in param).map((name) => [name, "finalized"]))
        }
      : param
  )
})

const Status = Schema.Struct({
  slot: Schema.Number,
  err: Schema.Unknown,
  status: Schema.Unknown,
  confirmations: Schema.NullOr(Schema.Number),
  confirmationStatus: Schema.Literal("processed", "confirmed", "finalized")
})

const Statuses = Schema.Struct({
  context: Schema.Struct({ slot: Schema.Number }),
  value: Schema.Array(Schema.NullOr(Status))
})

const decodeStatuses = Schema.decodeUnknownOption(Statuses)

const statusesAt = (now: number, { value }: typeof Statuses.Type) => ({
  context: { slot: now },
  value: value.map((status) => {
    if (status === null || status.slot > now) return null
    if (status.slot <= now - SLOTS) return status
    const confirmationStatus = status.slot === now ? "processed" : "confirmed"
    return { ...status, confirmations: now - status.slot, confirmationStatus }
  })
})

/** The answer of the lagging node. Statuses need this, because no commitment selects them. */
export const tell = (call: Call, answer: Answer): Answer =>
  call.method !== "getSignatureStatuses"
    ? answer
    : Option.match(decodeStatuses(answer.result), {
        onNone: () => answer,
        onSome: (statuses) => ({ ...answer, result: statusesAt(Math.max(0, statuses.context.slot - SLOTS), statuses) })
      })
