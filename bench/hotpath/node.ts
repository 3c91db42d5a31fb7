/**
 * A node that does no work: it returns blockhashes, accepts every transaction and reports every signature as confirmed. It
 * runs in process as a transport, or in another process as an HTTP server.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { RpcTransport } from "../../services/RpcTransport.js"
import * as Base58 from "../../src/solana/Base58.js"
import * as Blockhashes from "../../src/solana/Blockhash.js"

const HEIGHT = 1000

const STATUS = { slot: 1, confirmations: null, err: null, confirmationStatus: "finalized" }

const SIGNATURE = Base58.encode(new Uint8Array(64).fill(5))

let blockhashes = 0

const answers: { readonly [method: string]: (params: ReadonlyArray<unknown>) => unknown } = {
  getLatestBlockhash: () => {
    const bytes = new Uint8Array(32).fill(9)
    new DataView(bytes.buffer).setUint32(0, blockhashes++)
    const value = { blockhash: Blockhashes.fromBytes(bytes), lastValidBlockHeight: HEIGHT }
    return { context: { slot: 1 }, value }
  },
  getSignatureStatuses: ([signatures]) => ({
    context: { slot: 1 },
    value: Array.isArray(signatures) ? signatures.map(() => STATUS) : []
  }),
  getEpochInfo: () => ({
    absoluteSlot: 1,
    blockHeight: 1,
    epoch: 0,
    slotIndex: 1,
    slotsInEpoch: 432_000,
    transactionCount: 1
  }),
  sendTransaction: () => SIGNATURE
}

/** The node's answer to a call. */
export const answer = (method: string, params: ReadonlyArray<unknown>): unknown => answers[method]?.(params) ?? null

/** The node in process. */
export const transport: RpcTransport = {
  host: "bench",
  request: (method, params) => Effect.sync(() => answer(method, params)),
  batch: () => Effect.succeed([]),
  subscribe: () => Stream.empty
}
