import * as Schema from "effect/Schema"

/** A JSON-RPC call as a client sends it. */
export const Call = Schema.Struct({
  jsonrpc: Schema.Literal("2.0"),
  id: Schema.Unknown,
  method: Schema.String,
  params: Schema.optionalWith(Schema.Array(Schema.Unknown), { default: () => [] })
})

export type Call = typeof Call.Type

/** A node's answer. */
export const Answer = Schema.Struct({
  jsonrpc: Schema.Literal("2.0"),
  id: Schema.Unknown,
  result: Schema.optional(Schema.Unknown),
  error: Schema.optional(Schema.Unknown)
})

export type Answer = typeof Answer.Type
