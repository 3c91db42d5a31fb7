/** Parsed instructions of the token programs. */
import * as Layout from "../../chain/Layout.js"
import { apply, type Call, type Spec, spec } from "./Instruction.js"
import { base64, base64OrNull, f64Text, i64, map, type Parsed, u64, u64Text } from "./Parsed.js"
import * as TokenAmount from "./TokenAmount.js"
import { nameOf } from "./tokenExtensions.js"

const { address, i16, nonZeroAddress, option, u16, u8 } = Layout

const AUTHORITY_TYPES = [
  "mintTokens",
  "freezeAccount",
  "accountOwner",
  "closeAccount",
  "transferFeeConfig",
  "withheldWithdraw",
  "closeMint",
  "interestRate",
  "permanentDelegate",
  "confidentialTransferMint",
  "transferHookProgramId",
  "confidentialTransferFeeConfig",
  "metadataPointer",
  "groupPointer",
  "groupMemberPointer",
  "scaledUiAmount",
  "pause"
]

/** Authorities of token accounts; all others are authorities of mints. */
const ACCOUNT_AUTHORITIES: ReadonlySet<string> = new Set(["accountOwner", "closeAccount"])

const ACCOUNT_STATES = ["uninitialized", "initialized", "frozen"]

const authorityType: Layout.Reader<string | undefined> = (cursor) => AUTHORITY_TYPES[u8(cursor)]
const accountState: Layout.Reader<string | undefined> = (cursor) => ACCOUNT_STATES[u8(cursor)]

const checkedAmount: Layout.Reader<TokenAmount.TokenAmount> = (cursor) => {
  const amount = Layout.u64(cursor)
  return TokenAmount.make(amount, u8(cursor))
}

const extensionTypes: Layout.Reader<ReadonlyArray<string>> = (cursor) =>
  Array.from({ length: Math.floor(cursor.left / 2) }, () => nameOf(u16(cursor)))

const mintFields = { decimals: u8, mintAuthority: address, freezeAuthority: option(address) }

const authority = (name: string) => ({ authority: name })

const setAuthority = (fields: Readonly<Record<string, unknown>>) => {
  const { owned, ...others } = fields
  const { authorityType: type, newAuthority = null } = others
  return { [ACCOUNT_AUTHORITIES.has(String(type)) ? "account" : "mint"]: owned, ...others, newAuthority }
}

const SPECS: Readonly<Record<number, Spec>> = {
  0: spec("initializeMint", "mint rentSysvar", mintFields),
  1: spec("initializeAccount", "account mint owner rentSysvar"),
  2: spec("initializeMultisig", "multisig rentSysvar", { m: u8 }, { others: "signers" }),
  3: spec("transfer", "source destination", { amount: u64Text }, authority("authority")),
  4: spec("approve", "source delegate", { amount: u64Text }, authority("owner")),
  5: spec("revoke", "source", {}, authority("owner")),
  6: spec(
    "setAuthority",
    "owned",
    { authorityType, newAuthority: option(address) },
    { ...authority("authority"), adjust: setAuthority }
  ),
  7: spec("mintTo", "mint account", { amount: u64Text }, authority("mintAuthority")),
  8: spec("burn", "account mint", { amount: u64Text }, authority("authority")),
  9: spec("closeAccount", "account destination", {}, authority("owner")),
  10: spec("freezeAccount", "account mint", {}, authority("freezeAuthority")),
  11: spec("thawAccount", "account mint", {}, authority("freezeAuthority")),
  12: spec("transferChecked", "source mint destination", { tokenAmount: checkedAmount }, authority("authority")),
  13: spec("approveChecked", "source mint delegate", { tokenAmount: checkedAmount }, authority("owner")),
  14: spec("mintToChecked", "mint account", { tokenAmount: checkedAmount }, authority("mintAuthority")),
  15: spec("burnChecked", "account mint", { tokenAmount: checkedAmount }, authority("authority")),
  16: spec("initializeAccount2", "account mint rentSysvar", { owner: address }),
  17: spec("syncNative", "account"),
  18: spec("initializeAccount3", "account mint", { owner: address }),
  19: spec("initializeMultisig2", "multisig", { m: u8 }, { others: "signers" }),
  20: spec("initializeMint2", "mint", mintFields),
  21: spec("getAccountDataSize", "mint", { extensionTypes }),
  22: spec("initializeImmutableOwner", "account"),
  23: spec("amountToUiAmount", "mint", { amount: u64Text }),
  24: spec("uiAmountToAmount", "mint", { uiAmount: map(Layout.rest, Layout.text) }),
  25: spec("initializeMintCloseAuthority", "mint", { newAuthority: option(address) }),
  29: spec("reallocate", "account payer systemProgram", { extensionTypes }, authority("owner")),
  31: spec("createNativeMint", "payer nativeMint systemProgram"),
  32: spec("initializeNonTransferableMint", "mint"),
  35: spec("initializePermanentDelegate", "mint", { delegate: address }),
  38: spec("withdrawExcessLamports", "source destination", {}, authority("authority"))
}

/** An instruction that is shown only as accounts and data. */
const UNKNOWN = undefined

/**
 * Instructions of extensions, by their second byte. Instructions of confidential transfers with a zero-knowledge proof
 * are not parsed, because their accounts depend on the location of the proof.
 */
