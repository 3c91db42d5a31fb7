/**
 * Shows the status of a running cluster. A terminal has one line that changes; a pipe gets a new line every ten
 * seconds.
 */
import * as EmbeddedCluster from "@pod-protocol/effect/layers/EmbeddedCluster"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"

const TERMINAL_SECONDS = 1
const PIPE_SECONDS = 10

const CLEAR_LINE = "\r\u001b[2K"

const line = ({ slot, subscriptions }: EmbeddedCluster.Activity, perSecond: number) =>
  `slot ${slot} · ${perSecond.toFixed(perSecond < 10 ? 1 : 0)} transactions/s · ${subscriptions} subscriptions`

/** Shows the status until it is interrupted. In a pipe, it prints only changes. */
export const show = Effect.gen(function* () {
  const cluster = yield* EmbeddedCluster.EmbeddedCluster
  const isTerminal = process.stdout.isTTY
  const seconds = isTerminal ? TERMINAL_SECONDS : PIPE_SECONDS
  const write = (text: string) =>
    isTerminal ? Effect.sync(() => process.stdout.write(CLEAR_LINE + text)) : Console.log(text)
  let before = yield* cluster.activity
  return yield* Effect.forever(
    Effect.gen(function* () {
      yield* Effect.sleep(`${seconds} seconds`)
      const now = yield* cluster.activity
      const changed = now.slot !== before.slot || now.subscriptions !== before.subscriptions
      if (isTerminal || changed) yield* write(line(now, (now.transactions - before.transactions) / seconds))
      before = now
    })
  ).pipe(Effect.ensuring(isTerminal ? Effect.sync(() => process.stdout.write(CLEAR_LINE)) : Effect.void))
})
