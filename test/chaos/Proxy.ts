import * as Effect from "effect/Effect"
import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { WebSocket, WebSocketServer } from "ws"
import type { Faults } from "./Faults.js"
import { relay } from "./Relay.js"

/** How many answers of a question are kept to answer it stale. */
const MEMORY = 8

/** Mulberry32: uniform in [0, 1), the same for the same seed. */
const random = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
}

const read = async (message: IncomingMessage): Promise<Buffer> => {
  const chunks: Array<Buffer> = []
  for await (const chunk of message) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const forward = (upstream: string, body: Buffer): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const call = request(upstream, { method: "POST", headers: { "content-type": "application/json" } }, (answer) =>
      read(answer).then(resolve, reject)
    )
    call.on("error", reject)
    call.end(body)
  })

const isRead = (body: string): boolean => !/"method":"(sendTransaction|requestAirdrop)"/.test(body)

/** The signature that a node would answer with: the first of the transaction, in base58. */
const swallowed = (body: string, signatureOf: (wireBase64: string) => string): string | undefined => {
  const call = /"method":"sendTransaction","params":\["([^"]+)"/.exec(body)
  const id = /"id":("[^"]*"|\d+)/.exec(body)
  if (call?.[1] === undefined || id?.[1] === undefined || body.startsWith("[")) return undefined
  return `{"jsonrpc":"2.0","id":${id[1]},"result":"${signatureOf(call[1])}"}`
}

export interface ProxyOptions {
  readonly upstream: string
  readonly upstreamWs: string
  readonly faults: Faults
  readonly seed: number
  readonly signatureOf: (wireBase64: string) => string
}

const page = (response: ServerResponse, status: number, headers: Record<string, string> = {}): void => {
  response.writeHead(status, { "content-type": "text/html", ...headers })
  response.end("<html><body>The service is having a moment.</body></html>")
}

/** Stands between a client and a node, and does to their calls what the faults say. */
export const make = ({ faults, seed, signatureOf, upstream, upstreamWs }: ProxyOptions) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const next = random(seed)
      const meets = (probability: number): boolean => next() < probability
      const memory = new Map<string, Array<Buffer>>()

      const remember = (question: string, answer: Buffer) => {
        const answers = memory.get(question) ?? []
        answers.push(answer)
        if (answers.length > MEMORY) answers.shift()
        memory.delete(question)
        memory.set(question, answers)
        if (memory.size > 256) memory.delete(memory.keys().next().value ?? question)
      }

      const answer = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
        const body = await read(message)
        const text = body.toString("utf8")
        const question = text.replace(/"id":("[^"]*"|\d+)/g, "")
        const id = /"id":("[^"]*"|\d+)/.exec(text)?.[1]
        if (faults.latency > 0) await sleep(next() * faults.latency)
        if (meets(faults.dropBefore)) return void message.socket.destroy()
        if (meets(faults.rateLimitWithDate)) return page(response, 429, { "retry-after": next() < 0.5 ? "1" : "0" })
        if (meets(faults.rateLimit)) return page(response, 429)
        if (meets(faults.serverError)) return page(response, [500, 502, 503, 504][Math.floor(next() * 4)] ?? 500)
        if (meets(faults.html)) return page(response, 200)
        const lie = meets(faults.swallow) ? swallowed(text, signatureOf) : undefined
        const past = isRead(text) && meets(faults.stale) ? memory.get(question)?.[0] : undefined
        if (lie === undefined && past === undefined && meets(faults.duplicate)) await forward(upstream, body)
        const live = lie === undefined ? (past ?? (await forward(upstream, body))) : Buffer.from(lie)
        if (isRead(text) && past === undefined) remember(question, live)
        if (meets(faults.dropAfter)) return void message.socket.destroy()
        // A remembered answer bears the id of the call that it answered.
        let reply = past === undefined || id === undefined ? live : withId(live, id)
        if (meets(faults.wrongId)) reply = withId(reply, "987654321")
        if (meets(faults.truncatedJson)) reply = reply.subarray(0, Math.floor(reply.length * next()))
        response.writeHead(200, { "content-type": "application/json", "content-length": reply.length })
        if (meets(faults.cutBody)) {
          response.write(reply.subarray(0, Math.floor(reply.length / 2)), () => message.socket.destroy())
          return
        }
        response.end(reply)
      }

      const http = createServer((message, response) => {
        answer(message, response).catch(() => message.socket.destroy())
      })
      const ws = new WebSocketServer({ port: 0, host: "127.0.0.1" })
      ws.on("connection", (client) => relay(client, new WebSocket(upstreamWs), faults, meets))
      await Promise.all([
        new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve)),
        new Promise<void>((resolve) => ws.once("listening", resolve))
      ])
      return { http, ws }
    }),
    ({ http, ws }) =>
      Effect.promise(async () => {
        for (const client of ws.clients) client.terminate()
        http.closeAllConnections()
        await Promise.all([new Promise((resolve) => ws.close(resolve)), new Promise((resolve) => http.close(resolve))])
      })
  ).pipe(
    Effect.map(({ http, ws }) => ({
      url: `http://127.0.0.1:${portOf(http.address())}`,
      wsUrl: `ws://127.0.0.1:${portOf(ws.address())}`
    }))
  )

const portOf = (address: AddressInfo | string | null): number =>
  typeof address === "object" && address !== null ? address.port : 0

const withId = (reply: Buffer, id: string): Buffer =>
  Buffer.from(reply.toString("utf8").replace(/"id":("[^"]*"|\d+|null)/, `"id":${id}`))
