/**
 * Many failures of one call as one.
 */
import * as Duration from "effect/Duration"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { printable } from "../../src/internal/printable.js"
import { RpcError } from "../RpcTransport.js"
import * as Method from "./Method.js"

/** The failure of every attempt at a call. */
export class AttemptsFailed extends printable(
  Schema.TaggedError<AttemptsFailed>("@pod-protocol/effect/AttemptsFailed")("AttemptsFailed", {
    errors: Schema.Array(RpcError)
  })
) {
  override get message(): string {
    return this.errors.map((error) => error.message).join("; ")
  }
}

const wait = (error: RpcError): number => (error.retryAfter === undefined ? 0 : Duration.toMillis(error.retryAfter))

/** A failure after which the call may have been executed. */
const isUnknown = ({ reason }: RpcError): boolean =>
  reason !== "Node" && reason !== "RateLimited" && reason !== "PoolClosed"

/** What a node's refusal says: its code and, of a preflight, by which name the transaction failed, if it is one. */
const refusalOf = ({ code, data, reason }: RpcError): string | undefined => {
  if (reason !== "Node") return undefined
  const err = Predicate.hasProperty(data, "err") ? data.err : undefined
  return typeof err === "string" ? `${code} ${err}` : String(code)
}

/** Whether all said the same, so that one may speak for them. */
const agree = ([first, ...others]: readonly [RpcError, ...ReadonlyArray<RpcError>]): boolean => {
  const refusal = refusalOf(first)
  return refusal !== undefined && others.every((other) => refusalOf(other) === refusal)
}

/**
 * The failure that says most of what to do: the one that can be retried soonest, else one that leaves open what became of
 * the call, else the first. All are kept in its cause, unless every node answered the same.
 */
export const summarize = (errors: readonly [RpcError, ...ReadonlyArray<RpcError>]): RpcError => {
  if (agree(errors) || errors.length === 1) return errors[0]
  const soonest = errors
    .filter((error) => error.isRetryable)
    .reduce<RpcError | undefined>((a, b) => (a !== undefined && wait(a) <= wait(b) ? a : b), undefined)
  const { reason, method, detail, host, code, status, data, retryAfter } =
    soonest ?? errors.find(isUnknown) ?? errors[0]
  return new RpcError({
    reason,
    method,
    host,
    code,
    status,
    data,
    retryAfter,
    detail: `${detail} (${errors.length} attempts failed)`,
    cause: new AttemptsFailed({ errors })
  })
}

/**
 * What a node's refusal means after other attempts have failed. A transaction of which an earlier attempt may have arrived
 * is not refused because a later one is: that one may be refused as a duplicate. Then the failure stays the unknown one.
 */
export const refusedAfter = (method: string, failed: ReadonlyArray<RpcError>, refusal: RpcError): RpcError => {
  const unknown = failed.find(isUnknown)
  return unknown === undefined || refusal.reason !== "Node" || Method.isRead(method)
    ? refusal
    : summarize([unknown, ...failed.filter((error) => error !== unknown), refusal])
}
