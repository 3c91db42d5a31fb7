import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Base58 from "../../src/solana/Base58.js"
import * as Base64 from "../../src/solana/Base64.js"
import * as Json from "../../src/solana/Json.js"
import { type Answer, Call } from "./Call.js"
import type { Dice } from "./Dice.js"
import type { Faults } from "./Faults.js"
import * as Lag from "./Lag.js"
import * as Lying from "./Lying.js"

/** The client's reply: an answer, whole or cut after some bytes, or a closed socket. */
export type Reply =
  | { readonly _tag: "Cut" }
  | {
      readonly _tag: "Reply"
      readonly status: number
      readonly headers: Readonly<Record<string, string>>
      readonly body: Buffer
      readonly cutAfter?: number
    }

const CUT: Reply = { _tag: "Cut" }

const page = (status: number, headers: Readonly<Record<string, string>> = {}): Reply => ({
  _tag: "Reply",
  status,
  headers: { "content-type": "text/html", ...headers },
  body: Buffer.from("<html><body>The service is having a moment.</body></html>")
})

/** Maximum milliseconds until a late or repeated call reaches the node. */
export const LATE_MILLIS = 1000

const calls = Schema.decodeUnknownEither(Schema.Union(Call, Schema.Array(Call)))

const isRead = (call: Call): boolean => call.method.startsWith("get")

/** The first signature of the transaction, which is a node's answer. */
const signatureOf = ({ params: [wire] }: Call): string =>
  Either.match(Base64.decode(typeof wire === "string" ? wire : ""), {
    onLeft: () => "",
    onRight: (bytes) => Base58.encode(bytes.subarray(1, 65))
  })

export interface Options {
  readonly faults: Faults
  /** Whether the node lags in all its replies. */
  readonly lags: boolean
  /** Whether the node lies, with the probability in the faults. */
  readonly lies: boolean
  /** Calls the node. */
  readonly node: (call: Call) => Effect.Effect<Answer>
}

/** Handles one HTTP request with the faults that the dice select. Late calls end with the scope. */
export const make = ({ faults, lags, lies, node }: Options) => {
  const afterwards = (call: Call, dice: Dice) => Effect.forkScoped(Effect.delay(node(call), dice.roll() * LATE_MILLIS))

  const carry = (call: Call, dice: Dice): Effect.Effect<Answer, never, Scope.Scope> =>
    Effect.gen(function* () {
      if (call.method === "sendTransaction") {
        const answer: Answer = { jsonrpc: "2.0", id: call.id, result: signatureOf(call) }
        if (dice.meets(faults.swallow)) return answer
        if (dice.meets(faults.late)) return yield* Effect.as(afterwards(call, dice), answer)
      }
      const isBehind = lags || (isRead(call) && dice.meets(faults.stale))
      const carried = isBehind ? Lag.ask(call) : call
      const said = yield* node(carried)
      const answer = isBehind ? Lag.tell(call, said) : said
      if (answer.error === undefined && dice.meets(faults.duplicate)) yield* afterwards(carried, dice)
      const told = lies && dice.meets(faults.lies) ? Lying.tell(call, answer, dice) : answer
      return dice.meets(faults.wrongId) ? { ...told, id: Math.floor(dice.roll() * 2 ** 31) } : told
    })

  return (text: string, dice: Dice): Effect.Effect<Reply, never, Scope.Scope> =>
    Effect.gen(function* () {
      yield* Effect.sleep(faults.latency + dice.roll() * faults.jitter)
      if (dice.meets(faults.dropBefore)) return CUT
      if (dice.meets(faults.rateLimit)) return page(429)
      if (dice.meets(faults.retryAfter)) {
        const soon = new Date((yield* Clock.currentTimeMillis) + 1000)
        return page(429, { "retry-after": dice.pick(["0", "1", soon.toUTCString()]) })
      }
      const failure = dice.meets(faults.serverError) ? page(dice.pick([500, 502, 503, 504])) : undefined
      if (failure !== undefined && dice.meets(0.5)) return failure

      const asked = Either.flatMap(Json.parse(text), calls)
      if (Either.isLeft(asked)) return page(400)
      const answered = yield* "method" in asked.right
        ? carry(asked.right, dice)
        : Effect.forEach(asked.right, (call) => carry(call, dice), { concurrency: "unbounded" })
      const body = Buffer.from(Json.stringify(answered))

      if (dice.meets(faults.dropAfter)) return CUT
      if (failure !== undefined) return failure
      if (dice.meets(faults.html)) return page(200)
      const headers = { "content-type": "application/json" }
      if (dice.meets(faults.truncatedJson)) {
        return { _tag: "Reply", status: 200, headers, body: body.subarray(0, Math.floor(dice.roll() * body.length)) }
      }
      return dice.meets(faults.cutBody)
        ? { _tag: "Reply", status: 200, headers, body, cutAfter: Math.floor(body.length / 2) }
        : { _tag: "Reply", status: 200, headers, body }
    })
}
