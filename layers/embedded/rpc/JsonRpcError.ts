/** The errors a Solana node answers with, as JSON-RPC error objects. */
import * as Schema from "effect/Schema"
import * as Outside from "../../../src/internal/Outside.js"
import { printable } from "../../../src/internal/printable.js"
import * as SafeText from "../../../src/SafeText.js"

const MAX_MESSAGE = 4096

/**
 * A JSON-RPC error object: a Solana node's code and message, and its data.
 *
 * @since 0.1.0
 * @category errors
 */
export class JsonRpcError extends printable(
  Schema.TaggedError<JsonRpcError>("@pod-protocol/effect/JsonRpcError")("JsonRpcError", {
    code: Schema.Number,
    /** May contain text of the caller. */
    message: SafeText.Schema(MAX_MESSAGE),
    data: Schema.optional(Outside.Value)
  })
) {}

const error = (code: number, message: string, data?: unknown): JsonRpcError =>
  new JsonRpcError(data === undefined ? { code, message } : { code, message, data })

/** The text is not JSON. */
export const parse = (): JsonRpcError => error(-32700, "Parse error")

/** The JSON is not a request. */
export const request = (message = "Invalid request"): JsonRpcError => error(-32600, message)

/** The method does not exist. */
export const method = (): JsonRpcError => error(-32601, "Method not found")

/** The parameters do not match the method. */
export const params = (message: string): JsonRpcError => error(-32602, message)

/** The node has reached its limit of subscriptions. */
export const subscriptionLimit = (): JsonRpcError =>
  internal("Internal Error: Subscription refused. Node subscription limit reached")

/** The node failed. */
export const internal = (message = "Internal error"): JsonRpcError => error(-32603, message)

/** The block was removed from the bounded history. */
export const blockCleanedUp = (slot: number | bigint, first: number): JsonRpcError =>
  error(-32001, `Block ${slot} cleaned up, does not exist on node. First available block: ${first}`)

/** Preflight refused the transaction; `data` is the simulation. */
export const preflight = (description: string, data: unknown): JsonRpcError =>
  error(-32002, `Transaction simulation failed: ${description}`, data)

/** The block does not exist (yet). */
export const blockNotAvailable = (slot: number | bigint): JsonRpcError =>
  error(-32004, `Block not available for slot ${slot}`)

/** The node has no snapshot. */
export const noSnapshot = (): JsonRpcError => error(-32008, "No snapshot")

/** No block was made in the slot. */
export const slotSkipped = (slot: number | bigint): JsonRpcError =>
  error(-32007, `Slot ${slot} was skipped, or missing due to ledger jump to recent snapshot`)

/** The data of the accounts exceeds the limit of a reply. */
export const tooMuchData = (): JsonRpcError =>
  error(-32012, "scan aborted: The accumulated scan results exceeded the limit")

/** The number of signatures differs from the number that the message requires. */
export const signatureLength = (): JsonRpcError => error(-32013, "Transaction signature length mismatch")

/** The client did not declare support for this transaction version. */
export const unsupportedVersion = (version: number): JsonRpcError =>
  error(
    -32015,
    `Transaction version (${version}) is not supported by the requesting client. Please try the request again with ` +
      `the following configuration parameter: "maxSupportedTransactionVersion": ${version}`
  )

/** The requested bank is older than `minContextSlot`. */
export const minContextSlot = (contextSlot: number): JsonRpcError =>
  error(-32016, "Minimum context slot has not been reached", { contextSlot })
