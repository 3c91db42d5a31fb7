/**
 * The memory that a pool shares with its threads: the tasks in slots, the queues of slots, and one cache line for each
 * thread.
 *
 * A slot has these states. Each change is one compare-and-exchange, so exactly one side makes it:
 *
 *     FREE → QUEUED → RUNNING(thread) → DONE | REPLIED → FREE
 *            QUEUED → FREE              the caller was interrupted
 *            RUNNING → ABANDONED → DROPPED → FREE   the caller was interrupted while a thread runs it
 *            RUNNING | ABANDONED → KILLED → FREE    its thread is terminated because of a timeout
 *
 * A number in a queue is only a hint that the slot may be queued: a thread runs a slot only after it has claimed it. So
 * a number that is stale or occurs twice is harmless, and after the death of a thread all queued slots can be enqueued
 * again.
 *
 * This file runs on all threads. It imports only the queues.
 */
import { Deque, bytes as dequeBytes } from "../../src/concurrent/internal/Deque.js"
import { LINE, LINE_WORDS } from "../../src/concurrent/internal/line.js"
import { Ring, bytes as ringBytes } from "../../src/concurrent/internal/Ring.js"

const KIND = 10

export const FREE = 0
export const QUEUED = 1 << KIND
export const RUNNING = 2 << KIND
/** The output is in the slot. */
export const DONE = 3 << KIND
/** The output, or the error, is in a message. */
export const REPLIED = 4 << KIND
export const ABANDONED = 5 << KIND
/** The thread has finished an abandoned task. */
export const DROPPED = 6 << KIND
export const KILLED = 7 << KIND

/** Maximum threads, limited by the bits of a state. */
export const MAX_THREADS = 1 << KIND

export const kindOf = (state: number): number => state & ~(MAX_THREADS - 1)
export const threadOf = (state: number): number => state & (MAX_THREADS - 1)

/** The input comes in a message, because it is too large for a slot. */
export const POSTED = 1
/** The input is a frame of several inputs. */
export const FRAMED = 2

/** Maximum numbers that a thread takes out of the common queue at once. */
const BATCH = 8
const DEQUE_CAPACITY = 16

/** Words of a slot: state, task, flags, length, start. */
const SLOT_WORDS = 8
/** Words of a thread: parked, current slot, stolen tasks. */
const PARKED = 0
const CURRENT = 1
const STOLEN = 2

const SIGNAL = 0

/** What a thread needs to open the board. */
export interface Memory {
  readonly control: SharedArrayBuffer
  readonly slab: SharedArrayBuffer
  readonly injector: SharedArrayBuffer
  readonly completions: SharedArrayBuffer
  readonly deques: SharedArrayBuffer
  readonly threads: number
  readonly slots: number
  readonly slotBytes: number
}

const powerOfTwo = (atLeast: number): number => 2 ** Math.ceil(Math.log2(Math.max(2, atLeast)))

/** Rounded to a cache line, so that the deques of two threads never share a line. */
const DEQUE_BYTES = Math.ceil(dequeBytes(DEQUE_CAPACITY) / LINE) * LINE

const newRing = (capacity: number): SharedArrayBuffer => {
  const ring = new Ring(new SharedArrayBuffer(ringBytes(capacity)), capacity)
  ring.clear()
  return ring.buffer
}

/** The memory of a new pool. */
export const allocate = (threads: number, slots: number, slotBytes: number): Memory => ({
  control: new SharedArrayBuffer(4 * (LINE_WORDS * (1 + threads) + SLOT_WORDS * slots)),
  slab: new SharedArrayBuffer(slots * slotBytes),
  // Includes room for the numbers of tasks that were interrupted in the queue.
  injector: newRing(powerOfTwo(2 * slots)),
  completions: newRing(powerOfTwo(slots)),
  deques: new SharedArrayBuffer(DEQUE_BYTES * threads),
  threads,
  slots,
  slotBytes
})

export class Board {
  readonly injector: Ring
  readonly completions: Ring
  readonly #deques: ReadonlyArray<Deque>
  readonly #words: Int32Array
  readonly #slab: Uint8Array
  readonly #firstSlot: number

