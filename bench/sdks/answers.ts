/**
 * Runs a contender in its own process. For each plan from the parent, it prepares the inputs of the operations, runs
 * them, and sends back their latencies, CPU time, memory and bytes.
 */
import { subscribe } from "node:diagnostics_channel"
import { on } from "node:events"
import type { Socket } from "node:net"
import type { Plan } from "../../services/Benchmark.js"
import type { Ask, Contender, Counted, Measured } from "./protocol.js"

/** Bytes that went through sockets that are closed now, and the open sockets. */
let closed = 0
const sockets = new Set<Socket>()

const bytesOf = ({ bytesRead, bytesWritten }: Socket): number => bytesRead + bytesWritten

subscribe("net.client.socket", (message) => {
  const { socket } = message as { readonly socket: Socket }
  sockets.add(socket)
  socket.once("close", () => {
    sockets.delete(socket)
    closed += bytesOf(socket)
  })
})

const bytes = (): number => [...sockets].reduce((sum, socket) => sum + bytesOf(socket), closed)

const counted = async ({ run, size = 1 }: Counted, { first, operations }: Plan): Promise<Measured> => {
  const micros: Array<number> = []
  const cpu = process.cpuUsage()
  const before = bytes()
  const started = performance.now()
  for (let index = 0; index < operations; index += size) {
    const start = performance.now()
    const count = Math.min(size, operations - index)
    await run(first + index, count)
    const each = ((performance.now() - start) * 1000) / count
    for (let one = 0; one < count; one++) micros.push(each)
  }
  const seconds = (performance.now() - started) / 1000
  const { system, user } = process.cpuUsage(cpu)
  return { micros, seconds, cpuMicros: system + user, rssBytes: process.memoryUsage.rss(), bytes: bytes() - before }
}

const answer = async <Job>(make: (job: Job) => Promise<Contender>): Promise<void> => {
  const contender = await make(JSON.parse(process.argv[2] ?? "{}") as Job)
  process.send?.("ready")
  for await (const [plan] of on(process, "message")) {
    const { isPrepared, ...asked } = plan as Ask
    if (isPrepared)
      process.send?.(await ("measure" in contender ? contender.measure(asked) : counted(contender, asked)))
    else {
      await contender.prepare?.(asked.operations)
      process.send?.("prepared")
    }
  }
}

/** Makes a contender from the job in the arguments of this process, and serves it. */
export const serve = <Job>(make: (job: Job) => Promise<Contender>): void => {
  process.on("disconnect", () => process.exit())
  answer(make).catch((error: unknown) => {
    process.send?.({ failure: error instanceof Error ? error.message : String(error) })
    process.exit(1)
  })
}
