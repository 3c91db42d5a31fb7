/** WebSocket frames of a node to the client. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { SubscriptionError } from "../../services/RpcTransport.js"
import { SYSTEM_PROGRAM } from "../../src/solana/Address.js"
import { transports } from "../layers/transports.js"
import { serveFrames, written } from "../support/hostileFrames.js"
import * as Supply from "./Supply.js"
import * as Tally from "./Tally.js"

/** Concurrent pools, each with its own socket. */
const POOLS = 4

/** Polls without a further frame after which the clients count as hung: about a minute. */
const IDLE_POLLS = 1200

export const play = (tally: Tally.Tally, cases: number, seed: number) =>
  Effect.forEach(
    transports,
    ([name, { pool }], nth) =>
      Effect.scoped(
        Effect.gen(function* () {
          const what = `frames over ${name}`
          const wanted = Math.ceil(cases / transports.length)
          const { read, stuck, wsUrl } = yield* serveFrames(Supply.make(written, seed + nth * 1_000_003))
          const subscribe = Effect.gen(function* () {
            const rpc = yield* pool(
              { url: "http://127.0.0.1:1", wsUrl },
              {
                reconnect: { baseDelay: "1 millis", maxDelay: "1 millis" },
                circuit: { cooldown: "1 millis", maxCooldown: "1 millis" },
                maxNotificationBytes: 1_000_000
              }
            )
            return yield* rpc.accountSubscribe(SYSTEM_PROGRAM).pipe(
              Stream.runDrain,
              Effect.catchAllCause((cause) =>
                Tally.end(tally, what, Effect.failCause(cause), (error) => error instanceof SubscriptionError)
              ),
              Effect.forever,
              Effect.forkScoped
            )
          })
          const readers = yield* Effect.replicateEffect(subscribe, POOLS)
          let idle = 0
          for (let seen = -1; seen < wanted && idle < IDLE_POLLS;) {
            idle = read() === seen ? idle + 1 : 0
            seen = read()
            yield* Effect.sleep("50 millis")
          }
          if (idle === IDLE_POLLS) tally.hangs.push(`${what}: the clients read no further frame`)
          if (stuck() > 0) tally.hangs.push(`${what}: ${stuck()} connections stayed after the server's end`)
          yield* Tally.end(tally, `${what}: interruption`, Fiber.interruptAll(readers), () => true)
          tally.cases += read()
        })
      ),
    { discard: true }
  )
