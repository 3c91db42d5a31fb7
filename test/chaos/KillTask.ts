import * as Schema from "effect/Schema"
import * as Signatures from "../../src/solana/Signature.js"

/** The task of a process that will be killed. */
export const Task = Schema.parseJson(
  Schema.Struct({
    endpoints: Schema.Array(Schema.Struct({ url: Schema.String, wsUrl: Schema.String })),
    broadcast: Schema.Number,
    /** The seed of the wallet. */
    wallet: Schema.Number,
    messages: Schema.Number,
    /** The folder of the journal. */
    directory: Schema.String
  })
)

/** A report: the process runs, or the outcome of a transaction of a message or of the journal. */
export const Line = Schema.parseJson(
  Schema.Struct({
    index: Schema.optional(Schema.Number),
    landed: Schema.optional(Signatures.Schema),
    failed: Schema.optional(Schema.String),
    /** The signature of a failed transaction, if it was signed. */
    signature: Schema.optional(Signatures.Schema)
  })
)
