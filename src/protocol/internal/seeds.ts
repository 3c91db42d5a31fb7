/** The seeds of the protocol's addresses, without the bump. The callers check input that may be invalid as a seed. */
import type { Address } from "@solana/kit"
import * as Addresses from "../../solana/Address.js"

type Seeds = ReadonlyArray<Uint8Array>

const utf8 = new TextEncoder()
const AGENT = utf8.encode("agent")
const MESSAGE = utf8.encode("message")
const CHANNEL = utf8.encode("channel")
const PARTICIPANT = utf8.encode("participant")
const INVITATION = utf8.encode("invitation")
const ESCROW = utf8.encode("escrow")
const CHANNEL_MESSAGE = utf8.encode("channel_message")

const u64 = (value: bigint): Uint8Array => {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, value, true)
  return bytes
}

export const agent = (wallet: Address): Seeds => [AGENT, Addresses.toBytes(wallet, "wallet")]

/** As {@link agent}, for a wallet that is used once. */
export const agentOnce = (wallet: Address): Seeds => [AGENT, Addresses.toBytesOnce(wallet, "wallet")]

/** `type` is the byte of the message type. */
export const message = (sender: Address, recipient: Address, payloadHash: Uint8Array, type: number): Seeds => [
  MESSAGE,
  Addresses.toBytes(sender, "sender"),
  Addresses.toBytes(recipient, "recipient"),
  payloadHash,
  Uint8Array.of(type)
]

/** `name` is the channel's name in UTF-8. */
export const channel = (creator: Address, name: Uint8Array): Seeds => [
  CHANNEL,
  Addresses.toBytes(creator, "creator"),
  name
]

export const participant = (channel: Address, agent: Address): Seeds => [
  PARTICIPANT,
  Addresses.toBytes(channel, "channel"),
  Addresses.toBytes(agent, "agent")
]

export const invitation = (channel: Address, invitee: Address): Seeds => [
  INVITATION,
  Addresses.toBytes(channel, "channel"),
  Addresses.toBytes(invitee, "invitee")
]

export const escrow = (channel: Address, depositor: Address): Seeds => [
  ESCROW,
  Addresses.toBytes(channel, "channel"),
  Addresses.toBytes(depositor, "depositor")
]

export const channelMessage = (channel: Address, sender: Address, nonce: bigint): Seeds => [
  CHANNEL_MESSAGE,
  Addresses.toBytes(channel, "channel"),
  Addresses.toBytes(sender, "sender"),
  u64(nonce)
]
