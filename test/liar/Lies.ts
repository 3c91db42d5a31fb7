/**
 * All lies: a table of methods and fields with the false values of each field, the refusals for any method, and some
 * invented answers.
 */
import * as Arr from "effect/Array"
import type { Answer } from "./Answer.js"
import * as Answers from "./Answer.js"
import * as Values from "./Values.js"

/** A pure function of a node's true answer to one method. It returns the answer itself if the lie does not apply. */
export interface Lie {
  /** `method.field=value` */
  readonly name: string
  /** The subject: `method.field`, or the refusal of the method. */
  readonly about: string
  /** A method of JSON-RPC, or of a notification. */
  readonly method: string
  readonly tell: (truth: Answer) => Answer
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Replaces the value at the path; `*` is every item of a list. Returns the same object if the path does not exist. */
const edit = (value: unknown, [key, ...rest]: ReadonlyArray<string>, f: Values.Value): unknown => {
  if (key === undefined) return f(value)
  if (key === "*") {
    if (!Array.isArray(value)) return value
    const items: ReadonlyArray<unknown> = value
    const edited = items.map((item) => edit(item, rest, f))
    return edited.every((item, index) => item === items[index]) ? value : edited
  }
  if (Array.isArray(value)) {
    const items: ReadonlyArray<unknown> = value
    return Number(key) < items.length
      ? items.map((item, index) => (String(index) === key ? edit(item, rest, f) : item))
      : value
  }
  if (!isRecord(value) || !(key in value)) return value
  const edited = edit(value[key], rest, f)
  return edited === value[key] ? value : { ...value, [key]: edited }
}

const lie = (method: string, field: string, value: string, f: Values.Value): Lie => {
  const path = field === "" ? [] : field.split(".")
  const about = `${method}${field === "" ? "" : `.${field}`}`
  return {
    name: `${about}=${value}`,
    about,
    method,
    tell: (truth) => {
      if (truth._tag !== "Result") return truth
      const told = edit(truth.result, path, f)
      return told === truth.result ? truth : Answers.result(told)
    }
  }
}

type Fields = Readonly<Record<string, Values.Values>>

const contextual = (fields: Fields): Fields => ({ "context.slot": Values.integer, ...fields })

const account = (at: string): Fields => ({
  [`${at}.data`]: Values.maybe,
  [`${at}.data.0`]: Values.bytes,
  [`${at}.lamports`]: Values.lamports,
  [`${at}.owner`]: Values.address,
  [`${at}.executable`]: Values.flag,
  [`${at}.space`]: Values.integer
})

const status = (at: string): Fields => ({
  [`${at}.slot`]: Values.integer,
  [`${at}.confirmations`]: Values.integer,
  [`${at}.err`]: Values.failure,
  [`${at}.confirmationStatus`]: Values.commitment
})

/** The fields of each method's result; the empty path is the result itself. */
const FIELDS: Readonly<Record<string, Fields>> = {
  getGenesisHash: { "": Values.blockhash },
  getSlot: { "": Values.integer },
  getBlockHeight: { "": Values.integer },
  getEpochInfo: { "": Values.maybe, absoluteSlot: Values.integer, blockHeight: Values.integer },
  getFirstAvailableBlock: { "": Values.integer },
  getLatestBlockhash: contextual({
    value: Values.maybe,
    "value.blockhash": Values.blockhash,
    "value.lastValidBlockHeight": Values.integer
  }),
  isBlockhashValid: contextual({ value: Values.flag }),
  getMinimumBalanceForRentExemption: { "": Values.lamports },
  getBalance: contextual({ value: Values.lamports }),
  getAccountInfo: contextual({ value: Values.maybe, ...account("value") }),
  getMultipleAccounts: contextual({ value: Values.list, "value.*": Values.maybe, ...account("value.*") }),
  getProgramAccounts: contextual({
    value: Values.list,
    "value.*": Values.maybe,
    "value.*.pubkey": Values.address,
    ...account("value.*.account")
  }),
  getSignatureStatuses: contextual({ value: Values.list, "value.*": Values.maybe, ...status("value.*") }),
  getTransaction: {
    "": Values.maybe,
    slot: Values.integer,
    blockTime: Values.integer,
    "meta.fee": Values.lamports,
    "meta.err": Values.failure,
    "meta.logMessages": Values.list
  },
  getSignaturesForAddress: {
    "": Values.list,
    "*.signature": Values.signature,
    "*.slot": Values.integer,
    "*.err": Values.failure
  },
  getRecentPrioritizationFees: { "": Values.list, "*.prioritizationFee": Values.lamports },
  simulateTransaction: contextual({ "value.err": Values.failure, "value.unitsConsumed": Values.integer }),
  sendTransaction: { "": Values.signature },
  programNotification: contextual({ "value.pubkey": Values.address, ...account("value.account") }),
  signatureNotification: contextual({ value: Values.maybe, "value.err": Values.failure })
}

const fields: ReadonlyArray<Lie> = Object.entries(FIELDS).flatMap(([method, fields]) =>
  Object.entries(fields).flatMap(([field, values]) =>
    Object.entries(values).map(([value, f]) => lie(method, field, value, f))
  )
)

const refusal = (method: string, code: number, message: string, data?: unknown): Lie => ({
  name: `${method}=${code}${message === "" ? "" : ` ${message}`}`,
  about: `${method}, refused`,
  method,
  tell: () => ({ _tag: "Error", code, message, ...(data === undefined ? {} : { data }) })
})

const preflight = (name: string, err: unknown): Lie =>
  refusal("sendTransaction", -32002, name, { err, logs: [], accounts: null, unitsConsumed: 0, returnData: null })

/** Agave's error codes and those of JSON-RPC. */
const CODES = [
  -32001, -32002, -32003, -32004, -32005, -32006, -32007, -32008, -32009, -32010, -32011, -32012, -32013, -32014,
  -32015, -32016, -32429, -32600, -32601, -32602, -32603, -32700, 0, 429
]

const STATUSES = [
  301, 307, 400, 401, 403, 404, 405, 408, 409, 410, 413, 415, 422, 425, 429, 451, 499, 500, 502, 503, 504
]

/** For a read, one refusal of each kind. */
const READ_CODES = [-32005, -32016, -32602, -32603]
const READ_STATUSES = [403, 429, 503]

const refusals: ReadonlyArray<Lie> = [
  ...CODES.map((code) => refusal("sendTransaction", code, "")),
  preflight("BlockhashNotFound", "BlockhashNotFound"),
  preflight("AlreadyProcessed", "AlreadyProcessed"),
  preflight("AccountNotFound", "AccountNotFound"),
  preflight("InsufficientFundsForFee", "InsufficientFundsForFee"),
  preflight("Custom", { InstructionError: [0, { Custom: 6000 }] }),
  preflight("ComputationalBudgetExceeded", { InstructionError: [0, "ComputationalBudgetExceeded"] }),
  preflight("Martian", { Martian: [] }),
  ...Object.keys(FIELDS)
    .filter((method) => method.startsWith("get") || method.startsWith("is") || method.startsWith("simulate"))
    .flatMap((method) => READ_CODES.map((code) => refusal(method, code, "")))
]

const pages: ReadonlyArray<Lie> = Object.keys(FIELDS)
  .filter((method) => !method.endsWith("Notification"))
  .flatMap((method) =>
    (method === "sendTransaction" ? STATUSES : READ_STATUSES).map((status) => ({
      name: `${method}=HTTP ${status}`,
      about: `${method}, refused`,
      method,
      tell: (): Answer => ({ _tag: "Status", status })
    }))
  )

/** A status for each transaction that the node does not know. */
const madeUp = (name: string, made: (slot: unknown) => unknown): Lie =>
  lie("getSignatureStatuses", "", name, (truth) => {
    if (!isRecord(truth) || !Array.isArray(truth["value"]) || !isRecord(truth["context"])) return truth
    const { slot } = truth["context"]
    const value: ReadonlyArray<unknown> = truth["value"]
    return value.includes(null) ? { ...truth, value: value.map((status) => status ?? made(slot)) } : truth
  })

const landed = (slot: unknown, confirmationStatus: string, err: unknown = null) => ({
  slot,
  confirmations: confirmationStatus === "finalized" ? null : 1,
  err,
  status: err === null ? { Ok: null } : { Err: err },
  confirmationStatus
})

const madeUps: ReadonlyArray<Lie> = [
  madeUp("present as processed", (slot) => landed(slot, "processed")),
  madeUp("present as confirmed", (slot) => landed(slot, "confirmed")),
  madeUp("present as finalized", (slot) => landed(slot, "finalized")),
  madeUp("present and failed", (slot) => landed(slot, "finalized", { InstructionError: [0, { Custom: 6000 }] })),
  ...["programNotification", "signatureNotification"].map((method): Lie => ({
    name: `${method}=none`,
    about: method,
    method,
    tell: () => ({ _tag: "Silence" })
  }))
]

/** All lies, by name. */
export const all: ReadonlyArray<Lie> = [...fields, ...refusals, ...pages, ...madeUps]

/** The lies whose names begin with one of these. */
export const named = (wanted: ReadonlyArray<string>): ReadonlyArray<Lie> =>
  all.filter(({ name }) => wanted.some((start) => name.startsWith(start)))

/** All subjects of lies. */
export const subjects: ReadonlyArray<string> = Arr.dedupe(all.map(({ about }) => about))
