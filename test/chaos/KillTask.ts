import * as Schema from "effect/Schema"
import * as Signatures from "../../src/solana/Signature.js"

/** What a process that will be killed is to do. */
export const Task = Schema.parseJson(
  Schema.Struct({
    endpoints: Schema.Array(Schema.Struct({ url: Schema.String, wsUrl: Schema.String })),
    broadcast: Schema.Number,
    /** Of the wallet. */
    wallet: Schema.Number,
    messages: Schema.Number,
    /** Of the journal. */
    directory: Schema.String
  })
)

/** What it tells: that it runs, or what became of a transaction, of one of the messages or of one that was left over. */
export const Line = Schema.parseJson(
  Schema.Struct({
    index: Schema.optional(Schema.Number),
    landed: Schema.optional(Signatures.Schema),
    failed: Schema.optional(Schema.String),
    /** Of what failed, where it was signed. */
    signature: Schema.optional(Signatures.Schema)
  })
)
