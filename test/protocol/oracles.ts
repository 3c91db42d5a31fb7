/**
 * Coders that others wrote, Codama's and Anchor's, over the program's IDL. What they read is brought to one plain form,
 * in which our own values can be expressed too.
 */
import { readFileSync } from "node:fs"
import { getNodeCodec } from "@codama/dynamic-codecs"
import { type AnchorIdl, rootNodeFromAnchorWithoutDefaultVisitor } from "@codama/nodes-from-anchor"
import { BN, BorshCoder, type Idl, web3 } from "@coral-xyz/anchor"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type { Account } from "../../src/protocol/Account.js"
import type { Event } from "../../src/protocol/Event.js"
import type { InstructionData } from "../../src/protocol/Instruction.js"

const readIdl = (): string => readFileSync(new URL("../../program/idl.json", import.meta.url), "utf8")

/** The IDL, as it stands. */
export const idl: Idl = JSON.parse(readIdl())
const codamaIdl: AnchorIdl = JSON.parse(readIdl())

// Through JSON, because the two packages type the same nodes by two versions of their type package.
const root = JSON.parse(JSON.stringify(rootNodeFromAnchorWithoutDefaultVisitor(codamaIdl)))
const anchor = new BorshCoder(idl)

/** Fields that we call otherwise than the IDL does. */
const renamed: { readonly [tag: string]: { readonly [field: string]: string } } = {
  AgentAccount: { wallet: "pubkey" },
  DirectMessage: { type: "messageType" },
  ChannelParticipant: { agent: "participant" },
  ChannelMessage: { type: "messageType" },
  AgentRegistered: { wallet: "agent" },
  MessageSent: { type: "messageType" },
  ChannelJoined: { agent: "participant" },
  MessageBroadcast: { type: "messageType" },
  CompressedMessageSynced: { channel: "channelId" },
  SendMessage: { type: "messageType" },
  UpdateMessageStatus: { status: "newStatus" },
  BroadcastMessage: { type: "messageType" },
  BroadcastMessageCompressed: { type: "messageType" }
}

/** Integers as decimal text, bytes as hex, absent options as null, enums as their variant's name. */
export type Plain = string | boolean | null | ReadonlyArray<Plain> | { readonly [field: string]: Plain }

const hex = (bytes: Iterable<number>): string => Buffer.from([...bytes]).toString("hex")

/** The hex of a list of 32 numbers. */
const hashOf = (value: ReadonlyArray<unknown>): string | undefined => {
  const numbers = value.filter(Predicate.isNumber)
  return value.length === 32 && numbers.length === 32 ? hex(numbers) : undefined
}

/** Our own value in plain form. */
export const plainOwn = (value: unknown): Plain => {
  if (typeof value === "string" || typeof value === "boolean") return value
  if (typeof value === "number" || typeof value === "bigint") return String(value)
  if (value instanceof Uint8Array) return hex(value)
  if (Array.isArray(value)) return value.map(plainOwn)
  if (Option.isOption(value)) return plainOwn(Option.getOrNull(value))
  if (Predicate.isTagged(value, "Custom") && Predicate.hasProperty(value, "value")) return `Custom ${value.value}`
  if (Predicate.hasProperty(value, "_tag")) return String(value._tag)
  return null
}

/** Our own value in plain form, under the IDL's names. */
export const plain = (value: Account | Event | InstructionData): Plain => {
  const { _tag, ...fields } = value
  return Object.fromEntries(
    Object.entries(fields).map(([name, field]) => [renamed[_tag]?.[name] ?? name, plainOwn(field)])
  )
}

/** Codama's texts go through Kit, which drops a byte order mark in front and every NUL. */
export const asKitReads = (value: Plain): Plain => {
  if (typeof value === "string") return value.replace(/^\ufeff/, "").replaceAll("\0", "")
  if (value === null || typeof value === "boolean") return value
  return Array.isArray(value)
    ? value.map(asKitReads)
    : Object.fromEntries(Object.entries(value).map(([name, field]) => [name, asKitReads(field)]))
}

const withoutPadding = (fields: object): Array<[string, unknown]> =>
  Object.entries(fields).filter(([name]) => name !== "reserved" && name !== "discriminator")

