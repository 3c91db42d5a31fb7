/** Runs one runner over SQLite, which makes the sends itself. It is killed and started again. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Child from "./Child.js"
import type { Chain, Observed, Options } from "./Options.js"

/** Waits until `count` sends have a receipt. */
const reached = (sent: () => number, count: number) => Effect.repeat(Effect.sleep(20), { until: () => sent() >= count })

export const run = (options: Options, chain: Chain, database: string): Effect.Effect<Observed, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    const done = new Set<number>()
    const all: Array<Child.Child> = []
    const indexes = Array.from({ length: options.sends }, (_, index) => index)
    let failoverMillis = 0
    for (let kills = 0; done.size < options.sends; kills++) {
      const before = yield* Clock.currentTimeMillis
      const known = done.size
      const child = yield* Child.start(
        options.launch("single"),
        {
          url: chain.url,
          payloads: chain.payloads,
          agents: options.agents,
          database,
          sends: indexes.filter((index) => !done.has(index))
        },
        (index) => done.add(index)
      )
      all.push(child)
      if (kills > 0) {
        yield* reached(() => done.size, known + 1)
        failoverMillis = Math.max(failoverMillis, (yield* Clock.currentTimeMillis) - before)
      }
      if (kills < options.kill) {
        yield* reached(() => done.size, Math.floor((options.sends * (kills + 1)) / (options.kill + 2)))
        yield* child.signal("SIGKILL")
      }
      yield* child.exited
    }
    return { aliveTwice: Child.aliveTwice(all), failoverMillis, handOverMillis: 0, failedAsks: 0 }
  })
