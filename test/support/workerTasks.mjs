/** Tasks of worker pools, correct and faulty. */
import { workerData } from "node:worker_threads"

const text = (bytes) => new TextDecoder().decode(bytes)
const bytes = (text) => new TextEncoder().encode(text)

export const echo = (input) => input
export const upper = async (input) => bytes(text(input).toUpperCase())
export const sum = (input) => bytes(String(input.reduce((sum, byte) => sum + byte, 0)))
export const shared = (_, { shared }) => bytes(JSON.stringify(shared))

/** Works for the number of milliseconds in its input. */
export const busy = (input) => {
  const until = performance.now() + Number(text(input))
  while (performance.now() < until);
  return input
}
export const grow = (input) => new Uint8Array(Number(text(input))).fill(7)

export const throws = () => {
  throw new RangeError("no such thing")
}
export const rejects = () => Promise.reject(new Error("rejected"))
export const throwsFunction = () => {
  throw () => 1
}
export const throwsProxy = () => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  throw proxy
}

/** Sends forged messages to the pool, then answers. */
export const forges = (input) => {
  for (const slot of [1e9, -1, 0.5, Number.NaN, "0", {}]) workerData.port.postMessage({ kind: "define", slot }, [])
  for (const message of [null, "ready", { kind: "output", slot: 1e9, bytes: 1 }, { kind: {}, slot: [] }]) {
    workerData.port.postMessage(message, [])
  }
  return input
}

/** All of WebAssembly's memory, which cannot be transferred. */
export const returnsWasm = () => new Uint8Array(new WebAssembly.Memory({ initial: 1 }).buffer).fill(7)

/** Bytes that can be neither transferred nor cloned. */
export const unsendable = () => {
  workerData.port.postMessage = new Proxy(workerData.port.postMessage, {
    apply: (post, port, [message, transfer]) => {
      if (message.kind === "output") throw new Error("no room")
      Reflect.apply(post, port, [message, transfer])
    }
  })
  return new Uint8Array(100_000)
}

/** Writes to its input. */
export const wipes = (input) => input.fill(0)

/** A view of a larger Buffer. */
export const returnsView = () => Buffer.alloc(200_000, 7).subarray(100_000)

export const returnsText = () => "text"
export const returnsNothing = () => undefined

/** Returns a part of a larger buffer, whose rest must stay private. */
export const view = () => new Uint8Array(100_000).fill(1).subarray(10, 20)
export const largeView = () => new Uint8Array(200_000).fill(1).subarray(10, 100_010)

export const hangs = () => new Promise(() => {})
export const waits = async (input, { isCancelled }) => {
  while (!isCancelled()) await new Promise((resolve) => setTimeout(resolve, 5))
  return input
}
export const notFunction = 7

// For threads only
export const loops = () => {
  for (;;);
}
export const exits = () => process.exit(3)
export const crashesLater = async (input) => {
  setTimeout(() => {
    throw new Error("stray")
  }, 1)
  await new Promise((resolve) => setTimeout(resolve, 10_000))
  return input
}
export const eatsMemory = () => {
  const eaten = []
  for (;;) eaten.push(Array.from({ length: 100_000 }, (_, index) => ({ index })))
}
