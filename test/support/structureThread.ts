/** A thread that uses a shared structure. `test/concurrent/threads.test.ts` bundles and starts it. */
import { workerData } from "node:worker_threads"
import * as Either from "effect/Either"
import * as AtomicCounter from "../../src/concurrent/AtomicCounter.js"
import { Deque, NONE } from "../../src/concurrent/internal/Deque.js"
import { Ring } from "../../src/concurrent/internal/Ring.js"

export interface Job {
  readonly role: "produce" | "consume" | "own" | "steal" | "count"
  readonly buffer: SharedArrayBuffer
  readonly capacity: number
  /** The number of times that each item was taken. */
  readonly seen: SharedArrayBuffer
  /** Words: taken, offered, this thread's next item, stolen. */
  readonly progress: SharedArrayBuffer
  /** The word of `progress` with this thread's next item. */
  readonly next: number
  readonly to: number
  /** The total number of added items. */
  readonly total: number
}

const { buffer, capacity, next, progress, role, seen, to, total }: Job = workerData
const counts = new Uint8Array(seen)
const words = new Int32Array(progress)

const take = (item: number): void => {
  Atomics.add(counts, item, 1)
  Atomics.add(words, 0, 1)
}

const isOver = (): boolean => Atomics.load(words, 1) === 1 && Atomics.load(words, 0) >= total

/** Announces each item before adding it, so that the thread's successor never adds it twice. */
const produce = (put: (item: number) => void): void => {
  for (let item = Atomics.load(words, next); item < to; item = Atomics.load(words, next)) {
    Atomics.store(words, next, item + 1)
    put(item)
  }
}

const ring = () => new Ring(buffer, capacity)
const deque = () => new Deque(buffer, capacity)

const roles: Record<Job["role"], () => void> = {
  produce: () => {
    const queue = ring()
    produce((item) => {
      while (!queue.offer(item)) Atomics.wait(words, 3, 0, 0.01)
    })
  },
  consume: () => {
    const queue = ring()
    // `words[1]` is set when all producers are done.
    while (!isOver()) {
      const item = queue.poll()
      if (!Number.isNaN(item)) take(item)
      else if (Atomics.load(words, 1) === 1 && queue.size === 0) return
    }
  },
  own: () => {
    const own = deque()
    own.adopt()
    produce((item) => {
      while (!own.push(item)) {
        const popped = own.pop()
        if (popped !== NONE) take(popped)
      }
      if (item % 3 === 0) {
        const popped = own.pop()
        if (popped !== NONE) take(popped)
      }
    })
    for (let item = own.pop(); item !== NONE; item = own.pop()) take(item)
  },
  steal: () => {
    const victim = deque()
    while (!isOver()) {
      const item = victim.steal()
      if (item !== NONE) {
        Atomics.add(words, 2, 1)
        take(item)
      } else if (Atomics.load(words, 1) === 1 && victim.size === 0) return
    }
  },
  count: () => {
    const counter = Either.getOrThrow(AtomicCounter.fromBuffer(buffer))
    for (let count = 0; count < to; count++) counter.increment()
  }
}

roles[role]()
