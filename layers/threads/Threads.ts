/**
 * Controls the threads of a pool: places tasks into slots, takes out their results, checks timeouts and replaces
 * threads.
 *
 * Invariants:
 * - Each task is answered exactly once: `settle` is then removed from its slot.
 * - A slot becomes free only when no thread can access it: its thread has finished with it, or has exited.
 * - A thread is terminated only because of the task that it is running (`RUNNING → KILLED` is one exchange), so it
 *   takes no other task with it.
 * - No event handler of Node throws: messages from threads are checked, because a task's module may forge them.
 *
 * Times are those of the machine's clock, because threads have no access to Effect's Clock.
 */
import type * as WorkerThreads from "node:worker_threads"
import * as Either from "effect/Either"
import { constVoid } from "effect/Function"
import * as Predicate from "effect/Predicate"
import { FifoSet } from "../../services/internal/FifoSet.js"
import { type Job, type Stats, WorkerError } from "../../services/WorkerPool.js"
import * as Board from "./Board.js"
import * as Frame from "./Frame.js"
import type { ToThread } from "./messages.js"
import { CODE } from "./threadCode.js"

export interface Options {
  readonly threads: number
  readonly queue: number
  readonly slotBytes: number
  readonly resourceLimits: WorkerThreads.ResourceLimits | undefined
  /** Called when a thread is replaced. */
  readonly onReplaced: (reason: "Timeout" | "Crashed") => void
}

/** Milliseconds that an interrupted task may continue before its thread is terminated. */
const GRACE_MILLIS = 1000

/** Failed starts in a row after which a thread is no longer replaced. */
const MAX_STARTS = 3

const RESTART_MILLIS = 100

/** The maximum delay of a Node timer. */
const MAX_TIMER = 2 ** 31 - 1

type Outcome = Either.Either<ReadonlyArray<Uint8Array>, WorkerError>

/** A task in the pool. */
interface Entry {
  readonly job: Job
  readonly bytes: Uint8Array
  /** Maximum milliseconds that a thread may work on the task. */
  limit: number
  /** Answers the caller. After the answer, and after an interruption of the caller, it has no effect. */
  settle: (outcome: Outcome) => void
  slot: number
}

interface Thread {
  readonly worker: WorkerThreads.Worker
  readonly port: WorkerThreads.MessagePort
  isReady: boolean
  /** The uncaught error that ended the thread, before its exit. */
  error: unknown
  /** Whether the thread was terminated because of a timeout. */
  isKilled: boolean
}

const failure = (job: Job, reason: WorkerError["reason"], detail: string, cause?: unknown): Outcome =>
  Either.left(new WorkerError({ reason, task: job.task.name, detail, cause }))

const isDetached = ({ buffer, byteLength, length }: Uint8Array): boolean =>
  buffer.byteLength === 0 && byteLength === 0 && length === 0

export class Threads {
  readonly #node: typeof WorkerThreads
  readonly #options: Options
  readonly #board: Board.Board
  readonly #threads: Array<Thread | undefined>
  /** Failed starts in a row, by thread number. */
  readonly #failedStarts: Array<number>
  readonly #entries: Array<Entry | undefined>
  readonly #freeSlots: Array<number>
  readonly #waiting = new FifoSet<Entry>()
  readonly #ids = new WeakMap<object, number>()
  #nextId = 1
  #pending = 0
  #replaced = 0
  #isClosed = false
  readonly #alive: NodeJS.Timeout
  #watchdog: NodeJS.Timeout | undefined
  #watchAt = Infinity
  readonly #restarts = new Set<NodeJS.Timeout>()
  readonly #started: { resolve: () => void; reject: (error: WorkerError) => void }

  /** Settles when each thread is ready or cannot start; rejects if none can. */
  readonly started: Promise<void>

  constructor(node: typeof WorkerThreads, options: Options) {
    this.#node = node
    this.#options = options
    this.#board = new Board.Board(Board.allocate(options.threads, options.queue, options.slotBytes))
    this.#threads = Array.from({ length: options.threads })
    this.#failedStarts = Array.from({ length: options.threads }, () => 0)
    this.#entries = Array.from({ length: options.queue })
    this.#freeSlots = Array.from({ length: options.queue }, (_, index) => options.queue - 1 - index)
    const started = { resolve: constVoid, reject: (error: WorkerError): void => void error }
    this.started = new Promise((resolve, reject) => {
      started.resolve = resolve
      started.reject = reject
    })
    this.#started = started
    // After all that may throw: the timer would keep the process alive.
    this.#alive = setInterval(constVoid, MAX_TIMER)
    for (let thread = 0; thread < options.threads; thread++) this.#start(thread)
  }

