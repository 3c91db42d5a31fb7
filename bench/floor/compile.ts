/**
 * Writes the bytes of a version-0 message with one or more `send_message` instructions. The accounts are known, so no
 * account is collected, merged or looked up. The template is such a message; only its variable bytes are overwritten.
 */
import { SEND_MESSAGE, program, SYSTEM_PROGRAM } from "./program.js"

/** The wallet and the agent of the sender. */
export interface Sender {
  readonly wallet: Uint8Array
  readonly agent: Uint8Array
}

/** The address, recipient and hash of one message. */
export interface Said {
  readonly address: Uint8Array
  readonly recipient: Uint8Array
  readonly hash: Uint8Array
}

const HEADER = 4
const DATA = 73

/** Accounts in the order of the wire: the wallet, the message accounts, then the read-only ones, sorted. */
export const compile = (
  { agent, wallet }: Sender,
  blockhash: Uint8Array,
  messages: ReadonlyArray<Said>
): Uint8Array => {
  const count = messages.length
  const bytes = new Uint8Array(HEADER + 1 + 32 * (count + 4) + 32 + 1 + count * (1 + 1 + 4 + 1 + DATA) + 1)
  bytes[0] = 0x80
  bytes[1] = 1
  bytes[3] = 3
  bytes[4] = count + 4
  let at = HEADER + 1
  const key = (address: Uint8Array): void => {
    bytes.set(address, at)
    at += 32
  }
  key(wallet)
  for (const { address } of messages) key(address)
  key(SYSTEM_PROGRAM)
  key(agent)
  key(program)
  key(blockhash)
  bytes[at++] = count
  for (let index = 0; index < count; index++) {
    const message = messages[index]
    if (message === undefined) break
    bytes[at++] = count + 3
    bytes[at++] = 4
    bytes[at++] = 1 + index
    bytes[at++] = count + 2
    bytes[at++] = 0
    bytes[at++] = count + 1
    bytes[at++] = DATA
    bytes.set(SEND_MESSAGE, at)
    bytes.set(message.recipient, at + 8)
    bytes.set(message.hash, at + 40)
    at += DATA
  }
  return bytes
}

const ADDRESS_AT = HEADER + 1 + 32
const DATA_AT = HEADER + 1 + 32 * 6 + 1 + 7

/** Signature count, one signature and message, made once per sender and blockhash. */
export interface Template {
  readonly wire: Buffer
  readonly message: Buffer
}

export const template = (sender: Sender, blockhash: Uint8Array): Template => {
  const none = new Uint8Array(32)
  const message = compile(sender, blockhash, [{ address: none, recipient: none, hash: none }])
  const wire = Buffer.alloc(65 + message.length)
  wire[0] = 1
  wire.set(message, 65)
  return { wire, message: wire.subarray(65) }
}

export const patch = ({ message }: Template, { address, hash, recipient }: Said): void => {
  message.set(address, ADDRESS_AT)
  message.set(recipient, DATA_AT + 8)
  message.set(hash, DATA_AT + 40)
}
