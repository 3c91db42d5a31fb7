/**
 * A thread of the pool. It runs one task at a time, and sleeps in `Atomics.wait` if there is none.
 *
 * `npm run build:thread` bundles it into `threadCode.ts`. The threads of an application start from that text, because a
 * bundler could miss a file.
 */
import { workerData } from "node:worker_threads"
import * as Board from "./Board.js"
import * as Frame from "./Frame.js"
import type { Definition, FromThread, Start, ToThread } from "./messages.js"

interface Context {
  readonly isCancelled: () => boolean
  readonly shared: unknown
}

/** A task as its module exports it. */
type Run = (input: Uint8Array, context: Context) => unknown

interface Loaded {
  readonly run: Run
  readonly shared: unknown
}

/** The function of a task cannot be loaded. */
class NotFound extends Error {}

/** Maximum definitions that are kept. The pool is asked again for the others. */
const MAX_LOADED = 256

const { memory, port, thread }: Start = workerData
const board = new Board.Board(memory)
const loaded = new Map<number, Loaded>()

const post = (message: FromThread, transfer: ReadonlyArray<ArrayBuffer> = []): void =>
  port.postMessage(message, [...transfer])

let answered: ((answer: ToThread) => void) | undefined
port.on("message", (answer: ToThread) => answered?.(answer))

const ask = (question: FromThread): Promise<ToThread> =>
  new Promise((resolve) => {
    answered = resolve
    post(question)
  })

const load = async ({ module, name, shared }: Definition): Promise<Loaded> => {
  const exports: Record<string, unknown> = await import(module).catch((cause: unknown) => {
    throw new NotFound(`its module does not load`, { cause })
  })
  const run = Object.hasOwn(exports, name) ? exports[name] : undefined
  if (typeof run !== "function") throw new NotFound("its module does not export a function of this name")
  return { run: (input, context): unknown => Reflect.apply(run, undefined, [input, context]), shared }
}

const taskOf = async (slot: number): Promise<Loaded> => {
  const id = board.task(slot)
  const known = loaded.get(id)
  if (known !== undefined) return known
  const answer = await ask({ kind: "define", slot })
  if (!("definition" in answer)) throw new NotFound("the pool did not send its definition")
  const task = await load(answer.definition)
  for (const oldest of loaded.keys()) {
    if (loaded.size < MAX_LOADED) break
    loaded.delete(oldest)
  }
  loaded.set(id, task)
  return task
}

const inputOf = async (slot: number): Promise<Uint8Array> => {
  if ((board.flags(slot) & Board.POSTED) === 0) return board.read(slot)
  const answer = await ask({ kind: "fetch", slot })
  return "bytes" in answer ? answer.bytes : new Uint8Array()
}

const bytesOf = (output: unknown): Uint8Array => {
  if (output instanceof Uint8Array) return output
  throw new TypeError(`it returned ${output === null ? "null" : typeof output}, not a Uint8Array`)
}

const perform = async (slot: number): Promise<Uint8Array> => {
  const { run, shared } = loaded.get(board.task(slot)) ?? (await taskOf(slot))
  const input = await inputOf(slot)
  const context: Context = { shared, isCancelled: () => Board.kindOf(board.state(slot)) !== Board.RUNNING }
  if ((board.flags(slot) & Board.FRAMED) === 0) return bytesOf(await run(input, context))
  const outputs: Array<Uint8Array> = []
  for (const part of Frame.decode(input)) outputs.push(bytesOf(await run(part, context)))
  return Frame.encode(outputs)
}

/** Ends a slot that this thread runs. If the pool has killed it, the thread waits for its termination. */
const end = (slot: number, state: number): boolean => {
  if (board.move(slot, Board.RUNNING | thread, state | thread)) return true
  if (board.move(slot, Board.ABANDONED | thread, Board.DROPPED | thread)) {
    if (board.complete(slot)) post(0)
    return false
  }
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}

/**
 * Ends a slot with the first message that can be sent. One must be sent: the slot has ended, so no timeout would free its
 * caller.
 */
const reply = (slot: number, sends: ReadonlyArray<() => void>): void => {
  if (!end(slot, Board.REPLIED)) return
  let failure: unknown
  for (const send of sends) {
    try {
      return send()
    } catch (error) {
      failure = error
    }
  }
  post({ kind: "error", slot, reason: "Task", detail: textOf(failure), cause: undefined })
}

const succeed = (slot: number, output: Uint8Array): void => {
  if (board.write(slot, output)) {
    if (end(slot, Board.DONE) && board.complete(slot)) post(0)
    return
  }
  // Copies a view of a larger buffer, so that no other bytes leave the thread. The `slice` of a Buffer is a view.
  const isWhole = output.buffer instanceof ArrayBuffer && output.byteLength === output.buffer.byteLength
  const bytes = isWhole ? output : new Uint8Array(output)
  const message = { kind: "output", slot, bytes } as const
  reply(slot, [
    () => post(message, bytes.buffer instanceof ArrayBuffer ? [bytes.buffer] : []),
    // WebAssembly's memory cannot be transferred.
    () => post(message)
  ])
}

/** The text of a thrown value. Reading its members may throw too. */
const textOf = (cause: unknown): string => {
  try {
    return cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)
  } catch {
    return "it threw a value that cannot be read"
  }
}

/** Reports a thrown value. A value that cannot be cloned or read is reported as text. */
const fail = (slot: number, error: unknown): void => {
  const report = (reason: "NotFound" | "Task", detail: string, cause?: unknown): void =>
    post({ kind: "error", slot, reason, detail, cause })
  reply(slot, [
    () =>
      error instanceof NotFound ? report("NotFound", error.message, error.cause) : report("Task", textOf(error), error),
    () => report("Task", textOf(error))
  ])
}

const run = async (slot: number): Promise<void> => {
  try {
    succeed(slot, await perform(slot))
  } catch (error) {
    fail(slot, error)
  }
}

const serve = async (): Promise<never> => {
  board.adopt(thread)
  post({ kind: "ready" })
  for (let hasRun = false; ;) {
    let slot = board.next(thread)
    if (slot < 0) {
      // Runs pending output and timers of the tasks' modules before the thread sleeps.
      if (hasRun) await new Promise((resolve) => setImmediate(resolve))
      hasRun = false
      slot = board.park(thread)
    }
    if (slot >= 0 && board.claim(slot, thread)) {
      await run(slot)
      hasRun = true
    }
  }
}

void serve()
