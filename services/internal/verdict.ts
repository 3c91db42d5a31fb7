/**
 * Classifies refusals of nodes by whether to retry. One table serves calls, the items of arrays, and subscriptions.
 *
 * - `later`: the node cannot answer yet. The same call may succeed soon.
 * - `limit`: the endpoint limits this caller. The caller must wait before the next call.
 * - `never`: the same call fails again.
 *
 * JSON-RPC leaves most codes to the server, and providers report limits under many codes, also with HTTP status 200. So
 * known codes decide first. The message decides if a code has several meanings.
 */

export type Verdict = "later" | "limit" | "never"

/** Agave: the node lags behind its cluster. */
export const NODE_BEHIND = -32005

/** Agave: the node has not reached the minimum context slot. */
export const SLOT_NOT_REACHED = -32016

/**
 * Agave: block not available, node behind, block status not yet available, minimum context slot not reached, epoch
 * rewards still being paid, long-term storage unreachable.
 */
const LATER: ReadonlySet<number> = new Set([-32004, NODE_BEHIND, -32014, SLOT_NOT_REACHED, -32017, -32019])

/** Codes of providers for a rate limit; some use the HTTP status as the code. */
const LIMIT: ReadonlySet<number> = new Set([429, -32429, -32097, -32029])

/**
 * Codes that blame the call, whatever the message: failed preflight, signature, precompile, signature count, transaction
 * version, and JSON-RPC's codes for a malformed call.
 */
const OWN: ReadonlySet<number> = new Set([-32002, -32003, -32006, -32013, -32015, -32600, -32601, -32602, -32700])

/** Agave: the slot was skipped. QuickNode: too many requests a second. */
const SKIPPED_SLOT = -32007

const LIMIT_WORDS =
  /too many requests|rate.?limit|throttl|\b(?:requests?|connections?|subscriptions?|usage|credits?|quota|capacity|rps)\b.{0,60}\b(?:limit|exceed|reach)|\blimit (?:was |has been |is )?(?:reached|exceeded)/i

/** Whether a code blames the call itself, so that it cannot mean a limit. */
export const isOfTheCall = (code: number | undefined): boolean => code !== undefined && OWN.has(code)

/** The verdict of a JSON-RPC error. */
export const ofCode = (code: number, message: string): Verdict => {
  if (OWN.has(code)) return "never"
  if (LIMIT.has(code) || LIMIT_WORDS.test(message)) return "limit"
  if (code === SKIPPED_SLOT) return /slot/i.test(message) ? "never" : "limit"
  return LATER.has(code) ? "later" : "never"
}

/** The verdict of an HTTP status without a JSON-RPC answer. */
export const ofStatus = (status: number): Verdict => {
  if (status === 429) return "limit"
  return status === 408 || status === 425 || status >= 500 ? "later" : "never"
}
