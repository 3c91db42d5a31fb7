/**
 * SIMD: decays the scores of 100,000 agents, adds their gains and searches them, at memory speed.
 *
 *     npx tsx examples/guide/reputation.ts
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Reputation from "@pod-protocol/effect/reputation/Reputation"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"

const AGENTS = 100_000

const program = Effect.gen(function* () {
  const reputation = yield* Reputation.make({ capacity: AGENTS })
  reputation.scores.fill(50)

  // Gains of one day: one agent in ten answered a message, agent 7 answered many
  for (let agent = 0; agent < AGENTS; agent += 10) reputation.gains[agent] = 1
  reputation.gains[7] = 30

  const [elapsed] = yield* Effect.timed(reputation.update(reputation.gains, { decay: 0.99, weight: 1.1, cap: 100 }))
  const best = yield* reputation.inRange(80, 100)
  const active = yield* reputation.inRange(50, 100)

  yield* Console.log(`Kernel: ${reputation.kernel}, memory: ${(12 * AGENTS) / 1e6} MB`)
  yield* Console.log(`Best agents: ${best.join(", ")}, with ${reputation.scores[7]?.toFixed(1)}`)
  yield* Console.log(`Agents from 50: ${active.length}`)
  yield* Effect.logDebug("One update", elapsed)
})

NodeRuntime.runMain(program)
