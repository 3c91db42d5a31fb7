/** `STRESS_ITEMS=10000000 npx vitest run test/concurrent/threads.test.ts` is the large run. */
import * as path from "node:path"
import { Worker } from "node:worker_threads"
import * as Either from "effect/Either"
import { build } from "esbuild"
import { beforeAll, describe, expect, it } from "vitest"
import * as AtomicCounter from "../../src/concurrent/AtomicCounter.js"
import * as Deque from "../../src/concurrent/internal/Deque.js"
import * as Ring from "../../src/concurrent/internal/Ring.js"
import type { Job } from "../support/structureThread.js"

const ITEMS = Number(process.env["STRESS_ITEMS"] ?? 100_000)
const TIMEOUT = 120_000 + ITEMS / 20
const CAPACITY = 1024
/** Near it, positions wrap. */
const START = (2 ** 31 - ITEMS / 2) | 0

let code = ""

beforeAll(async () => {
  const { outputFiles } = await build({
    entryPoints: [path.resolve(import.meta.dirname, "../support/structureThread.ts")],
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "es2022",
    write: false
  })
  code = outputFiles[0]?.text ?? ""
})

interface Run {
  readonly seen: Uint8Array
  readonly words: Int32Array
  readonly job: (role: Job["role"], slot: number, from?: number, to?: number) => Job
}

/** The memory of a run: what was taken, how far each thread is. */
const prepare = (buffer: SharedArrayBuffer, total: number): Run => {
  const seen = new Uint8Array(new SharedArrayBuffer(total))
  const words = new Int32Array(new SharedArrayBuffer(64 * 4))
  const job: Run["job"] = (role, slot, from = 0, to = 0) => {
    words[16 + slot] = from
    return { role, buffer, capacity: CAPACITY, seen: seen.buffer, progress: words.buffer, next: 16 + slot, to, total }
  }
  return { seen, words, job }
}

const start = (job: Job): { readonly worker: Worker; readonly ended: Promise<void> } => {
  const worker = new Worker(code, { eval: true, workerData: job })
  return {
    worker,
    ended: new Promise((resolve, reject) => {
      worker.on("error", reject)
      worker.on("exit", () => resolve())
    })
  }
}

const finish = async (jobs: ReadonlyArray<Job>): Promise<void> => {
  await Promise.all(jobs.map((job) => start(job).ended))
}

/** Runs a job to its end. The thread is terminated some times at random moments; the next one goes on. Returns how often. */
const finishDespiteDeaths = async (job: Job, deaths: number): Promise<number> => {
  let killed = 0
  for (;;) {
    const { ended, worker } = start(job)
    if (killed >= deaths) {
      await ended
      return killed
    }
    await new Promise((resolve) => worker.once("online", resolve))
    const isOver = await Promise.race([
      ended.then(() => true),
      new Promise<boolean>((resolve) => setTimeout(() => resolve(false), Math.random() * 20))
    ])
    if (isOver) return killed
    await worker.terminate()
    killed++
  }
}

const countsOf = (seen: Uint8Array) => {
  let lost = 0
  let doubled = 0
  for (const count of seen) {
    if (count === 0) lost++
    if (count > 1) doubled++
  }
  return { lost, doubled }
}

const makeRing = (): Ring.Ring => {
  const ring = new Ring.Ring(new SharedArrayBuffer(Ring.bytes(CAPACITY)), CAPACITY)
  ring.clear(START)
  return ring
}

const makeDeque = (): SharedArrayBuffer => {
  const buffer = new SharedArrayBuffer(Deque.bytes(CAPACITY))
  new Deque.Deque(buffer, CAPACITY).clear(START)
  return buffer
}

describe.sequential(`${ITEMS} items on four threads`, () => {
  it(
    "Given two producers and two consumers, When all items pass a queue, Then none is lost and none doubled",
    async () => {
      const { job, seen, words } = prepare(makeRing().buffer, ITEMS)
      const half = Math.floor(ITEMS / 2)
      const consumers = [job("consume", 2), job("consume", 3)].map(start)
      await finish([job("produce", 0, 0, half), job("produce", 1, half, ITEMS)])
      Atomics.store(words, 1, 1)
      await Promise.all(consumers.map(({ ended }) => ended))
      expect(countsOf(seen)).toEqual({ lost: 0, doubled: 0 })
    },
    TIMEOUT
  )

  it(
    "Given an owner and three thieves, When all items pass a deque, Then none is lost and none doubled",
    async () => {
      const { job, seen, words } = prepare(makeDeque(), ITEMS)
      const thieves = [job("steal", 1), job("steal", 2), job("steal", 3)].map(start)
      await Promise.all(thieves.map(({ worker }) => new Promise((resolve) => worker.once("online", resolve))))
      await finish([job("own", 0, 0, ITEMS)])
      Atomics.store(words, 1, 1)
      await Promise.all(thieves.map(({ ended }) => ended))
      expect(countsOf(seen)).toEqual({ lost: 0, doubled: 0 })
      expect(words[2]).toBeGreaterThan(0)
    },
    TIMEOUT
  )

  it(
    "Given producers and consumers that are terminated at random, When others go on, Then no more is lost than they held",
    async () => {
      const ring = makeRing()
      const { job, seen, words } = prepare(ring.buffer, ITEMS)
      const half = Math.floor(ITEMS / 2)
      const consumers = [job("consume", 2), job("consume", 3)].map((job) => finishDespiteDeaths(job, 5))
      const killed = await Promise.all([
        finishDespiteDeaths(job("produce", 0, 0, half), 5),
        finishDespiteDeaths(job("produce", 1, half, ITEMS), 5)
      ])
      Atomics.store(words, 1, 1)
      const deaths = [...killed, ...(await Promise.all(consumers))].reduce((sum, count) => sum + count, 0)
      const { doubled, lost } = countsOf(seen)
      expect(doubled).toBe(0)
      expect(lost).toBeLessThanOrEqual(deaths)
      expect(ring.size).toBe(0)
      expect(ring.repair()).toBe(0)
    },
    TIMEOUT
  )

  it(
    "Given an owner and thieves that are terminated at random, When others go on, Then no more is lost than they held",
    async () => {
      const { job, seen, words } = prepare(makeDeque(), ITEMS)
      const thieves = [job("steal", 1), job("steal", 2), job("steal", 3)].map((job) => finishDespiteDeaths(job, 4))
      const killed = await finishDespiteDeaths(job("own", 0, 0, ITEMS), 8)
      Atomics.store(words, 1, 1)
      const deaths = (await Promise.all(thieves)).reduce((sum, count) => sum + count, killed)
      const { doubled, lost } = countsOf(seen)
      expect(doubled).toBe(0)
      // An owner may die with one item that it announced and one that it popped
      expect(lost).toBeLessThanOrEqual(2 * deaths)
    },
    TIMEOUT
  )

  it(
    "Given a counter, When four threads add to it, Then the sum is exact",
    async () => {
      const counter = Either.getOrThrow(AtomicCounter.make())
      const { job } = prepare(counter.buffer, 1)
      await finish([0, 1, 2, 3].map((slot) => job("count", slot, 0, ITEMS)))
      expect(counter.get()).toBe(BigInt(4 * ITEMS))
    },
    TIMEOUT
  )
})
