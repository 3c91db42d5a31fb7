/**
 * A node that does no work: every request gets the same reply, with its own id. Benchmarks fork it and receive its port.
 */
import { createServer } from "node:net"

const HEAD_END = Buffer.from("\r\n\r\n")

const server = createServer((socket) => {
  let held = Buffer.alloc(0)
  socket.setNoDelay(true)
  socket.on("error", () => undefined)
  socket.on("data", (data) => {
    held = held.length === 0 ? data : Buffer.concat([held, data])
    for (;;) {
      const headEnd = held.indexOf(HEAD_END)
      if (headEnd < 0) return
      const length = Number(/content-length: (\d+)/i.exec(held.toString("latin1", 0, headEnd))?.[1] ?? 0)
      const end = headEnd + HEAD_END.length + length
      if (held.length < end) return
      const id = /"id":("?\d+"?)/.exec(held.toString("latin1", headEnd, end))?.[1] ?? "0"
      held = held.subarray(end)
      const body = `{"jsonrpc":"2.0","result":{"context":{"slot":1},"value":5},"id":${id}}`
      socket.write(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
    }
  })
})

server.listen(0, "127.0.0.1", () => process.send?.(server.address()))
process.once("disconnect", () => process.exit())
