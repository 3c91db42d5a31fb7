/** Tasks of `workerTasks.mjs`. */
import type { Task } from "../../services/WorkerPool.js"

const module = new URL("./workerTasks.mjs", import.meta.url)

/** A task from text to text. */
export const textTask = (name: string, shared?: unknown): Task<string, string> => ({
  name,
  module,
  encode: (text) => new TextEncoder().encode(text),
  decode: (bytes) => new TextDecoder().decode(bytes),
  shared
})

/** A task from bytes to bytes. */
export const bytesTask = (name: string): Task<Uint8Array, Uint8Array> => ({
  name,
  module,
  encode: (bytes) => bytes,
  decode: (bytes) => bytes
})

export const missingModule: Task<string, string> = {
  ...textTask("echo"),
  module: new URL("./noSuchModule.mjs", import.meta.url)
}

export const throwingModule: Task<string, string> = {
  ...textTask("echo"),
  module: new URL("./throwingModule.mjs", import.meta.url)
}
