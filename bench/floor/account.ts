/**
 * A direct message's account, read by hand from a DataView.
 */
import { encode32 } from "./base58.js"

const STATUS = ["Pending", "Delivered", "Read", "Failed"]

export const decodeMessage = (bytes: Uint8Array) => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const type = view.getUint8(120)
  const at = type === 4 ? 122 : 121
  return {
    sender: encode32(bytes.subarray(8, 40)),
    recipient: encode32(bytes.subarray(40, 72)),
    payloadHash: bytes.slice(72, 104),
    createdAt: view.getBigInt64(104, true),
    expiresAt: view.getBigInt64(112, true),
    type,
    status: STATUS[view.getUint8(at)],
    bump: view.getUint8(at + 1)
  }
}
