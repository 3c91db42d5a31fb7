/**
 * Advice on a failed call or subscription: the second half of its error's message.
 *
 * A detail of this package that contains advice has it behind a colon or a semicolon, and gets no other advice. A
 * detail in a node's words always gets advice.
 */
import * as Duration from "effect/Duration"
import * as Verdict from "./verdict.js"

const OTHER_ENDPOINT = "use another endpoint"
const MORE_TIME = `allow more time, or ${OTHER_ENDPOINT}`
const LATER = `try again later, or ${OTHER_ENDPOINT}`

const PREFLIGHT = -32002

const saysIt = (detail: string): boolean => /[:;] /.test(detail)

const ofStatus = (status: number | undefined): string => {
  if (status === undefined || Verdict.ofStatus(status) !== "never") return LATER
  if (status === 401 || status === 402 || status === 403 || status === 407) {
    return "check the key in the URL or in headers, and the provider's plan"
  }
  return status === 413 ? "ask for less in one call" : `check the URL, or ${OTHER_ENDPOINT}`
}

const ofCode = (code: number | undefined, detail: string): string => {
  if (code === PREFLIGHT) return "see its data for the failed instruction, and change the transaction"
  return code !== undefined && Verdict.ofCode(code, detail) === "never"
    ? `check the call's parameters, or ${OTHER_ENDPOINT}`
    : LATER
}

/** The fields of an error that decide the advice. */
interface Failure<Reason> {
  readonly reason: Reason
  readonly detail: string
  readonly code?: number | undefined
  readonly status?: number | undefined
  readonly retryAfter?: Duration.Duration | undefined
}

type CallReason = "Transport" | "Timeout" | "RateLimited" | "HttpStatus" | "Decode" | "Node" | "PoolClosed"

const ofCall = ({ code, detail, reason, retryAfter, status }: Failure<CallReason>): string | undefined => {
  switch (reason) {
    case "Transport":
      return saysIt(detail) ? undefined : `check the network, or ${OTHER_ENDPOINT}`
    case "Timeout":
      return saysIt(detail) ? undefined : MORE_TIME
    case "Decode":
      return saysIt(detail) ? undefined : OTHER_ENDPOINT
    case "RateLimited":
      return retryAfter === undefined
        ? `call less often, or ${OTHER_ENDPOINT}`
        : `wait ${Math.ceil(Duration.toMillis(retryAfter))} ms, or ${OTHER_ENDPOINT}`
    case "HttpStatus":
      return ofStatus(status)
    case "Node":
      return ofCode(code, detail)
    case "PoolClosed":
      return undefined
  }
}

type SubscriptionReason = "Connect" | "Timeout" | "Closed" | "Refused" | "Decode" | "Overflow" | "PoolClosed"

const ofSubscription = ({ code, detail, reason }: Failure<SubscriptionReason>): string | undefined => {
  switch (reason) {
    case "Connect":
      return saysIt(detail) ? undefined : `check wsUrl and the network, or ${OTHER_ENDPOINT}`
    case "Timeout":
      return MORE_TIME
    case "Closed":
      return saysIt(detail) ? undefined : "subscribe again"
    case "Refused":
      return code === undefined && saysIt(detail) ? undefined : ofCode(code, detail)
    case "Decode":
      return saysIt(detail) ? undefined : OTHER_ENDPOINT
    case "Overflow":
      return "read faster, or raise its buffer"
    case "PoolClosed":
      return undefined
  }
}

/** The fields of an error that its message shows. */
interface Shown<Reason> extends Failure<Reason> {
  readonly method: string
  readonly host?: string | undefined
}

const sentence = <Reason>({ code, detail, host, method }: Shown<Reason>, advice: string | undefined): string => {
  const where = host === undefined ? method : `${method} at ${host}`
  return `${where}: ${detail}${code === undefined ? "" : ` (code ${code})`}${advice === undefined ? "" : `; ${advice}`}`
}

/** The message of a failed call. */
export const call = (error: Shown<CallReason>): string => sentence(error, ofCall(error))

/** The message of a subscription that ended. */
export const subscription = (error: Shown<SubscriptionReason>): string => sentence(error, ofSubscription(error))
