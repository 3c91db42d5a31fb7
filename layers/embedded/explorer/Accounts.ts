/** Accounts in the explorer's form. Those of the program are decoded. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Account from "../../../src/protocol/Account.js"
import { PROGRAM_ID } from "../../../src/protocol/Program.js"
import * as Base64 from "../../../src/solana/Base64.js"
import * as Json from "../../../src/solana/Json.js"
import type { Service } from "../Model.js"
import { Integer, read } from "./Reply.js"

const Stored = Schema.Struct({
  lamports: Integer,
  owner: Schema.String,
  executable: Schema.Boolean,
  space: Schema.Number,
  data: Schema.Tuple(Schema.String, Schema.Literal("base64"))
})

const One = Schema.Struct({ value: Schema.NullOr(Stored) })
const Many = Schema.Struct({ value: Schema.Array(Schema.NullOr(Stored)) })
const Keys = Schema.Array(Schema.Struct({ pubkey: Schema.String }))
const ParsedOne = Schema.Struct({ value: Schema.NullOr(Schema.Struct({ data: Schema.Unknown })) })
const History = Schema.Array(Schema.Struct({ signature: Schema.String, slot: Schema.Number, err: Schema.Unknown }))

/** The kinds of accounts that are listed. */
export const KINDS = [
  "AgentAccount",
  "ChannelAccount",
  "DirectMessage",
  "ChannelMessage",
  "EscrowAccount",
  "ChannelParticipant",
  "ChannelInvitation"
] as const satisfies ReadonlyArray<Account.AccountTag>

type Kind = (typeof KINDS)[number]

/** Maximum accounts of a kind that are shown; a node reads at most 100 at once. */
const SHOWN = 100
const HISTORY = 25
const HEX_BYTES = 1024

const PROCESSED = { commitment: "processed", encoding: "base64" }

const addressesOf = (cluster: Service, kind: Kind) =>
  Effect.map(
    read(cluster, Keys, "getProgramAccounts", PROGRAM_ID, {
      ...PROCESSED,
      dataSlice: { offset: 0, length: 0 },
      filters: [{ memcmp: { offset: 0, bytes: Base64.encode(Account.discriminator(kind)), encoding: "base64" } }]
    }),
    (found) => found.map(({ pubkey }) => pubkey)
  )

const bytesOf = ({ data: [text] }: typeof Stored.Type): Uint8Array =>
  Either.getOrElse(Base64.decode(text), () => new Uint8Array(0))

const decoded = (stored: typeof Stored.Type): Option.Option<Account.Account> =>
  stored.owner === PROGRAM_ID ? Either.getRight(Account.decodeAny(bytesOf(stored))) : Option.none()

/** The title of an account in a list. */
const titleOf = (account: Account.Account): string => {
  switch (account._tag) {
    case "AgentAccount":
      return account.metadataUri
    case "ChannelAccount":
      return account.name
    case "ChannelMessage":
      return account.content
    case "DirectMessage":
      return `${account.status}, to ${account.recipient}`
    case "EscrowAccount":
      return `of ${account.depositor}`
    case "ChannelParticipant":
      return account.agent
    case "ChannelInvitation":
      return `to ${account.invitee}`
  }
}

/** The number of accounts of each kind, and the first ones of one kind. */
export const list = (cluster: Service, kind: Kind) =>
  Effect.gen(function* () {
    const found = yield* Effect.all(
      Object.fromEntries(KINDS.map((each) => [each, addressesOf(cluster, each)] as const))
    )
    const addresses = found[kind] ?? []
    const shown = addresses.slice(0, SHOWN)
    const { value } = yield* read(cluster, Many, "getMultipleAccounts", shown, PROCESSED)
    return {
      counts: Object.fromEntries(Object.entries(found).map(([each, { length }]) => [each, length])),
      total: addresses.length,
      accounts: value.flatMap((stored, index) =>
        stored === null
          ? []
          : [
              {
                address: shown[index],
                lamports: String(stored.lamports),
                title: Option.match(decoded(stored), { onNone: () => "(cannot be decoded)", onSome: titleOf })
              }
            ]
      )
    }
  })

const hexOf = (bytes: Uint8Array): string => {
  const lines: Array<string> = []
  for (let at = 0; at < Math.min(bytes.length, HEX_BYTES); at += 16) {
    const line = Array.from(bytes.subarray(at, at + 16), (byte) => byte.toString(16).padStart(2, "0")).join(" ")
    lines.push(`${at.toString(16).padStart(6, "0")}  ${line}`)
  }
  if (bytes.length > HEX_BYTES) lines.push(`… ${bytes.length - HEX_BYTES} more bytes`)
  return lines.join("  \n")
}

/** One account, with its latest transactions. */
export const account = (cluster: Service, address: string) =>
  Effect.gen(function* () {
    const { value } = yield* read(cluster, One, "getAccountInfo", address, PROCESSED)
    const signatures = yield* read(cluster, History, "getSignaturesForAddress", address, { limit: HISTORY })
    const history = signatures.map(({ err, signature, slot }) => ({
      signature,
      slot,
      err: err === null ? null : typeof err === "string" ? err : Json.stringify(err)
    }))
    if (value === null) return { address, missing: true, history }
    const own = decoded(value)
    const parsed = yield* read(cluster, ParsedOne, "getAccountInfo", address, { ...PROCESSED, encoding: "jsonParsed" })
    const bytes = bytesOf(value)
    const fields = Option.getOrUndefined(Option.map(own, (found) => found.toJSON()))
    return {
      address,
      type: fields?._tag,
      decoded: fields,
      parsed: Array.isArray(parsed.value?.data) ? undefined : parsed.value?.data,
      lamports: String(value.lamports),
      owner: value.owner,
      executable: value.executable,
      space: value.space,
      hex: bytes.length === 0 ? undefined : hexOf(bytes),
      history
    }
  })
