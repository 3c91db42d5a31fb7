/** The data that the processes of the example share: the agents' wallets, and the content of each send. */
import { createPrivateKey, createPublicKey } from "node:crypto"
import * as WalletNode from "@pod-protocol/effect/layers/WalletNode"
import type { Service as WalletService } from "@pod-protocol/effect/services/Wallet"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"

/** The task of a process. It is the argument of the process. */
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
    /** The numbers of the sends that the process makes itself. */
    sends: Schema.optional(Schema.Array(Schema.Number))
  })
)

/** A report of a process, as one line of its standard output. */
export const Line = Schema.parseJson(
  Schema.Union(
    Schema.TaggedStruct("Ready", {}),
    /** An agent became active in this process, or stopped. */
    Schema.TaggedStruct("Alive", { agent: Schema.String, at: Schema.Number }),
    Schema.TaggedStruct("Gone", { agent: Schema.String, at: Schema.Number }),
    Schema.TaggedStruct("Sent", { index: Schema.Number })
  )
)

/** The PKCS #8 prefix of an Ed25519 key. The 32 bytes of the key follow. */
const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex")

/** The wallet of an agent of the example. Its key is derived from the index and not secret. */
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

/** The content of send number `index`, from one agent to the next. */
export const sendOf = (index: number, agents: number) => ({
  sender: index % agents,
  recipient: (index + 1) % agents,
  id: `send-${index}`,
  payload: `message ${index}`
})