  get stats(): Stats {
    const threads = this.#failedStarts.filter((failed) => failed < MAX_STARTS).length
    return { threads, pending: this.#pending, stolen: this.#board.stolen, replaced: this.#replaced }
  }

  /** Adds a task. Returns the function to call if the caller is interrupted. */
  submit(job: Job, settle: (outcome: Outcome) => void): () => void {
    const refused = this.#refusal(job)
    if (refused !== undefined) {
      settle(refused)
      return constVoid
    }
    const [first] = job.inputs
    const bytes = job.inputs.length === 1 && first !== undefined ? first : Frame.encode(job.inputs)
    const entry: Entry = { job, bytes, limit: job.timeoutMillis, settle, slot: -1 }
    this.#pending++
    if (this.#pending === 1) this.#keepAlive()
    if (this.#freeSlots.length > 0) this.#place(entry)
    else this.#waiting.add(entry)
    return () => this.#cancel(entry)
  }

  #refusal(job: Job): Outcome | undefined {
    if (this.#isClosed) return failure(job, "Closed", "the pool is closed")
    if (this.#failedStarts.every((failed) => failed >= MAX_STARTS)) return this.#noThreads(job, undefined)
    for (const input of job.inputs) {
      if (job.transfer && !(input.buffer instanceof ArrayBuffer)) {
        return failure(job, "Encode", "its input is in shared memory, which cannot be transferred")
      }
      if (isDetached(input) && job.transfer) return failure(job, "Encode", "its input was transferred before")
    }
    if (this.#freeSlots.length === 0 && !job.waits)
      return failure(job, "Full", `${this.#pending} tasks are in the pool`)
    return undefined
  }

  #noThreads(job: Job, cause: unknown): Outcome {
    return failure(job, "Crashed", "no thread of the pool could start", cause)
  }

  #place(entry: Entry): void {
    const slot = this.#freeSlots.pop()
    if (slot === undefined) return
    entry.slot = slot
    this.#entries[slot] = entry
    const isPosted = !this.#board.write(slot, entry.bytes)
    const flags = (isPosted ? Board.POSTED : 0) | (entry.job.inputs.length === 1 ? 0 : Board.FRAMED)
    this.#board.describe(slot, this.#idOf(entry.job.task), flags, isPosted ? 0 : entry.bytes.length)
    this.#board.setState(slot, Board.QUEUED)
    // Fails only if the queue is full of numbers of interrupted tasks.
    if (this.#board.injector.offer(slot)) this.#board.wake()
    else this.#board.refill()
    this.#watchWithin(entry.limit)
  }

  #idOf(task: object): number {
    const known = this.#ids.get(task)
    if (known !== undefined) return known
    const id = this.#nextId++ | 0
    this.#ids.set(task, id)
    return id
  }

  #cancel(entry: Entry): void {
    entry.settle = constVoid
    if (this.#waiting.delete(entry)) return this.#leave()
    const { slot } = entry
    if (this.#entries[slot] !== entry) return
    if (this.#board.move(slot, Board.QUEUED, Board.FREE)) return this.#free(slot)
    const state = this.#board.state(slot)
    if (Board.kindOf(state) !== Board.RUNNING) return
    if (!this.#board.move(slot, state, Board.ABANDONED | Board.threadOf(state))) return
    entry.limit = Math.min(entry.limit, this.#board.age(slot, Board.now()) + GRACE_MILLIS)
    this.#watchWithin(GRACE_MILLIS)
  }

  /** Gives a free slot to the next waiting task. */
  #free(slot: number): void {
    this.#entries[slot] = undefined
    this.#board.setState(slot, Board.FREE)
    this.#freeSlots.push(slot)
    this.#leave()
    const next = this.#waiting.shift()
    if (next !== undefined) this.#place(next)
  }

  #leave(): void {
    this.#pending--
    if (this.#pending === 0) this.#keepAlive()
  }

  /** Keeps the process alive while the pool has tasks, or threads are starting. */
  #keepAlive(): void {
    if (this.#pending > 0 || this.#threads.some((one) => one?.isReady === false)) this.#alive.ref()
    else this.#alive.unref()
  }

  /** Answers the task of a slot that no thread can access any more. */
  #end(slot: number, outcome: Outcome): void {
    const entry = this.#entries[slot]
    if (entry === undefined) return
    const { settle } = entry
    entry.settle = constVoid
    this.#free(slot)
    settle(outcome)
  }

  #succeed(slot: number, { job }: Entry, bytes: Uint8Array): void {
    this.#end(slot, this.#parts(job, bytes))
  }

  #parts(job: Job, bytes: Uint8Array): Outcome {
    if (job.inputs.length === 1) return Either.right([bytes])
    try {
      return Either.right(Frame.decode(bytes))
    } catch (cause) {
      return failure(job, "Crashed", "its thread returned bytes that are not a frame", cause)
    }
  }

  /** Takes out the results that threads announced. */
  #drain(): void {
    this.#board.resetSignal()
    for (let slot = this.#board.completions.poll(); !Number.isNaN(slot); slot = this.#board.completions.poll()) {
      const entry = this.#entries[slot]
      if (entry === undefined) continue
      const kind = Board.kindOf(this.#board.state(slot))
      if (kind === Board.DONE) this.#succeed(slot, entry, this.#board.read(slot))
      else if (kind === Board.DROPPED) this.#free(slot)
    }
  }

  // Timeouts

  /** Schedules a check of the timeouts. A task starts after it was placed, so this is early enough. */
  #watchWithin(millis: number): void {
    const at = performance.now() + millis
    if (at >= this.#watchAt) return
    clearTimeout(this.#watchdog)
    this.#watchAt = at
    this.#watchdog = setTimeout(() => this.#watch(), Math.min(Math.max(1, Math.ceil(millis)), MAX_TIMER)).unref()
  }

  #watch(): void {
    this.#watchAt = Infinity
    const now = Board.now()
    let nearest = Infinity
    for (const [thread, { worker } = { worker: undefined }] of this.#threads.entries()) {
      const slot = this.#board.current(thread)
      const entry = this.#entries[slot]
      if (worker === undefined || entry === undefined) continue
      const state = this.#board.state(slot)
      if (Board.threadOf(state) !== thread) continue
      const left = entry.limit - this.#board.age(slot, now)
      if (left > 0) nearest = Math.min(nearest, left)
      else this.#kill(thread, slot, state, entry)
    }
    // A task that starts in between cannot exceed its limit earlier than this.
    for (const entry of this.#entries) nearest = Math.min(nearest, entry?.limit ?? Infinity)
    if (nearest < Infinity) this.#watchWithin(nearest)
  }

  #kill(thread: number, slot: number, state: number, entry: Entry): void {
    const kind = Board.kindOf(state)
    if (kind !== Board.RUNNING && kind !== Board.ABANDONED) return
    if (!this.#board.move(slot, state, Board.KILLED | thread)) return
    const { settle } = entry
    entry.settle = constVoid
    settle(failure(entry.job, "Timeout", `it ran longer than ${entry.job.timeoutMillis} ms`))
    const running = this.#threads[thread]
    if (running === undefined) return
    running.isKilled = true
    void running.worker.terminate()
  }

  // Threads

  #start(thread: number): void {
    if (this.#isClosed) return
    try {
      this.#open(thread)
    } catch (cause) {
      this.#failedStart(thread, cause)
    }
  }

  /** Throws if the system has no room for another thread. */
  #open(thread: number): void {
    const { port1: port, port2 } = new this.#node.MessageChannel()
    // A `data:` URL, because code for `eval` would depend on the `--input-type` of the process.
    const worker = new this.#node.Worker(new URL(`data:text/javascript,${encodeURIComponent(CODE)}`), {
      name: "pod-worker",
      workerData: { memory: this.#board.memory, thread, port: port2 },
      transferList: [port2],
      ...(this.#options.resourceLimits === undefined ? {} : { resourceLimits: this.#options.resourceLimits })
    })
    const started: Thread = { worker, port, isReady: false, error: undefined, isKilled: false }
    this.#threads[thread] = started
    port.on("message", (message: unknown) => this.#receive(thread, started, message))
    port.on("messageerror", (error) => {
      started.error = error
      void worker.terminate()
    })
    worker.on("error", (error: unknown) => {
      started.error = error
    })
    worker.on("exit", (code) => this.#exited(thread, started, code))
    port.unref()
    worker.unref()
  }

  #receive(thread: number, from: Thread, message: unknown): void {
    if (message === 0) return this.#drain()
    if (!Predicate.hasProperty(message, "kind")) return
    if (message.kind === "ready") {
      from.isReady = true
      this.#failedStarts[thread] = 0
      return this.#settleStart()
    }
    if (!Predicate.hasProperty(message, "slot") || typeof message.slot !== "number") return
    const { slot } = message
    const entry = this.#entries[slot]
    if (entry === undefined) return
    const state = this.#board.state(slot)
    if (Board.threadOf(state) !== thread) return
    const kind = Board.kindOf(state)
    if (kind === Board.RUNNING || kind === Board.ABANDONED) this.#answer(from.port, message.kind, entry)
    else if (kind === Board.REPLIED) this.#replied(slot, entry, message)
  }

  /** Answers a request of a thread. */
  #answer(port: WorkerThreads.MessagePort, question: unknown, { bytes, job, slot }: Entry): void {
    const { module, name, shared } = job.task
    try {
      const answer: ToThread = question === "define" ? { definition: { module: module.href, name, shared } } : { bytes }
      const isMoved = question === "fetch" && job.transfer && bytes.buffer instanceof ArrayBuffer
      port.postMessage(answer, isMoved && bytes.buffer instanceof ArrayBuffer ? [bytes.buffer] : [])
    } catch (cause) {
      // The thread waits for the answer. Only its termination frees it.
      const entry = this.#entries[slot]
      entry?.settle(failure(job, "Encode", "its input or its shared value cannot be sent to a thread", cause))
      if (entry !== undefined) {
        entry.settle = constVoid
        this.#kill(Board.threadOf(this.#board.state(slot)), slot, this.#board.state(slot), entry)
      }
    }
  }

  #replied(slot: number, entry: Entry, message: object): void {
    if (Predicate.hasProperty(message, "bytes") && message.bytes instanceof Uint8Array) {
      return this.#succeed(slot, entry, message.bytes)
    }
    const reason = Predicate.hasProperty(message, "reason") && message.reason === "NotFound" ? "NotFound" : "Task"
    const detail =
      Predicate.hasProperty(message, "detail") && typeof message.detail === "string" ? message.detail : "it failed"
    const cause = Predicate.hasProperty(message, "cause") ? message.cause : undefined
    this.#end(slot, failure(entry.job, reason, reason === "Task" ? `it threw ${detail}` : detail, cause))
  }

  #exited(thread: number, ended: Thread, code: number): void {
    for (
      let received = this.#node.receiveMessageOnPort(ended.port);
      received !== undefined;
      received = this.#node.receiveMessageOnPort(ended.port)
    ) {
      this.#receive(thread, ended, received.message)
    }
    ended.port.close()
    this.#threads[thread] = undefined
    if (this.#isClosed) return
    this.#drain()
    const detail = ended.error === undefined ? `it ended its thread with exit code ${code}` : "its thread failed"
    for (const [slot, entry] of this.#entries.entries()) {
      const state = this.#board.state(slot)
      const kind = Board.kindOf(state)
      if (entry === undefined || kind < Board.RUNNING || Board.threadOf(state) !== thread) continue
      if (kind === Board.DONE) this.#succeed(slot, entry, this.#board.read(slot))
      else this.#end(slot, failure(entry.job, "Crashed", detail, ended.error))
    }
    this.#replace(thread, ended)
    this.#board.refill()
  }

  #replace(thread: number, ended: Thread): void {
    if (ended.isReady) {
      this.#replaced++
      this.#options.onReplaced(ended.isKilled ? "Timeout" : "Crashed")
      return this.#start(thread)
    }
    this.#failedStart(thread, ended.error)
  }

  #failedStart(thread: number, cause: unknown): void {
    const failed = (this.#failedStarts[thread] ?? 0) + 1
    this.#failedStarts[thread] = failed
    if (failed < MAX_STARTS) {
      const restart = setTimeout(
        () => {
          this.#restarts.delete(restart)
          this.#start(thread)
        },
        RESTART_MILLIS * 2 ** (failed - 1)
      )
      this.#restarts.add(restart)
      return
    }
    if (!this.#failedStarts.every((failed) => failed >= MAX_STARTS)) return this.#settleStart()
    this.#started.reject(
      new WorkerError({ reason: "Crashed", task: "start", detail: "no thread of the pool could start", cause })
    )
    this.#failAll((job) => this.#noThreads(job, cause))
  }

  /** Resolves `started` if no thread is starting. */
  #settleStart(): void {
    const isSettled = (thread: Thread | undefined, index: number): boolean =>
      thread?.isReady === true || (this.#failedStarts[index] ?? 0) >= MAX_STARTS
    if (this.#threads.every(isSettled)) this.#started.resolve()
    this.#keepAlive()
  }

  #failAll(outcome: (job: Job) => Outcome): void {
    const entries = [...this.#entries, ...this.#waiting]
    this.#waiting.clear()
    for (const entry of entries) {
      if (entry === undefined) continue
      const { settle } = entry
      entry.settle = constVoid
      settle(outcome(entry.job))
    }
  }

  /** Ends all threads. Tasks in the pool fail with `Closed`. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#alive)
    clearTimeout(this.#watchdog)
    for (const restart of this.#restarts) clearTimeout(restart)
    this.#failAll((job) => failure(job, "Closed", "the pool is closed"))
    await Promise.all(this.#threads.map((thread) => thread?.worker.terminate()))
  }
}
