/** Limits the bytes of a reply by the method that was called. */
import type { RpcCall } from "../RpcTransport.js"

/** Default limit of a small reply, in bytes. The longest real one is an error of `sendTransaction` with 10 KB of logs. */
export const SMALL = 128 * 1024

/** A medium reply, such as 1000 signatures or one transaction, may be this many times as long as a small one. */
const MEDIUM = 16

const SMALL_REPLIES: ReadonlySet<string> = new Set([
  "getBalance",
  "getBlockHeight",
  "getBlockTime",
  "getEpochInfo",
  "getEpochSchedule",
  "getFeeForMessage",
  "getFirstAvailableBlock",
  "getGenesisHash",
  "getHealth",
  "getHighestSnapshotSlot",
  "getIdentity",
  "getLatestBlockhash",
  "getMaxRetransmitSlot",
  "getMaxShredInsertSlot",
  "getMinimumBalanceForRentExemption",
  "getRecentPrioritizationFees",
  "getSignatureStatuses",
  "getSlot",
  "getSlotLeader",
  "getTransactionCount",
  "getVersion",
  "isBlockhashValid",
  "minimumLedgerSlot",
  "requestAirdrop",
  "sendTransaction"
])

const MEDIUM_REPLIES: ReadonlySet<string> = new Set([
  "getRecentPerformanceSamples",
  "getSignaturesForAddress",
  "getSupply",
  "getTransaction"
])

export interface ReplyLimits {
  /** The limit for one call. */
  readonly one: (method: string) => number
  /** The limit for an array of calls: the sum of their limits, at most `maxReplyBytes`. */
  readonly many: (calls: ReadonlyArray<RpcCall>) => number
}

/** The limits of one endpoint. A method that is not listed here gets `maxReplyBytes`. */
export const make = ({
  maxReplyBytes,
  maxSmallReplyBytes
}: {
  readonly maxReplyBytes: number
  readonly maxSmallReplyBytes: number
}): ReplyLimits => {
  const small = Math.min(maxSmallReplyBytes, maxReplyBytes)
  const medium = Math.min(MEDIUM * maxSmallReplyBytes, maxReplyBytes)
  const one = (method: string): number =>
    SMALL_REPLIES.has(method) ? small : MEDIUM_REPLIES.has(method) ? medium : maxReplyBytes
  return {
    one,
    many: (calls) =>
      Math.min(
        calls.reduce((sum, { method }) => sum + one(method), 0),
        maxReplyBytes
      )
  }
}
