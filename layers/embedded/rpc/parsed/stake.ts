/** Parsed accounts of the stake and config programs. */
import type { Address } from "@solana/kit"
import * as Either from "effect/Either"
import * as Addresses from "../../../../src/solana/Address.js"
import * as Json from "../../../../src/solana/Json.js"
import * as Layout from "../../chain/Layout.js"
import type { StoredAccount } from "../../chain/StoredAccount.js"
import { i64, type Parsed, struct, u64, u64Text } from "./Parsed.js"

export const STAKE_PROGRAM = Addresses.known("Stake11111111111111111111111111111111111111")
export const CONFIG_PROGRAM = Addresses.known("Config1111111111111111111111111111111111111")
const STAKE_CONFIG = Addresses.known("StakeConfig11111111111111111111111111111111")
const VALIDATOR_INFO = Addresses.known("Va1idator1nfo111111111111111111111111111111")

const { address, bool, f64, string, u8 } = Layout

export const lockup = struct({ unixTimestamp: i64, epoch: u64, custodian: address })

const meta = struct({
  rentExemptReserve: u64Text,
  authorized: struct({ staker: address, withdrawer: address }),
  lockup
})

const delegated = struct({
  delegation: struct({
    voter: address,
    stake: u64Text,
    activationEpoch: u64Text,
    deactivationEpoch: u64Text,
    warmupCooldownRate: f64
  }),
  creditsObserved: u64
})

/** A stake account. */
export const stake = ({ data }: StoredAccount): Parsed | undefined => {
  const cursor = new Layout.Cursor(data)
  switch (Layout.u32(cursor)) {
    case 0:
      return { type: "uninitialized" }
    case 1:
      return { type: "initialized", info: { meta: meta(cursor), stake: null } }
    case 2:
      return { type: "delegated", info: { meta: meta(cursor), stake: delegated(cursor) } }
    case 3:
      return { type: "rewardsPool" }
    default:
      return undefined
  }
}

/** A length in 1 to 3 bytes of 7 bits each. */
const shortLength: Layout.Reader<number> = (cursor) => {
  const first = u8(cursor)
  if (first < 0x80) return first
  const second = u8(cursor)
  if (second < 0x80) return (first & 0x7f) | (second << 7)
  return (first & 0x7f) | ((second & 0x7f) << 7) | (u8(cursor) << 14)
}

const configKeys = Layout.list(shortLength, struct({ pubkey: address, signer: bool }))

/** The configuration of staking, or the published information of a validator. */
export const config = ({ data }: StoredAccount, _: unknown, account: Address): Parsed | undefined => {
  const cursor = new Layout.Cursor(data)
  const keys = configKeys(cursor)
  if (account === STAKE_CONFIG) {
    return { type: "stakeConfig", info: struct({ warmupCooldownRate: f64, slashPenalty: u8 })(cursor) }
  }
  if (keys.length !== 2 || keys[0]?.["pubkey"] !== VALIDATOR_INFO) return undefined
  const configData = Either.getOrUndefined(Json.parse(string(Layout.u64)(cursor)))
  return configData === undefined ? undefined : { type: "validatorInfo", info: { keys, configData } }
}