const unit = (variant: string): string => `${variant.charAt(0).toUpperCase()}${variant.slice(1)}`

const plainCodama = (value: unknown, enumNames?: ReadonlyArray<string>): Plain => {
  if (typeof value === "number" && enumNames !== undefined) return enumNames[value] ?? null
  if (typeof value === "number" || typeof value === "bigint") return String(value)
  if (typeof value === "string" || typeof value === "boolean") return value
  if (Array.isArray(value)) return hashOf(value) ?? value.map((item) => plainCodama(item))
  if (Predicate.hasProperty(value, "__option")) {
    return Predicate.hasProperty(value, "value") ? plainCodama(value.value) : null
  }
  if (Predicate.hasProperty(value, "__kind")) {
    const payload = Predicate.hasProperty(value, "fields") && Array.isArray(value.fields) ? ` ${value.fields[0]}` : ""
    return `${unit(String(value.__kind))}${payload}`
  }
  return null
}

const scalars: { readonly [field: string]: ReadonlyArray<string> } = {
  visibility: ["Public", "Private"],
  status: ["Pending", "Delivered", "Read", "Failed"],
  newStatus: ["Pending", "Delivered", "Read", "Failed"]
}

const camel = (name: string): string => name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
const lowerFirst = (name: string): string => `${name.charAt(0).toLowerCase()}${name.slice(1)}`

const idlName = (tag: string): string => (tag === "DirectMessage" ? "MessageAccount" : tag)

/** What Codama reads. */
export const codama = (kind: "accounts" | "events" | "instructions", tag: string, bytes: Uint8Array): Plain => {
  const node = root.program[kind].find(({ name }: { readonly name: string }) => name === lowerFirst(idlName(tag)))
  if (node === undefined) throw new Error(`the IDL has no ${tag}`)
  const value = getNodeCodec([root, root.program, node]).decode(bytes)
  return Predicate.isRecord(value)
    ? Object.fromEntries(withoutPadding(value).map(([name, field]) => [name, plainCodama(field, scalars[name])]))
    : null
}

const plainAnchor = (value: unknown): Plain => {
  if (value === null || value === undefined) return null
  if (BN.isBN(value)) return value.toString()
  if (value instanceof web3.PublicKey) return value.toBase58()
  if (typeof value === "number") return String(value)
  if (typeof value === "string" || typeof value === "boolean") return value
  if (Array.isArray(value)) {
    return hashOf(value) ?? value.map(plainAnchor)
  }
  const [variant, payload] = Object.entries(value)[0] ?? []
  const first = Predicate.isRecord(payload) ? Object.values(payload)[0] : undefined
  return first === undefined ? unit(String(variant)) : `${unit(String(variant))} ${first}`
}

const plainAnchorFields = (value: object): Plain =>
  Object.fromEntries(withoutPadding(value).map(([name, field]) => [camel(name), plainAnchor(field)]))

/** What Anchor reads. */
export const anchorAccount = (tag: string, bytes: Uint8Array): Plain =>
  plainAnchorFields(anchor.accounts.decode(idlName(tag), Buffer.from(bytes)))

/** What Anchor reads. */
export const anchorInstruction = (bytes: Uint8Array): Plain =>
  plainAnchorFields(anchor.instruction.decode(Buffer.from(bytes))?.data ?? {})

/** What Anchor reads. */
export const anchorEvent = (bytes: Uint8Array): Plain =>
  plainAnchorFields(anchor.events.decode(Buffer.from(bytes).toString("base64"))?.data ?? {})

/** The instruction's name in the IDL, and its arguments, as Anchor reads them. */
export const anchorNamed = (
  bytes: Uint8Array
): { readonly name: string; readonly args: { readonly [field: string]: Plain } } => {
  const decoded = anchor.instruction.decode(Buffer.from(bytes))
  if (decoded === null) throw new Error("Anchor does not know the instruction")
  return {
    name: decoded.name,
    args: Object.fromEntries(withoutPadding(decoded.data).map(([name, field]) => [camel(name), plainAnchor(field)]))
  }
}