  constructor(readonly memory: Memory) {
    this.injector = new Ring(memory.injector, (memory.injector.byteLength - ringBytes(0)) / 8)
    this.completions = new Ring(memory.completions, (memory.completions.byteLength - ringBytes(0)) / 8)
    this.#deques = Array.from(
      { length: memory.threads },
      (_, thread) => new Deque(memory.deques, DEQUE_CAPACITY, DEQUE_BYTES * thread)
    )
    this.#words = new Int32Array(memory.control)
    this.#slab = new Uint8Array(memory.slab)
    this.#firstSlot = LINE_WORDS * (1 + memory.threads)
  }

  #slot(slot: number): number {
    return this.#firstSlot + SLOT_WORDS * slot
  }

  #thread(thread: number): number {
    return LINE_WORDS * (1 + thread)
  }

  state(slot: number): number {
    return Atomics.load(this.#words, this.#slot(slot))
  }

  setState(slot: number, state: number): void {
    Atomics.store(this.#words, this.#slot(slot), state)
  }

  /** Changes the state from `from` to `to`. Returns false if the state is not `from`. */
  move(slot: number, from: number, to: number): boolean {
    return Atomics.compareExchange(this.#words, this.#slot(slot), from, to) === from
  }

  /** Describes a task in a free slot. Its bytes must be written first. */
  describe(slot: number, task: number, flags: number, length: number): void {
    const at = this.#slot(slot)
    this.#words[at + 1] = task
    this.#words[at + 2] = flags
    this.#words[at + 3] = length
    this.#words[at + 4] = 0
  }

  task(slot: number): number {
    return this.#words[this.#slot(slot) + 1] ?? 0
  }

  flags(slot: number): number {
    return this.#words[this.#slot(slot) + 2] ?? 0
  }

  /** A copy of the bytes of a slot. */
  read(slot: number): Uint8Array {
    const from = slot * this.memory.slotBytes
    return this.#slab.slice(from, from + (this.#words[this.#slot(slot) + 3] ?? 0))
  }

  /** Writes bytes into a slot. Returns false if they do not fit. */
  write(slot: number, bytes: Uint8Array): boolean {
    if (bytes.length > this.memory.slotBytes) return false
    this.#slab.set(bytes, slot * this.memory.slotBytes)
    this.#words[this.#slot(slot) + 3] = bytes.length
    return true
  }

  /** Called by a thread: claims a queued slot. */
  claim(slot: number, thread: number): boolean {
    if (!this.move(slot, QUEUED, RUNNING | thread)) return false
    Atomics.store(this.#words, this.#slot(slot) + 4, now())
    Atomics.store(this.#words, this.#thread(thread) + CURRENT, slot + 1)
    return true
  }

  /** The slot that a thread claimed last, or −1. */
  current(thread: number): number {
    return Atomics.load(this.#words, this.#thread(thread) + CURRENT) - 1
  }

  /** Milliseconds since a slot was claimed, at a time of {@link now}; 0 if the thread has not recorded its claim yet. */
  age(slot: number, time: number): number {
    const startedAt = Atomics.load(this.#words, this.#slot(slot) + 4)
    return startedAt === 0 ? 0 : elapsed(startedAt, time)
  }

  /**
   * Called by a thread: the next number, or −1. It takes from its own deque, then from another thread's, because both
   * contain older numbers than the common queue. If many wait in the common queue, it takes several at once.
   */
  next(thread: number): number {
    const own = this.#deques[thread]
    if (own === undefined) return -1
    const popped = own.pop()
    if (popped >= 0) return popped
    for (let step = 1; step < this.memory.threads; step++) {
      const stolen = this.#deques[(thread + step) % this.memory.threads]?.steal() ?? -1
      if (stolen >= 0) {
        Atomics.add(this.#words, this.#thread(thread) + STOLEN, 1)
        return stolen
      }
    }
    const more = Math.min(BATCH - 1, Math.floor(this.injector.size / (2 * this.memory.threads)))
    const first = this.injector.poll()
    if (Number.isNaN(first)) return -1
    const batch: Array<number> = []
    while (batch.length < more) {
      const slot = this.injector.poll()
      if (Number.isNaN(slot)) break
      batch.push(slot)
    }
    // Pushes the oldest last, because the owner takes it first.
    for (let index = batch.length - 1; index >= 0; index--) own.push(batch[index] ?? 0)
    if (batch.length > 0) this.wake()
    return first
  }

  /** Called by a new thread that replaces a dead one. */
  adopt(thread: number): void {
    Atomics.store(this.#words, this.#thread(thread) + PARKED, 0)
    Atomics.store(this.#words, this.#thread(thread) + CURRENT, 0)
    this.#deques[thread]?.adopt()
  }

  /** Called by a thread: sleeps until it is woken. Returns a number that arrived in between, or −1. */
  park(thread: number): number {
    const parked = this.#thread(thread) + PARKED
    Atomics.store(this.#words, parked, 1)
    const slot = this.next(thread)
    if (slot < 0) {
      Atomics.wait(this.#words, parked, 1)
      return -1
    }
    // A wake in between was meant for another slot: it is passed on to another thread.
    if (Atomics.exchange(this.#words, parked, 0) === 0) this.wake()
    return slot
  }

  /** Wakes one sleeping thread. */
  wake(): void {
    for (let thread = 0; thread < this.memory.threads; thread++) {
      const parked = this.#thread(thread) + PARKED
      if (Atomics.load(this.#words, parked) === 1 && Atomics.compareExchange(this.#words, parked, 1, 0) === 1) {
        Atomics.notify(this.#words, parked, 1)
        return
      }
    }
  }

  /** Called by a thread: announces a finished slot. Returns whether the pool needs a message. */
  complete(slot: number): boolean {
    this.completions.offer(slot)
    return Atomics.compareExchange(this.#words, SIGNAL, 0, 1) === 0
  }

  /** Called by the pool, before it reads the completions: later completions send a new message. */
  resetSignal(): void {
    Atomics.store(this.#words, SIGNAL, 0)
  }

  get stolen(): number {
    let stolen = 0
    for (let thread = 0; thread < this.memory.threads; thread++) {
      stolen += Atomics.load(this.#words, this.#thread(thread) + STOLEN)
    }
    return stolen
  }

  /** Enqueues all queued slots again, after numbers were lost or many are stale. */
  refill(): void {
    while (!Number.isNaN(this.injector.poll())) {
      // Discards the numbers: all queued slots are added below.
    }
    for (let slot = 0; slot < this.memory.slots; slot++) {
      if (kindOf(this.state(slot)) === QUEUED) {
        this.injector.offer(slot)
        this.wake()
      }
    }
  }
}

/** Milliseconds of the machine's monotonic clock, in 31 bits. All threads share this clock. */
export const now = (): number => {
  const [seconds, nanos] = process.hrtime()
  return (seconds * 1000 + Math.floor(nanos / 1e6)) & 0x7fffffff
}

/** Milliseconds between two values of {@link now}, even if the value has wrapped. */
const elapsed = (from: number, to: number): number => {
  const millis = (to - from) & 0x7fffffff
  return millis > 0x3fffffff ? 0 : millis
}
