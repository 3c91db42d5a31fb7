/** Classifies JSON-RPC methods by their names: which ones read only, and which ones are safe to repeat. */
import type { RpcError } from "../RpcTransport.js"

/**
 * Whether a method only reads: Solana's reads (`get…`, `is…`, `simulateTransaction`, `minimumLedgerSlot`) and additions of
 * providers in the same form (`getAsset`, `getPriorityFeeEstimate`). Equal reads may be shared and repeated.
 */
export const isRead = (method: string): boolean => /^(get|is|simulate)[A-Z]|^minimumLedgerSlot$/.test(method)

/**
 * Whether two executions of a call have the effect of one. This holds for a transaction, because the cluster executes a
 * signature once. It does not hold for an airdrop, and it is unknown for other methods.
 */
export const isRepeatable = (method: string): boolean => method === "sendTransaction" || isRead(method)

/**
 * Whether a failed call may be made again, at the same endpoint or another. The error must be retryable. Besides, the call
 * must have been refused before its execution, or be safe to repeat.
 */
export const mayRepeat = (method: string, error: RpcError): boolean =>
  error.isRetryable && (error.reason === "RateLimited" || error.reason === "Node" || isRepeatable(method))
