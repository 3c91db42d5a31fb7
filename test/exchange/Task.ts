/** What an agent of the exchange is to do, what it reports, and what the two say to each other. */
import * as Schema from "effect/Schema"

export const Task = Schema.parseJson(
  Schema.Struct({
    rpc: Schema.Struct({ url: Schema.String, wsUrl: Schema.String }),
    payloads: Schema.String,
    token: Schema.String,
    /** Seed of the agent's wallet. */
    own: Schema.Number,
    /** Seed of the other agent's wallet. */
    peer: Schema.Number,
    /** Messages that it sends, and messages that it receives. */
    messages: Schema.Number
  })
)

/** A message that was read, verified and marked; `wrong` names what differs from the message that was sent. */
export const Line = Schema.parseJson(
  Schema.Struct({ sender: Schema.Number, index: Schema.Number, wrong: Schema.optional(Schema.String) })
)

/** Every other message is sealed. */
export const isSealed = (index: number): boolean => index % 2 === 1

/** A text that occurs nowhere else. */
export const markOf = (sender: number, index: number): string => `exchange ${sender} ${index} begins`

/** Up to 6 KiB, so that both steps of the padding occur. */
export const textOf = (sender: number, index: number): string =>
  `${markOf(sender, index)} ${"and goes on ".repeat((index * 37) % 512)}`

/** The number of a text; -1 for one that was never sent. */
export const indexOf = (text: string): number => Number(/^exchange \d+ (\d+) begins/.exec(text)?.[1] ?? -1)
