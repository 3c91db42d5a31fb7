/** Parsed sysvars. */
import type { Address } from "@solana/kit"
import * as Addresses from "../../../../src/solana/Address.js"
import * as Layout from "../../chain/Layout.js"
import type { StoredAccount } from "../../chain/StoredAccount.js"
import * as Sysvars from "../../chain/Sysvars.js"
import type { Parsed } from "./Parsed.js"
import * as Json from "./Parsed.js"

const feeCalculator = Json.struct({ lamportsPerSignature: Json.u64Text })

/** Bits of the slot history, one for each of the last slots. */
const HISTORY_BITS = 1024 * 1024
const HISTORY_BYTES = HISTORY_BITS / 8

const BITS: ReadonlyArray<string> = Array.from({ length: 256 }, (_, byte) =>
  Array.from({ length: 8 }, (_, bit) => (byte >> bit) & 1).join("")
)

const slotHistory = (cursor: Layout.Cursor) => {
  if (!Layout.bool(cursor) || Layout.u64(cursor) !== BigInt(HISTORY_BYTES / 8)) return undefined
  const bits = Array.from(cursor.bytes(HISTORY_BYTES), (byte) => BITS[byte]).join("")
  Layout.u64(cursor)
  return { bits, nextSlot: Json.u64(cursor) }
}

const rent = (cursor: Layout.Cursor) => {
  const lamportsPerByteYear = Json.u64Text(cursor)
  const exemptionThreshold = Layout.f64(cursor)
  return { lamportsPerByteYear, exemptionThreshold, burnPercent: Layout.u8(cursor) }
}

const SYSVARS: ReadonlyMap<Address, readonly [type: string, read: Layout.Reader<unknown>]> = new Map([
  [
    Sysvars.CLOCK,
    [
      "clock",
      Json.struct({
        slot: Json.u64,
        epochStartTimestamp: Json.i64,
        epoch: Json.u64,
        leaderScheduleEpoch: Json.u64,
        unixTimestamp: Json.i64
      })
    ]
  ],
  [
    Addresses.known("SysvarEpochSchedu1e111111111111111111111111"),
    [
      "epochSchedule",
      Json.struct({
        slotsPerEpoch: Json.u64,
        leaderScheduleSlotOffset: Json.u64,
        warmup: Layout.bool,
        firstNormalEpoch: Json.u64,
        firstNormalSlot: Json.u64
      })
    ]
  ],
  [Addresses.known("SysvarFees111111111111111111111111111111111"), ["fees", Json.struct({ feeCalculator })]],
  [
    Addresses.known("SysvarRecentB1ockHashes11111111111111111111"),
    ["recentBlockhashes", Layout.list(Layout.u64, Json.struct({ blockhash: Json.hash, feeCalculator }))]
  ],
  [Addresses.known("SysvarRent111111111111111111111111111111111"), ["rent", rent]],
  [Sysvars.SLOT_HASHES, ["slotHashes", Layout.list(Layout.u64, Json.struct({ slot: Json.u64, hash: Json.hash }))]],
  [Addresses.known("SysvarS1otHistory11111111111111111111111111"), ["slotHistory", slotHistory]],
  [
    Addresses.known("SysvarStakeHistory1111111111111111111111111"),
    [
      "stakeHistory",
      Layout.list(
        Layout.u64,
        Json.struct({
          epoch: Json.u64,
          stakeHistory: Json.struct({ effective: Json.u64, activating: Json.u64, deactivating: Json.u64 })
        })
      )
    ]
  ],
  [
    Addresses.known("SysvarLastRestartS1ot1111111111111111111111"),
    ["lastRestartSlot", Json.struct({ lastRestartSlot: Json.u64 })]
  ],
  [
    Addresses.known("SysvarEpochRewards1111111111111111111111111"),
    [
      "epochRewards",
      Json.struct({
        distributionStartingBlockHeight: Json.u64,
        numPartitions: Json.u64,
        parentBlockhash: Json.hash,
        totalPoints: Json.u128Text,
        totalRewards: Json.u64Text,
        distributedRewards: Json.u64Text,
        active: Layout.bool
      })
    ]
  ]
])

/** The sysvar of this address. */
export const parse = ({ data }: StoredAccount, _: unknown, address: Address): Parsed | undefined => {
  const sysvar = SYSVARS.get(address)
  if (sysvar === undefined) return undefined
  const [type, read] = sysvar
  const info = read(new Layout.Cursor(data))
  return info === undefined ? undefined : { type, info }
}
