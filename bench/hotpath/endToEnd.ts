/**
 * Measures the client's CPU time for a message, from its payload to the node's answer. 20 messages are in flight over
 * loopback. The node runs in another process.
 */
import { fork } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { createSolanaRpc } from "@solana/kit"
import * as Redacted from "effect/Redacted"
import { Pool } from "undici"
import * as RpcPoolUndici from "../../layers/RpcPoolUndici.js"
import * as FloorSend from "../floor/send.js"
import * as Fixtures from "./fixtures.js"
import * as Ours from "./ours.js"
import * as Peers from "./peers.js"

const MESSAGES = 100
const CONCURRENCY = 20

/** Starts the node that does no work, and returns its URL. */
export const startNode = async (): Promise<string> => {
  const child = fork(fileURLToPath(new URL("server.mjs", import.meta.url)))
  const [port] = await once(child, "message")
  process.on("exit", () => child.kill())
  return `http://127.0.0.1:${port}`
}

/** Sends a number of messages, twenty at a time. */
const inFlight = (send: Peers.Send) => async (): Promise<void> => {
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < MESSAGES) await send(next++)
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, worker))
}

const floor = (url: string): Peers.Send => {
  const pool = new Pool(url, { connections: CONCURRENCY, pipelining: 1 })
  const build = FloorSend.sender(Fixtures.sender, Fixtures.blockhashBytes, FloorSend.nodeSign(Fixtures.key))
  const headers = { "content-type": "application/json" }
  return async (index) => {
    const wire = build(Fixtures.recipientBytes(index), Fixtures.payload())
    const body = `{"jsonrpc":"2.0","id":${index},"method":"sendTransaction","params":["${wire}",{"encoding":"base64"}]}`
    const reply = await pool.request({ path: "/", method: "POST", headers, body })
    return JSON.parse(await reply.body.text())
  }
}

const hundred = (send: Peers.Send) => ({ run: inFlight(send), operations: MESSAGES })

const ours = (url: string, arraySize: number) =>
  Ours.hundred(RpcPoolUndici.layer({ url: Redacted.make(url), arraySize })).oneByOne

/** The contenders over the node at a URL. Ours sends arrays of a given size, the others send single calls. */
export const contenders = (arraySize: number) => ({
  floor: (url: string) => hundred(floor(url)),
  ours: (url: string) => ({ run: ours(url, arraySize).untraced, operations: MESSAGES }),
  oursTraced: (url: string) => ({ run: ours(url, arraySize).traced, operations: MESSAGES }),
  kit: async (url: string) => {
    const rpc = createSolanaRpc(url)
    return hundred(await Peers.kit((wire) => rpc.sendTransaction(wire, { encoding: "base64" }).send()))
  },
  web3js: async (url: string) => hundred(await Peers.web3js(url)),
  anchor: async (url: string) => hundred(await Peers.anchor(url)),
  pod: async (url: string) => hundred(await Peers.podSdk(url))
})
