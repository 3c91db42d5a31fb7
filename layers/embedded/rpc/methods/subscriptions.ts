/** The parameters of each kind of subscription, and its immediate notification, if any. */
import type { Commitment } from "@solana/kit"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type { Chain } from "../../chain/Chain.js"
import { type FeedKind, signatureResult, type Topic } from "../Feeds.js"
import * as Filters from "../Filters.js"
import * as JsonRpcError from "../JsonRpcError.js"
import * as Params from "../Params.js"
import { knownStatus } from "./transactions.js"

/** A requested subscription. */
export interface SubscriptionRequest {
  readonly topic: Topic
  readonly commitment: Commitment
  /** The only notification, if it is available at once. */
  readonly answer: unknown
}

type Reader = (chain: Chain, params: ReadonlyArray<unknown>) => Params.Read<SubscriptionRequest>

/** The kinds of subscription, as in method names. */
export const KINDS: ReadonlyArray<FeedKind> = [
  "account",
  "program",
  "logs",
  "signature",
  "slot",
  "root",
  "slotsUpdates"
]

const none = Params.decode(Schema.Tuple(), 0, 0)

const CommitmentConfig = Schema.Struct({ commitment: Params.maybe(Params.Commitment) })

const request = (topic: Topic, commitment: Commitment | null | undefined, answer?: unknown): SubscriptionRequest => ({
  topic,
  commitment: commitment ?? "finalized",
  answer
})

const accountParams = Params.decode(Schema.Tuple(Schema.String, Params.optional(Params.AccountConfig)), 1, 2)

const account: Reader = (_, params) =>
  Either.gen(function* () {
    const [text, config] = yield* accountParams(params)
    const address = yield* Params.address(text)
    return request({ kind: "account", address, view: config ?? {} }, config?.commitment)
  })

const programParams = Params.decode(
  Schema.Tuple(
    Schema.String,
    Params.optional(Schema.Struct({ ...Params.accountFields, filters: Params.maybe(Schema.Array(Filters.Filter)) }))
  ),
  1,
  2
)

const program: Reader = (_, params) =>
  Either.gen(function* () {
    const [text, config] = yield* programParams(params)
    const address = yield* Params.address(text)
    const accepts = yield* Filters.compile(config?.filters)
    return request({ kind: "program", program: address, view: config ?? {}, accepts }, config?.commitment)
  })

const logsParams = Params.decode(
  Schema.Tuple(
    Schema.Union(Schema.Literal("all", "allWithVotes"), Schema.Struct({ mentions: Schema.Array(Schema.String) })),
    Params.optional(CommitmentConfig)
  ),
  1,
  2
)

const logs: Reader = (_, params) =>
  Either.gen(function* () {
    const [filter, config] = yield* logsParams(params)
    if (typeof filter === "string") return request({ kind: "logs", mentions: undefined }, config?.commitment)
    const [mention, ...more] = filter.mentions
    if (mention === undefined || more.length > 0) {
      return yield* Either.left(JsonRpcError.params("Invalid Request: Only 1 address supported"))
    }
    return request({ kind: "logs", mentions: yield* Params.address(mention) }, config?.commitment)
  })

const signatureParams = Params.decode(
  Schema.Tuple(
    Schema.String,
    Params.optional(
      Schema.Struct({
        commitment: Params.maybe(Params.Commitment),
        enableReceivedNotification: Params.maybe(Schema.Boolean)
      })
    )
  ),
  1,
  2
)

const signature: Reader = (chain, params) =>
  Either.gen(function* () {
    const [text, config] = yield* signatureParams(params)
    const signature = yield* Params.signature(text)
    const commitment = config?.commitment ?? "finalized"
    const status = knownStatus(chain, signature, commitment)
    const answer = status === undefined ? undefined : signatureResult(status.slot, status.err)
    return request({ kind: "signature", signature }, commitment, answer)
  })

const always =
  (topic: Topic): Reader =>
  (_, params) =>
    Either.map(none(params), () => request(topic, undefined))

const readers: Readonly<Record<FeedKind, Reader>> = {
  account,
  program,
  logs,
  signature,
  slot: always({ kind: "slot" }),
  root: always({ kind: "root" }),
  slotsUpdates: always({ kind: "slotsUpdates" })
}

/** Parses the parameters of a subscribe call. */
export const read = (kind: FeedKind, chain: Chain, params: ReadonlyArray<unknown>): Params.Read<SubscriptionRequest> =>
  readers[kind](chain, params)
