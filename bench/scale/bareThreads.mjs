import { KeyObject, sign } from "node:crypto"
/** Threads that sign their share of some messages: what a batch takes without a pool, a queue and answers. */
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads"

const START = 0
const DONE = 1

/** Starts the threads. Each call of `run` signs all messages, and ends when the last thread has ended. */
export const start = async (threads, messages, privateKey) => {
  const counters = new Int32Array(new SharedArrayBuffer(8))
  const key = KeyObject.from(privateKey)
  const shares = Array.from({ length: threads }, (_, index) => messages.filter((_, at) => at % threads === index))
  const workers = shares.map(
    (share) => new Worker(fileURLToPath(import.meta.url), { workerData: { counters, key, share } })
  )
  await Promise.all(workers.map((worker) => once(worker, "message")))
  return {
    run: async () => {
      Atomics.store(counters, DONE, 0)
      Atomics.add(counters, START, 1)
      Atomics.notify(counters, START)
      for (let done = 0; done < threads; done = Atomics.load(counters, DONE)) {
        await Atomics.waitAsync(counters, DONE, done).value
      }
    },
    end: () => Promise.all(workers.map((worker) => worker.terminate()))
  }
}

if (!isMainThread && parentPort !== null) {
  const { counters, key, share } = workerData
  // oxlint-disable-next-line require-post-message-target-origin
  parentPort.postMessage("ready")
  for (let round = 0; ; round++) {
    Atomics.wait(counters, START, round)
    for (const message of share) sign(null, message, key)
    Atomics.add(counters, DONE, 1)
    Atomics.notify(counters, DONE)
  }
}
