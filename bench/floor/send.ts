/**
 * The floor: the least work from a payload to a signed base64 wire, with a signature by `node:crypto`.
 */
import { hash as digest, type KeyObject, sign } from "node:crypto"
import { compile, patch, type Said, type Sender, template } from "./compile.js"
import { utf8 } from "./program.js"
import { find } from "./programAddress.js"

const MESSAGE = utf8.encode("message")
const TEXT = Uint8Array.of(0)

/** A signature of 64 bytes. */
export type Sign = (message: Uint8Array) => Uint8Array

export const nodeSign =
  (key: KeyObject): Sign =>
  (message) =>
    sign(null, message, key)

const said = (agent: Uint8Array, recipient: Uint8Array, payload: string): Said => {
  const hash = digest("sha256", payload, "buffer")
  return { recipient, hash, address: find([MESSAGE, agent, recipient, hash, TEXT]) }
}

/** A transaction with one message, made from a template. */
export const sender = (who: Sender, blockhash: Uint8Array, signer: Sign) => {
  const made = template(who, blockhash)
  return (recipient: Uint8Array, payload: string): string => {
    patch(made, said(who.agent, recipient, payload))
    made.wire.set(signer(made.message), 1)
    return made.wire.toString("base64")
  }
}

/** Several messages in one transaction. */
export const packer = (who: Sender, blockhash: Uint8Array, signer: Sign) => {
  return (messages: ReadonlyArray<readonly [recipient: Uint8Array, payload: string]>): string => {
    const each = messages.map(([recipient, payload]) => {
      const one = said(who.agent, recipient, payload)
      return { ...one, address: one.address.slice() }
    })
    const message = compile(who, blockhash, each)
    const wire = Buffer.allocUnsafe(65 + message.length)
    wire[0] = 1
    wire.set(signer(message), 1)
    wire.set(message, 65)
    return wire.toString("base64")
  }
}
