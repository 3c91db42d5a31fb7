/** Extensions of Token-2022 mints and accounts: a list of (type `u16`, length `u16`, value) behind the base state. */
import * as Layout from "../../chain/Layout.js"
import { ACCOUNT_BYTES } from "../../chain/TokenAccounts.js"
import { base64, base64OrNull, type Fields, i64, struct, u64, f64Text } from "./Parsed.js"

const { address, bool, i16, nonZeroAddress, string, u16, u8 } = Layout

const CIPHERTEXT_BYTES = 64
const DECRYPTABLE_BYTES = 36

const ACCOUNT_STATES = ["uninitialized", "initialized", "frozen"]

const accountState: Layout.Reader<string | undefined> = (cursor) => ACCOUNT_STATES[u8(cursor)]

const transferFee = struct({ epoch: u64, maximumFee: u64, transferFeeBasisPoints: u16 })

const pair: Layout.Reader<readonly [string, string]> = (cursor) => [
  string(Layout.u32)(cursor),
  string(Layout.u32)(cursor)
]

/** Names and layouts by type. An extension without fields is a marker. */
const EXTENSIONS: ReadonlyArray<readonly [name: string, fields?: Fields]> = [
  ["uninitialized"],
  [
    "transferFeeConfig",
    {
      transferFeeConfigAuthority: nonZeroAddress,
      withdrawWithheldAuthority: nonZeroAddress,
      withheldAmount: u64,
      olderTransferFee: transferFee,
      newerTransferFee: transferFee
    }
  ],
  ["transferFeeAmount", { withheldAmount: u64 }],
  ["mintCloseAuthority", { closeAuthority: nonZeroAddress }],
  [
    "confidentialTransferMint",
    { authority: nonZeroAddress, autoApproveNewAccounts: bool, auditorElgamalPubkey: base64OrNull(32) }
  ],
  [
    "confidentialTransferAccount",
    {
      approved: bool,
      elgamalPubkey: base64(32),
      pendingBalanceLo: base64(CIPHERTEXT_BYTES),
      pendingBalanceHi: base64(CIPHERTEXT_BYTES),
      availableBalance: base64(CIPHERTEXT_BYTES),
      decryptableAvailableBalance: base64(DECRYPTABLE_BYTES),
      allowConfidentialCredits: bool,
      allowNonConfidentialCredits: bool,
      pendingBalanceCreditCounter: u64,
      maximumPendingBalanceCreditCounter: u64,
      expectedPendingBalanceCreditCounter: u64,
      actualPendingBalanceCreditCounter: u64
    }
  ],
  ["defaultAccountState", { accountState }],
  ["immutableOwner"],
  ["memoTransfer", { requireIncomingTransferMemos: bool }],
  ["nonTransferable"],
  [
    "interestBearingConfig",
    {
      rateAuthority: nonZeroAddress,
      initializationTimestamp: i64,
      preUpdateAverageRate: i16,
      lastUpdateTimestamp: i64,
      currentRate: i16
    }
  ],
  ["cpiGuard", { lockCpi: bool }],
  ["permanentDelegate", { delegate: nonZeroAddress }],
  ["nonTransferableAccount"],
  ["transferHook", { authority: nonZeroAddress, programId: nonZeroAddress }],
  ["transferHookAccount", { transferring: bool }],
  [
    "confidentialTransferFeeConfig",
    {
      authority: nonZeroAddress,
      withdrawWithheldAuthorityElgamalPubkey: base64(32),
      harvestToMintEnabled: bool,
      withheldAmount: base64(CIPHERTEXT_BYTES)
    }
  ],
  ["confidentialTransferFeeAmount", { withheldAmount: base64(CIPHERTEXT_BYTES) }],
  ["metadataPointer", { authority: nonZeroAddress, metadataAddress: nonZeroAddress }],
  [
    "tokenMetadata",
    {
      updateAuthority: nonZeroAddress,
      mint: address,
      name: string(Layout.u32),
      symbol: string(Layout.u32),
      uri: string(Layout.u32),
      additionalMetadata: Layout.list(Layout.u32, pair)
    }
  ],
  ["groupPointer", { authority: nonZeroAddress, groupAddress: nonZeroAddress }],
  ["tokenGroup", { updateAuthority: nonZeroAddress, mint: address, size: u64, maxSize: u64 }],
  ["groupMemberPointer", { authority: nonZeroAddress, memberAddress: nonZeroAddress }],
  ["tokenGroupMember", { mint: address, group: address, memberNumber: u64 }],
  [
    "confidentialMintBurn",
    {
      confidentialSupply: base64(CIPHERTEXT_BYTES),
      decryptableSupply: base64(DECRYPTABLE_BYTES),
      supplyElgamalPubkey: base64OrNull(32),
      pendingBurn: base64(CIPHERTEXT_BYTES)
    }
  ],
  [
    "scaledUiAmountConfig",
    {
      authority: nonZeroAddress,
      multiplier: f64Text,
      newMultiplierEffectiveTimestamp: i64,
      newMultiplier: f64Text
    }
  ],
  ["pausableConfig", { authority: nonZeroAddress, paused: bool }],
  ["pausableAccount"]
]

/** The name of an extension type, as instructions name it. */
export const nameOf = (type: number): string => EXTENSIONS[type]?.[0] ?? "unparseableExtension"

/** The value of the first extension of a type; undefined if there is none. */
export const find = (data: Uint8Array, wanted: number): Uint8Array | undefined => {
  for (const [type, value] of entries(data)) if (type === wanted) return value
  return undefined
}

/** The extensions in a mint's or an account's data, as a part of its fields; nothing if it has none. */
export const read = (data: Uint8Array): { readonly extensions?: ReadonlyArray<unknown> } => {
  const extensions = Array.from(entries(data), ([type, value]) => view(type, value))
  return extensions.length === 0 ? {} : { extensions }
}

/** The types and values of the extensions, up to the first incomplete one. */
function* entries(data: Uint8Array): Iterable<readonly [type: number, value: Uint8Array]> {
  const cursor = new Layout.Cursor(data)
  cursor.at = Math.min(data.length, ACCOUNT_BYTES + 1)
  while (cursor.left >= 4) {
    const type = u16(cursor)
    const length = u16(cursor)
    if (type === 0 || length > cursor.left) return
    yield [type, cursor.bytes(length)]
  }
}

const view = (type: number, value: Uint8Array): unknown => {
  const [extension, fields] = EXTENSIONS[type] ?? []
  if (extension === undefined) return { extension: "unparseableExtension" }
  if (fields === undefined) return { extension }
  const state = Layout.attempt(() => struct(fields)(new Layout.Cursor(value)))
  return state === undefined ? { extension: "unparseableExtension" } : { extension, state }
}