const EXTENSION_SPECS: Readonly<Record<number, ReadonlyArray<Spec | undefined>>> = {
  26: [
    spec("initializeTransferFeeConfig", "mint", {
      transferFeeConfigAuthority: option(address),
      withdrawWithheldAuthority: option(address),
      transferFeeBasisPoints: u16,
      maximumFee: u64
    }),
    spec(
      "transferCheckedWithFee",
      "source mint destination",
      { amount: Layout.u64, decimals: u8, fee: Layout.u64 },
      {
        ...authority("authority"),
        adjust: ({ amount, decimals, fee, ...others }) => ({
          ...others,
          tokenAmount: TokenAmount.make(BigInt(String(amount)), Number(decimals)),
          feeAmount: TokenAmount.make(BigInt(String(fee)), Number(decimals))
        })
      }
    ),
    spec("withdrawWithheldTokensFromMint", "mint feeRecipient", {}, authority("withdrawWithheldAuthority")),
    spec(
      "withdrawWithheldTokensFromAccounts",
      "mint feeRecipient withdrawWithheldAuthority",
      {},
      { others: "sourceAccounts" }
    ),
    spec("harvestWithheldTokensToMint", "mint", {}, { others: "sourceAccounts" }),
    spec(
      "setTransferFee",
      "mint",
      { transferFeeBasisPoints: u16, maximumFee: u64 },
      authority("transferFeeConfigAuthority")
    )
  ],
  27: [
    spec("initializeConfidentialTransferMint", "mint", {
      authority: nonZeroAddress,
      autoApproveNewAccounts: Layout.bool,
      auditorElGamalPubkey: base64OrNull(32)
    }),
    spec("updateConfidentialTransferMint", "mint confidentialTransferMintAuthority", {
      autoApproveNewAccounts: Layout.bool,
      auditorElGamalPubkey: base64OrNull(32)
    }),
    UNKNOWN, // configures an account, with a proof
    spec("approveConfidentialTransferAccount", "account mint confidentialTransferAuditorAuthority"),
    UNKNOWN, // empties an account, with a proof
    spec("depositConfidentialTransfer", "account mint", { amount: u64, decimals: u8 }, authority("owner")),
    UNKNOWN, // withdraws, with proofs
    UNKNOWN, // transfers, with proofs
    spec(
      "applyPendingConfidentialTransferBalance",
      "account",
      { expectedPendingBalanceCreditCounter: u64, newDecryptableAvailableBalance: base64(36) },
      authority("owner")
    ),
    spec("enableConfidentialTransferConfidentialCredits", "account", {}, authority("owner")),
    spec("disableConfidentialTransferConfidentialCredits", "account", {}, authority("owner")),
    spec("enableConfidentialTransferNonConfidentialCredits", "account", {}, authority("owner")),
    spec("disableConfidentialTransferNonConfidentialCredits", "account", {}, authority("owner"))
  ],
  28: [
    spec("initializeDefaultAccountState", "mint", { accountState }),
    spec("updateDefaultAccountState", "mint", { accountState }, authority("freezeAuthority"))
  ],
  30: [
    spec("enableRequiredMemoTransfers", "account", {}, authority("owner")),
    spec("disableRequiredMemoTransfers", "account", {}, authority("owner"))
  ],
  33: [
    spec("initializeInterestBearingConfig", "mint", { rateAuthority: nonZeroAddress, rate: i16 }),
    spec("updateInterestBearingConfigRate", "mint", { newRate: i16 }, authority("rateAuthority"))
  ],
  34: [
    spec("enableCpiGuard", "account", {}, authority("owner")),
    spec("disableCpiGuard", "account", {}, authority("owner"))
  ],
  36: [
    spec("initializeTransferHook", "mint", { authority: nonZeroAddress, programId: nonZeroAddress }),
    spec("updateTransferHook", "mint", { programId: nonZeroAddress }, authority("authority"))
  ],
  39: [
    spec("initializeMetadataPointer", "mint", { authority: nonZeroAddress, metadataAddress: nonZeroAddress }),
    spec("updateMetadataPointer", "mint", { metadataAddress: nonZeroAddress }, authority("authority"))
  ],
  40: [
    spec("initializeGroupPointer", "mint", { authority: nonZeroAddress, groupAddress: nonZeroAddress }),
    spec("updateGroupPointer", "mint", { groupAddress: nonZeroAddress }, authority("authority"))
  ],
  41: [
    spec("initializeGroupMemberPointer", "mint", { authority: nonZeroAddress, memberAddress: nonZeroAddress }),
    spec("updateGroupMemberPointer", "mint", { memberAddress: nonZeroAddress }, authority("authority"))
  ],
  43: [
    spec("initializeScaledUiAmountConfig", "mint", { authority: nonZeroAddress, multiplier: f64Text }),
    spec("updateMultiplier", "mint", { newMultiplier: f64Text, newMultiplierTimestamp: i64 }, authority("authority"))
  ],
  44: [
    spec("initializePausableConfig", "mint", { authority: nonZeroAddress }),
    spec("pause", "mint", {}, authority("authority")),
    spec("resume", "mint", {}, authority("authority"))
  ]
}

/** An instruction of either token program. */
export const parse = ({ accounts, data }: Call): Parsed | undefined => {
  const cursor = new Layout.Cursor(data)
  const number = u8(cursor)
  const found = SPECS[number] ?? EXTENSION_SPECS[number]?.[u8(cursor)]
  return found === undefined ? undefined : apply(found, cursor, accounts)
}
