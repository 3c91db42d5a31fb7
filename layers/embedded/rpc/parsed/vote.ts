/** Parsed accounts of the vote program, of the versions 1.14.11 to 4. */
import * as Addresses from "../../../../src/solana/Address.js"
import * as Layout from "../../chain/Layout.js"
import type { StoredAccount } from "../../chain/StoredAccount.js"
import { base64, i64, type Parsed, struct, u64, u64Text } from "./Parsed.js"

export const VOTE_PROGRAM = Addresses.known("Vote111111111111111111111111111111111111111")

const { address, list, option, u16, u32, u8 } = Layout

const V1_14_11 = 1
const CURRENT = 2
const V4 = 3

const BASIS_POINTS_PER_PERCENT = 100
const PRIOR_VOTERS = 32
const PRIOR_VOTER_BYTES = 48
/** The 32 prior voters, the index of the newest, and whether there is none. */
const PRIOR_VOTERS_BYTES = PRIOR_VOTERS * PRIOR_VOTER_BYTES + 8

const lockout = struct({ slot: u64, confirmationCount: u32 })
const landed = struct({ latency: u8, slot: u64, confirmationCount: u32 })
const authorizedVoters = list(Layout.u64, struct({ epoch: u64, authorizedVoter: address }))
const epochCredits = list(Layout.u64, struct({ epoch: u64, credits: u64Text, previousCredits: u64Text }))
const lastTimestamp = struct({ slot: u64, timestamp: i64 })
const priorVoter = struct({ authorizedPubkey: address, epochOfLastAuthorizedSwitch: u64, targetEpoch: u64 })

const priorVoters: Layout.Reader<ReadonlyArray<unknown>> = (cursor) => {
  const inner = new Layout.Cursor(cursor.bytes(PRIOR_VOTERS_BYTES))
  const isEmpty = Layout.bool(cursor)
  const all = Array.from({ length: PRIOR_VOTERS }, () => priorVoter(inner))
  return isEmpty ? [] : all.filter(({ authorizedPubkey }) => authorizedPubkey !== Addresses.SYSTEM_PROGRAM)
}

/** A vote account. */
export const vote = ({ data }: StoredAccount): Parsed | undefined => {
  const cursor = new Layout.Cursor(data)
  const version = u32(cursor)
  if (version !== V1_14_11 && version !== CURRENT && version !== V4) return undefined
  const head = struct({ nodePubkey: address, authorizedWithdrawer: address })(cursor)
  const rates = version === V4 ? ratesOfV4(cursor) : { commission: u8(cursor) }
  const votes = list(Layout.u64, version === V1_14_11 ? lockout : landed)(cursor)
  const rootSlot = option(u64)(cursor)
  const voters = authorizedVoters(cursor)
  const prior = version === V4 ? [] : priorVoters(cursor)
  return {
    type: "vote",
    info: {
      ...head,
      ...rates,
      votes,
      rootSlot,
      authorizedVoters: voters,
      priorVoters: prior,
      epochCredits: epochCredits(cursor),
      lastTimestamp: lastTimestamp(cursor)
    }
  }
}

const ratesOfV4 = (cursor: Layout.Cursor) => {
  const inflationRewardsCollector = address(cursor)
  const blockRevenueCollector = address(cursor)
  const inflationRewardsCommissionBps = u16(cursor)
  return {
    commission: Math.min(255, Math.floor(inflationRewardsCommissionBps / BASIS_POINTS_PER_PERCENT)),
    inflationRewardsCollector,
    blockRevenueCollector,
    inflationRewardsCommissionBps,
    blockRevenueCommissionBps: u16(cursor),
    pendingDelegatorRewards: u64Text(cursor),
    blsPubkeyCompressed: option(base64(48))(cursor)
  }
}
