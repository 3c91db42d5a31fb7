/**
 * The explorer of a served cluster: the page, and the JSON replies to the page's requests.
 *
 * It calls only the cluster's own methods that let no slots pass: viewing a cluster must not change it.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Json from "../../../src/solana/Json.js"
import type { Service } from "../Model.js"
import type { JsonRpcError } from "../rpc/JsonRpcError.js"
import * as Accounts from "./Accounts.js"
import * as Page from "./Page.js"
import * as Reply from "./Reply.js"
import * as Transactions from "./Transactions.js"

/** An answer to a request of a browser. */
export interface Answer {
  readonly status: number
  readonly contentType: string
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

/** Blocks of the overview, and the number of slots that are searched for them: most slots may have no block. */
const BLOCKS = 60
const SLOTS = 20_000
const LATEST = 40

const overview = (cluster: Service) =>
  Effect.gen(function* () {
    const { slot, subscriptions, transactions } = yield* cluster.activity
    const first = Math.max(0, Number(slot) - SLOTS)
    const slots = yield* Reply.read(cluster, Schema.Array(Schema.Number), "getBlocks", first, {
      commitment: "confirmed"
    })
    const blocks = yield* Effect.forEach(slots.slice(-BLOCKS), (each) => Transactions.block(cluster, each))
    const latest = blocks.toReversed().flatMap((block) => block.latest)
    return {
      slot: String(slot),
      height: blocks.at(-1)?.height ?? 0,
      transactions,
      subscriptions,
      blockMode: cluster.settings.blockMode,
      slots: blocks.map((block) => ({
        slot: block.slot,
        transactions: block.latest.length,
        failed: block.latest.filter(({ err }) => err !== null).length
      })),
      latest: latest.slice(0, LATEST)
    }
  })

const json = (status: number, value: unknown): Answer => ({
  status,
  contentType: "application/json",
  headers: Page.HEADERS,
  text: Json.stringify(value)
})

const refusal = (status: number, error: string): Answer => json(status, { error })

const WHOLE = /^\d{1,15}$/

/**
 * Answers a `GET` of the path and its query; undefined for a path outside the explorer. `sockets` is the origin of the
 * cluster's WebSocket, as the browser names it.
 */
export const answer = (
  cluster: Service,
  url: string,
  sockets: string | undefined
): Effect.Effect<Answer> | undefined => {
  const [path = "", search = ""] = url.split("?")
  if (path === "/") {
    return Effect.succeed({
      status: 200,
      contentType: "text/html; charset=utf-8",
      headers: Page.headers(sockets),
      text: Page.html
    })
  }
  const query = new URLSearchParams(search)
  const asked = query.get("signature") ?? query.get("address") ?? query.get("slot") ?? query.get("type") ?? ""
  const found = read(cluster, path, asked)
  return (
    found &&
    found.pipe(
      Effect.map((value) => (value === undefined ? refusal(404, "This cluster has no such item.") : json(200, value))),
      Effect.catchAll(({ message }) => Effect.succeed(refusal(400, message)))
    )
  )
}

const read = (
  cluster: Service,
  path: string,
  asked: string
): Effect.Effect<object | undefined, JsonRpcError> | undefined => {
  switch (path) {
    case "/explorer/overview":
      return overview(cluster)
    case "/explorer/transaction":
      return Transactions.transaction(cluster, asked)
    case "/explorer/slot":
      return WHOLE.test(asked) ? Transactions.block(cluster, Number(asked)) : Effect.succeed(undefined)
    case "/explorer/account":
      return Accounts.account(cluster, asked)
    case "/explorer/accounts": {
      const kind = Accounts.KINDS.find((each) => each === asked)
      return kind === undefined ? Effect.succeed(undefined) : Accounts.list(cluster, kind)
    }
    default:
      return undefined
  }
}
