/** The node that does no work, on a free port that it sends to its parent. */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { answer } from "./node.js"

interface Request {
  readonly id: unknown
  readonly method: string
  readonly params?: ReadonlyArray<unknown>
}

const reply = ({ id, method, params = [] }: Request) => ({ jsonrpc: "2.0", id, result: answer(method, params) })

const server = createServer((request, response) => {
  const chunks: Array<Buffer> = []
  request.on("data", (chunk: Buffer) => chunks.push(chunk))
  request.on("end", () => {
    const call: Request | ReadonlyArray<Request> = JSON.parse(Buffer.concat(chunks).toString())
    const body = JSON.stringify(Array.isArray(call) ? call.map(reply) : reply(call as Request))
    response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(body) })
    response.end(body)
  })
})
server.keepAliveTimeout = 60_000
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo
  process.send?.(port)
})
process.on("disconnect", () => process.exit())
