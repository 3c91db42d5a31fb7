/** The events of a transaction, read only with web3.js and Anchor's coder over the program's IDL. */
import { utils } from "@coral-xyz/anchor"
import { PublicKey, VersionedTransaction } from "@solana/web3.js"
import * as Schema from "effect/Schema"
import type { ProtocolEvent } from "../../src/protocol/ProtocolEvent.js"
import { anchorNamed, idl, type Plain, plainOwn } from "../protocol/oracles.js"

const Inner = Schema.Struct({
  programIdIndex: Schema.Number,
  accounts: Schema.Array(Schema.Number),
  data: Schema.String
})

/** What a node answers to `getTransaction`, in base64. */
export const Reply = Schema.Struct({
  slot: Schema.Number,
  transaction: Schema.Tuple(Schema.String, Schema.String),
  meta: Schema.Struct({
    err: Schema.Unknown,
    logMessages: Schema.Array(Schema.String),
    innerInstructions: Schema.Array(Schema.Struct({ index: Schema.Number, instructions: Schema.Array(Inner) })),
    loadedAddresses: Schema.Struct({ writable: Schema.Array(Schema.String), readonly: Schema.Array(Schema.String) })
  })
})

/** Our event name, with our field names for the IDL's accounts and arguments. */
const kinds: {
  readonly [name: string]: readonly [tag: ProtocolEvent["_tag"], fields: { readonly [field: string]: string }]
} = {
  register_agent: ["AgentRegistered", { agent: "agent_account", wallet: "signer" }],
  update_agent: ["AgentUpdated", { agent: "agent_account", wallet: "signer" }],
  send_message: ["MessageSent", { message: "message_account", sender: "sender_agent", wallet: "signer" }],
  update_message_status: [
    "MessageStatusChanged",
    { message: "message_account", agent: "recipient_agent", wallet: "signer" }
  ],
  create_channel: ["ChannelCreated", { channel: "channel_account", creator: "creator", agent: "", participant: "" }],
  create_channel_v2: [
    "ChannelCreated",
    { channel: "channel_account", creator: "creator", agent: "agent_account", participant: "participant_account" }
  ],
  update_channel: ["ChannelUpdated", { channel: "channel_account", wallet: "signer" }],
  join_channel: [
    "ChannelJoined",
    {
      channel: "channel_account",
      participant: "participant_account",
      agent: "agent_account",
      wallet: "user",
      invitation: "invitation_account",
      escrow: "escrow_account"
    }
  ],
  leave_channel: [
    "ChannelLeft",
    { channel: "channel_account", participant: "participant_account", agent: "agent_account", wallet: "user" }
  ],
  broadcast_message: [
    "MessageBroadcast",
    {
      channel: "channel_account",
      participant: "participant_account",
      agent: "agent_account",
      wallet: "user",
      message: "message_account"
    }
  ],
  invite_to_channel: [
    "Invited",
    {
      channel: "channel_account",
      invitation: "invitation_account",
      inviter: "inviter",
      agent: "agent_account",
      participant: "participant_account"
    }
  ],
  deposit_escrow: ["EscrowDeposited", { escrow: "escrow_account", channel: "channel_account", depositor: "depositor" }],
  withdraw_escrow: [
    "EscrowWithdrawn",
    { escrow: "escrow_account", channel: "channel_account", depositor: "depositor" }
  ],
  broadcast_message_compressed: [
    "CompressedBroadcast",
    { channel: "channel_account", participant: "participant_account", wallet: "authority" }
  ],
  join_channel_compressed: [
    "CompressedJoined",
    {
      channel: "channel_account",
      agent: "agent_account",
      wallet: "authority",
      invitation: "invitation_account",
      participant: "participant_account"
    }
  ],
  batch_sync_compressed_messages: ["CompressedSynced", { channel: "channel_account", wallet: "authority" }]
}

/** Fields with another name in the IDL. */
const renamed: { readonly [argument: string]: string } = { messageType: "type", newStatus: "status" }

const eventOf = (path: string, accounts: ReadonlyArray<string>, data: Uint8Array): ReadonlyArray<Plain> => {
  const { name, args } = anchorNamed(data)
  const instruction = idl.instructions.find((candidate) => candidate.name === name)
  const kind = kinds[name]
  if (instruction === undefined) throw new Error(`the IDL has no ${name}`)
  if (kind === undefined) return []
  const at = (account: string): Plain => {
    const position = instruction.accounts.findIndex((candidate) => candidate.name === account)
    const address = accounts[position]
    return address === undefined || address === idl.address ? null : address
  }
  const [tag, fields] = kind
  return [
    {
      _tag: tag,
      path,
      accounts,
      ...Object.fromEntries(Object.entries(fields).map(([field, account]) => [field, at(account)])),
      ...Object.fromEntries(Object.entries(args).map(([argument, value]) => [renamed[argument] ?? argument, value]))
    }
  ]
}

/** The events of the node's reply. */
export const eventsOf = (reply: typeof Reply.Type): ReadonlyArray<Plain> => {
  if (reply.meta.err !== null) return []
  const { message } = VersionedTransaction.deserialize(Buffer.from(reply.transaction[0], "base64"))
  const keys = message.getAccountKeys({
    accountKeysFromLookups: {
      writable: reply.meta.loadedAddresses.writable.map((key) => new PublicKey(key)),
      readonly: reply.meta.loadedAddresses.readonly.map((key) => new PublicKey(key))
    }
  })
  const addressAt = (index: number): string => keys.get(index)?.toBase58() ?? "missing"
  return message.compiledInstructions.flatMap(({ accountKeyIndexes, data, programIdIndex }, index) => {
    const outer =
      addressAt(programIdIndex) === idl.address ? eventOf(`${index}`, accountKeyIndexes.map(addressAt), data) : []
    const inner = reply.meta.innerInstructions
      .filter((calls) => calls.index === index)
      .flatMap(({ instructions }) => instructions)
      .flatMap(({ accounts, data, programIdIndex }, at) =>
        addressAt(programIdIndex) === idl.address
          ? eventOf(`${index}.${at}`, accounts.map(addressAt), utils.bytes.bs58.decode(data))
          : []
      )
    return [...outer, ...inner]
  })
}

/** Fields that only a node or the log provides. */
const unknown = new Set(["blockTime", "signature", "slot", "timestamp"])

/** Our event in plain form, without the fields that the oracle lacks. */
export const plain = (event: ProtocolEvent): Plain =>
  Object.fromEntries(
    Object.entries(event)
      .filter(([field]) => !unknown.has(field))
      .map(([field, value]) => [field, plainOwn(value)])
  )
