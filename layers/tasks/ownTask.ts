/** The library's own tasks as values, for pools of threads. */
import type { Task } from "../../services/WorkerPool.js"
import { CODE } from "./moduleCode.js"

const module = new URL(`data:text/javascript,${encodeURIComponent(CODE)}`)

export const make = <I, O>(task: Omit<Task<I, O>, "module">): Task<I, O> => ({ ...task, module })
