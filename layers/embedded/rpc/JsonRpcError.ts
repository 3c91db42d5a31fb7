/** The errors a Solana node answers with, as JSON-RPC error objects. */
import * as Data from "effect/Data"
import { printable } from "../../../src/internal/printable.js"

/** A JSON-RPC error object: the code and message that a Solana node would answer with, and its data. */
export class JsonRpcError extends printable(
  Data.TaggedError("JsonRpcError")<{
    readonly code: number
    readonly message: string
    readonly data?: unknown
  }>
) {}

const error = (code: number, message: string, data?: unknown): JsonRpcError =>
  new JsonRpcError(data === undefined ? { code, message } : { code, message, data })

/** The text is not JSON. */
export const parse = (): JsonRpcError => error(-32700, "Parse error")

/** The JSON is not a request. */
export const request = (message = "Invalid request"): JsonRpcError => error(-32600, message)

/** There is no such method. */
export const method = (): JsonRpcError => error(-32601, "Method not found")

/** The parameters are not what the method takes. */
export const params = (message: string): JsonRpcError => error(-32602, message)

/** The answer of a node that holds as many subscriptions as it will. */
export const subscriptionLimit = (): JsonRpcError =>
  internal("Internal Error: Subscription refused. Node subscription limit reached")

/** The node cannot do it. */
export const internal = (message = "Internal error"): JsonRpcError => error(-32603, message)

/** The block was removed from the bounded history. */
export const blockCleanedUp = (slot: number, first: number): JsonRpcError =>
  error(-32001, `Block ${slot} cleaned up, does not exist on node. First available block: ${first}`)

/** Preflight refused the transaction; `data` is the simulation. */
export const preflight = (description: string, data: unknown): JsonRpcError =>
  error(-32002, `Transaction simulation failed: ${description}`, data)

/** A signature does not fit the message. */
export const signatureVerification = (): JsonRpcError => error(-32003, "Transaction signature verification failure")

/** The block is not there (yet). */
export const blockNotAvailable = (slot: number): JsonRpcError => error(-32004, `Block not available for slot ${slot}`)

/** No block was made in the slot. */
export const slotSkipped = (slot: number): JsonRpcError =>
  error(-32007, `Slot ${slot} was skipped, or missing due to ledger jump to recent snapshot`)

/** The number of signatures is not what the message asks for. */
export const signatureLength = (): JsonRpcError => error(-32013, "Transaction signature length mismatch")

/** The client did not say that it reads such transactions. */
export const unsupportedVersion = (version: number): JsonRpcError =>
  error(
    -32015,
    `Transaction version (${version}) is not supported by the requesting client. Please try the request again with ` +
      `the following configuration parameter: "maxSupportedTransactionVersion": ${version}`
  )

/** The bank asked for is older than `minContextSlot`. */
export const minContextSlot = (contextSlot: number): JsonRpcError =>
  error(-32016, "Minimum context slot has not been reached", { contextSlot })
