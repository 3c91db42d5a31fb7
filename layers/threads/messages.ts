/** What a pool and its threads say to each other, beside the shared memory. */
import type { MessagePort } from "node:worker_threads"
import type { Memory } from "./Board.js"

/** What a thread starts with. */
export interface Start {
  readonly memory: Memory
  readonly thread: number
  readonly port: MessagePort
}

/** What the thread needs to run a task. */
export interface Definition {
  readonly module: string
  readonly name: string
  readonly shared: unknown
}

/** From a thread. A bare number says that there are completions. */
export type FromThread =
  | 0
  | { readonly kind: "ready" }
  | { readonly kind: "define"; readonly slot: number }
  | { readonly kind: "fetch"; readonly slot: number }
  | { readonly kind: "output"; readonly slot: number; readonly bytes: Uint8Array }
  | {
      readonly kind: "error"
      readonly slot: number
      readonly reason: "NotFound" | "Task"
      readonly detail: string
      readonly cause: unknown
    }

/** To a thread: the answer to `define` or `fetch`. A thread has one question at a time. */
export type ToThread = { readonly definition: Definition } | { readonly bytes: Uint8Array }
