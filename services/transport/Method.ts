/** What a JSON-RPC method does to the cluster, by its name: it decides what may be repeated and who is asked. */
import type { RpcError } from "../RpcTransport.js"

/**
 * A method that only reads: Solana's own (`get…`, `is…`, `simulateTransaction`, `minimumLedgerSlot`) and providers'
 * additions of the same form (`getAsset`, `getPriorityFeeEstimate`…). Equal reads may be shared and repeated.
 */
export const isRead = (method: string): boolean => /^(get|is|simulate)[A-Z]|^minimumLedgerSlot$/.test(method)

/**
 * Whether executing a call twice is the same as once. A transaction's bytes are: they carry the signature by which the
 * cluster executes them once. An airdrop is not, and of methods that are not known it cannot be said.
 */
export const isRepeatable = (method: string): boolean => method === "sendTransaction" || isRead(method)

/**
 * Whether a call that failed so may be made again, with the same endpoint or another: it failed for a reason that
 * passes, and it was either refused before it was executed or is the same executed twice.
 */
export const mayRepeat = (method: string, error: RpcError): boolean =>
  error.isRetryable && (error.reason === "RateLimited" || error.reason === "Node" || isRepeatable(method))
