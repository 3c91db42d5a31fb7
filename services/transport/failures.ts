/**
 * Combines the failures of several attempts at one call into one error.
 */
import * as Duration from "effect/Duration"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { printable } from "../../src/internal/printable.js"
import { RpcError } from "../RpcTransport.js"
import * as Method from "./Method.js"

/** The cause of a combined error: the errors of all attempts. */
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

/** Whether the call may have been executed although it failed. */
const isUnknown = ({ reason }: RpcError): boolean =>
  reason !== "Node" && reason !== "RateLimited" && reason !== "PoolClosed"

/** A key of a node's refusal: its code and, for a failed preflight, the name of the transaction error. */
const refusalOf = ({ code, data, reason }: RpcError): string | undefined => {
  if (reason !== "Node") return undefined
  const err = Predicate.hasProperty(data, "err") ? data.err : undefined
  return typeof err === "string" ? `${code} ${err}` : String(code)
}

/** Whether all errors are the same refusal. */
const agree = ([first, ...others]: readonly [RpcError, ...ReadonlyArray<RpcError>]): boolean => {
  const refusal = refusalOf(first)
  return refusal !== undefined && others.every((other) => refusalOf(other) === refusal)
}

/**
 * The most useful of several failures: the one that can be retried soonest, else one whose call may have been executed,
 * else the first. The cause contains all of them, unless all are the same refusal.
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
 * The failure of a call that was refused after other attempts had failed: by a node, by a limit, or by a closed pool. An
 * earlier attempt may have arrived, and a node then refuses the later one as a duplicate. So an unknown outcome of an earlier
 * attempt wins over the refusal of a write.
 */
export const refusedAfter = (
  methods: ReadonlyArray<string>,
  failed: ReadonlyArray<RpcError>,
  refusal: RpcError
): RpcError => {
  const unknown = failed.find(isUnknown)
  return unknown === undefined || isUnknown(refusal) || methods.every(Method.isRead)
    ? refusal
    : summarize([unknown, ...failed.filter((error) => error !== unknown), refusal])
}
