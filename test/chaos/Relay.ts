import { WebSocket } from "ws"
import type { Faults } from "./Faults.js"

const say = (to: WebSocket, message: Buffer): void => to.send(message, { binary: false })

/** Carries messages between a client's WebSocket and a node's, and loses, repeats and delays what the faults say. */
export const relay = (client: WebSocket, node: WebSocket, faults: Faults, meets: (probability: number) => boolean) => {
  let dead = false
  let held: Buffer | undefined
  const early: Array<Buffer> = []
  const end = () => {
    client.terminate()
    node.terminate()
  }
  client.on("message", (data: Buffer) => {
    if (dead) return
    if (node.readyState === WebSocket.OPEN) say(node, data)
    else early.push(data)
  })
  node.on("open", () => {
    for (const data of early.splice(0)) say(node, data)
  })
  node.on("message", (data: Buffer) => {
    const text = data.toString("utf8")
    if (meets(faults.silentDeath)) dead = true
    if (dead) return
    if (meets(faults.cutSocket)) return end()
    if (!text.includes(`"method":`)) return say(client, data)
    if (meets(faults.loseNotification)) return
    if (held === undefined && meets(faults.reorderNotification)) {
      held = data
      return
    }
    say(client, data)
    if (meets(faults.repeatNotification)) say(client, data)
    if (held !== undefined) {
      say(client, held)
      held = undefined
    }
  })
  for (const socket of [client, node]) {
    socket.on("close", end)
    socket.on("error", end)
  }
}
