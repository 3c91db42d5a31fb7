/** What the processes of the example agree on: the wallets of the agents, and what each send is. */
import { createPrivateKey, createPublicKey } from "node:crypto"
import * as WalletNode from "@pod-protocol/effect/layers/WalletNode"
import type { Service as WalletService } from "@pod-protocol/effect/services/Wallet"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"

/** What a process is to do. It is the argument of the process. */
export const Task = Schema.parseJson(
  Schema.Struct({
    /** The RPC node. */
    url: Schema.String,
    /** The folder of payloads, which all processes share. */
    payloads: Schema.String,
    agents: Schema.Number,
    /** Postgres' URL, or the path of an SQLite file. */
    database: Schema.String,
    /** The port of a runner. */
    port: Schema.optional(Schema.Number),
    /** The sends that a process by itself is to make. */
    sends: Schema.optional(Schema.Array(Schema.Number))
  })
)

/** What a process reports, a line each. */
export const Line = Schema.parseJson(
  Schema.Union(
    Schema.TaggedStruct("Ready", {}),
    /** An agent came to this process, or left it. */
    Schema.TaggedStruct("Alive", { agent: Schema.String, at: Schema.Number }),
    Schema.TaggedStruct("Gone", { agent: Schema.String, at: Schema.Number }),
    Schema.TaggedStruct("Sent", { index: Schema.Number })
  )
)

/** PKCS #8 of an Ed25519 key, before its 32 bytes. */
const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex")

/** The wallet of an agent of the example. Its key is no secret. */
export const walletOf = (index: number): Effect.Effect<WalletService> => {
  const seed = Buffer.alloc(32, "pod-cluster")
  seed.writeUInt32LE(index)
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: "der", type: "pkcs8" })
  const { x = "" } = createPublicKey(key).export({ format: "jwk" })
  const secret = Uint8Array.from(Buffer.concat([seed, Buffer.from(x, "base64url")]))
  return Effect.orDie(WalletNode.fromSecretKey(Redacted.make(secret)))
}

export const walletsOf = (agents: number): Effect.Effect<ReadonlyArray<WalletService>> =>
  Effect.forEach(
    Array.from({ length: agents }, (_, index) => index),
    walletOf
  )

/** Send number `index`: from one agent to the next. */
export const sendOf = (index: number, agents: number) => ({
  sender: index % agents,
  recipient: (index + 1) % agents,
  id: `send-${index}`,
  payload: `message ${index}`
})
