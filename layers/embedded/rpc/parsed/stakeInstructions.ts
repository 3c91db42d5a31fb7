/** Parsed instructions of the stake and vote programs. */
import * as Layout from "../../chain/Layout.js"
import { byNumber, spec } from "./Instruction.js"
import { hash, i64, present, struct, u64 } from "./Parsed.js"
import { lockup } from "./stake.js"

const { address, list, option, string, u32, u8 } = Layout

const authorized = struct({ staker: address, withdrawer: address })

const authorityType: Layout.Reader<string> = (cursor) => (u32(cursor) === 0 ? "Staker" : "Withdrawer")
const voteAuthorityType: Layout.Reader<string> = (cursor) => (u32(cursor) === 0 ? "Voter" : "Withdrawer")
const seed = string(Layout.u64)

const lockupArguments: Layout.Reader<unknown> = (cursor) =>
  present({
    unixTimestamp: option(i64)(cursor),
    epoch: option(u64)(cursor),
    custodian: option(address)(cursor)
  })

const checkedLockup: Layout.Reader<unknown> = (cursor) =>
  present({ unixTimestamp: option(i64)(cursor), epoch: option(u64)(cursor) })

/** Instructions of the stake program. */
export const stake = byNumber(u32, {
  0: spec("initialize", "stakeAccount rentSysvar", { authorized, lockup }),
  1: spec("authorize", "stakeAccount clockSysvar authority custodian?", { newAuthority: address, authorityType }),
  2: spec("delegate", "stakeAccount voteAccount clockSysvar stakeHistorySysvar stakeConfigAccount stakeAuthority"),
  3: spec("split", "stakeAccount newSplitAccount stakeAuthority", { lamports: u64 }),
  4: spec("withdraw", "stakeAccount destination clockSysvar stakeHistorySysvar withdrawAuthority custodian?", {
    lamports: u64
  }),
  5: spec("deactivate", "stakeAccount clockSysvar stakeAuthority"),
  6: spec("setLockup", "stakeAccount custodian", { lockup: lockupArguments }),
  7: spec("merge", "destination source clockSysvar stakeHistorySysvar stakeAuthority"),
  8: spec("authorizeWithSeed", "stakeAccount authorityBase clockSysvar? custodian?", {
    newAuthorized: address,
    authorityType,
    authoritySeed: seed,
    authorityOwner: address
  }),
  9: spec("initializeChecked", "stakeAccount rentSysvar staker withdrawer"),
  10: spec("authorizeChecked", "stakeAccount clockSysvar authority newAuthority custodian?", { authorityType }),
  11: spec("authorizeCheckedWithSeed", "stakeAccount authorityBase clockSysvar newAuthorized custodian?", {
    authorityType,
    authoritySeed: seed,
    authorityOwner: address
  }),
  12: spec("setLockupChecked", "stakeAccount custodian newCustodian?", { lockup: checkedLockup }),
  13: spec("getMinimumDelegation", ""),
  14: spec("deactivateDelinquent", "stakeAccount voteAccount referenceVoteAccount"),
  16: spec("moveStake", "source destination stakeAuthority", { lamports: u64 }),
  17: spec("moveLamports", "source destination stakeAuthority", { lamports: u64 })
})

const votes = {
  vote: struct({ slots: list(Layout.u64, u64), hash, timestamp: option(i64) })
}

/** Instructions of the vote program; a node's compact votes are shown as accounts and data. */
export const vote = byNumber(u32, {
  0: spec("initialize", "voteAccount rentSysvar clockSysvar node", {
    node: address,
    authorizedVoter: address,
    authorizedWithdrawer: address,
    commission: u8
  }),
  1: spec("authorize", "voteAccount clockSysvar authority", {
    newAuthority: address,
    authorityType: voteAuthorityType
  }),
  2: spec("vote", "voteAccount slotHashesSysvar clockSysvar voteAuthority", votes),
  3: spec("withdraw", "voteAccount destination withdrawAuthority", { lamports: u64 }),
  4: spec("updateValidatorIdentity", "voteAccount newValidatorIdentity withdrawAuthority"),
  5: spec("updateCommission", "voteAccount withdrawAuthority", { commission: u8 }),
  6: spec("voteSwitch", "voteAccount slotHashesSysvar clockSysvar voteAuthority", { ...votes, hash }),
  7: spec("authorizeChecked", "voteAccount clockSysvar authority newAuthority", { authorityType: voteAuthorityType }),
  10: spec("authorizeWithSeed", "voteAccount clockSysvar authorityBaseKey", {
    authorityType: voteAuthorityType,
    authorityOwner: address,
    authoritySeed: seed,
    newAuthority: address
  }),
  11: spec("authorizeCheckedWithSeed", "voteAccount clockSysvar authorityBaseKey newAuthority", {
    authorityType: voteAuthorityType,
    authorityOwner: address,
    authoritySeed: seed
  })
})
