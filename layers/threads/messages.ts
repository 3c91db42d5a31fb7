/** The messages between a pool and its threads. */
import type { MessagePort } from "node:worker_threads"
import type { Memory } from "./Board.js"

/** The data with which a thread starts. */
export interface Start {
  readonly memory: Memory
  readonly thread: number
  readonly port: MessagePort
}

/** The data that a thread needs to run a task. */
export interface Definition {
  readonly module: string
  readonly name: string
  readonly shared: unknown
}

/** A message from a thread. The number 0 announces completions. */
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

/** A message to a thread: the answer to `define` or `fetch`. A thread waits for one answer at a time. */
export type ToThread = { readonly definition: Definition } | { readonly bytes: Uint8Array }
