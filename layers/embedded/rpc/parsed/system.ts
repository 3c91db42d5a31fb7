/** Parsed accounts of the System program, of address lookup tables and of the upgradeable loader. */
import * as Either from "effect/Either"
import * as Base64 from "../../../../src/solana/Base64.js"
import * as NonceAccount from "../../../../src/solana/NonceAccount.js"
import * as Layout from "../../chain/Layout.js"
import type { StoredAccount } from "../../chain/StoredAccount.js"
import type { Parsed } from "./Parsed.js"
import * as Json from "./Parsed.js"

/** A durable nonce. An account without a nonce has no parsed form. */
export const nonce = ({ data }: StoredAccount): Parsed | undefined => {
  const decoded = Either.getOrNull(NonceAccount.decode(data))
  return decoded?._tag === "Initialized"
    ? {
        type: "initialized",
        info: {
          authority: decoded.authority,
          blockhash: decoded.nonce,
          feeCalculator: { lamportsPerSignature: String(decoded.lamportsPerSignature) }
        }
      }
    : undefined
}

const TABLE_HEADER_BYTES = 56

/** An address lookup table. */
export const lookupTable = ({ data }: StoredAccount): Parsed | undefined => {
  const cursor = new Layout.Cursor(data)
  const kind = Layout.u32(cursor)
  if (kind === 0) return { type: "uninitialized" }
  if (kind !== 1) return undefined
  const deactivationSlot = Json.u64Text(cursor)
  const lastExtendedSlot = Json.u64Text(cursor)
  const lastExtendedSlotStartIndex = Layout.u8(cursor)
  const authority = Layout.option(Layout.address)(cursor)
  cursor.at = TABLE_HEADER_BYTES
  const addresses = Array.from({ length: Math.floor(Math.max(0, cursor.left) / 32) }, () => Layout.address(cursor))
  return {
    type: "lookupTable",
    info: Json.present({ deactivationSlot, lastExtendedSlot, lastExtendedSlotStartIndex, authority, addresses })
  }
}

const BUFFER_HEADER_BYTES = 37
const PROGRAM_DATA_HEADER_BYTES = 45

/** A program, its bytes, or a buffer of bytes to deploy. */
export const upgradeable = ({ data }: StoredAccount): Parsed | undefined => {
  const cursor = new Layout.Cursor(data)
  const code = (header: number) => [Base64.encode(data.subarray(header)), "base64"]
  switch (Layout.u32(cursor)) {
    case 0:
      return { type: "uninitialized" }
    case 1: {
      const authority = Layout.option(Layout.address)(cursor)
      return { type: "buffer", info: { authority, data: code(BUFFER_HEADER_BYTES) } }
    }
    case 2:
      return { type: "program", info: { programData: Layout.address(cursor) } }
    case 3: {
      const slot = Json.u64(cursor)
      const authority = Layout.option(Layout.address)(cursor)
      return { type: "programData", info: { slot, authority, data: code(PROGRAM_DATA_HEADER_BYTES) } }
    }
    default:
      return undefined
  }
}
