/**
 * Lock-free structures: counts requests and records response times in memory that threads share.
 *
 *     npx tsx examples/guide/lock-free.ts
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as AtomicCounter from "@pod-protocol/effect/concurrent/AtomicCounter"
import * as AtomicQueue from "@pod-protocol/effect/concurrent/AtomicQueue"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"

const REQUESTS = 800

/** The memory that a thread receives through `postMessage` or `workerData`. */
interface Buffers {
  readonly requestCount: SharedArrayBuffer
  readonly responseTimes: SharedArrayBuffer
}

/** Opens the structures in a thread. Fails with `InvalidInput` for any other buffer. */
const open = ({ requestCount, responseTimes }: Buffers) =>
  Effect.all({
    requestCount: AtomicCounter.fromBuffer(requestCount),
    responseTimes: AtomicQueue.fromBuffer(responseTimes)
  })

/** Can run on any thread. */
const recordRequests = Effect.fn(function* (buffers: Buffers) {
  const metrics = yield* open(buffers)
  for (let request = 0; request < REQUESTS; request++) {
    metrics.requestCount.increment()
    // In microseconds. Returns false if the queue is full
    yield* metrics.responseTimes.offer(100 + request)
  }
})

const program = Effect.gen(function* () {
  const requestCount = yield* AtomicCounter.make()
  const responseTimes = yield* AtomicQueue.make({ capacity: 1024 })
  yield* recordRequests({ requestCount: requestCount.buffer, responseTimes: responseTimes.buffer })

  const times = responseTimes.drain().toSorted((left, right) => left - right)
  const average = times.reduce((sum, time) => sum + time, 0) / times.length
  yield* Console.log(`Total requests: ${requestCount.get()}`)
  yield* Console.log(`Average response time: ${average} µs`)
  yield* Console.log(`P95 response time: ${times[Math.floor(times.length * 0.95)]} µs`)
})

NodeRuntime.runMain(program)
