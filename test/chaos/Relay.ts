import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { WebSocket } from "ws"
import * as Json from "../../src/solana/Json.js"
import { Call } from "./Call.js"
import type { Dice } from "./Dice.js"
import type { Faults } from "./Faults.js"
import * as Lag from "./Lag.js"

export interface Options {
  readonly faults: Faults
  /** Whether the node lags in all its replies. */
  readonly lags: boolean
  /** The dice of the next message. */
  readonly next: () => Dice
}

const decodeCall = Schema.decodeUnknownEither(Call)

const behind = (text: string): string =>
  Either.match(Either.flatMap(Json.parse(text), decodeCall), {
    onLeft: () => text,
    onRight: (call) => Json.stringify(Lag.ask(call))
  })

/**
 * Passes messages between a client's WebSocket and a node's, and loses, repeats and delays those that the dice select.
 */
export const relay = (client: WebSocket, node: WebSocket, { faults, lags, next }: Options): void => {
  let isDead = false
  let held: string | undefined
  const early: Array<string> = []

  const cut = () => {
    client.terminate()
    node.terminate()
  }
  const notify = (text: string, dice: Dice) => {
    if (dice.meets(faults.loseNotification)) return
    if (held === undefined && dice.meets(faults.reorderNotification)) {
      held = text
      return
    }
    client.send(text)
    if (dice.meets(faults.repeatNotification)) client.send(text)
    if (held !== undefined) client.send(held)
    held = undefined
  }

  client.on("message", (data) => {
    if (isDead) return
    const text = lags ? behind(data.toString()) : data.toString()
    if (node.readyState === WebSocket.OPEN) node.send(text)
    else early.push(text)
  })
  client.on("ping", (data) => {
    if (!isDead) client.pong(data)
  })
  node.on("open", () => early.splice(0).forEach((text) => node.send(text)))
  node.on("message", (data) => {
    const dice = next()
    if (dice.meets(faults.silentDeath)) isDead = true
    if (isDead) return
    if (dice.meets(faults.cutSocket)) return cut()
    const text = data.toString()
    if (text.includes(`"method":`)) notify(text, dice)
    else client.send(text)
  })
  for (const socket of [client, node]) socket.on("close", cut).on("error", cut)
}
