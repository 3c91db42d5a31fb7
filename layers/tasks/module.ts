/**
 * The library's own tasks. `npm run build:thread` bundles them into `moduleCode.ts`. Threads load them from that text,
 * because a bundler could miss a file.
 */
import { KeyObject, sign as signWith } from "node:crypto"
import type { TaskContext } from "../../services/WorkerPool.js"
import * as X25519 from "../internal/X25519.js"
import * as SealFrame from "./sealFrame.js"

/** The Ed25519 signature of a message by the `KeyObject` that is shared with the task. */
export const sign = (message: Uint8Array, { shared }: TaskContext): Uint8Array => {
  if (!(shared instanceof KeyObject)) throw new TypeError("the shared value is not a KeyObject")
  return signWith(null, message, shared)
}

/** Encrypts to an X25519 key with a random ephemeral key. */
export const seal = (input: Uint8Array): Uint8Array => {
  const { bytes, info, key } = SealFrame.readInput(input)
  return SealFrame.output(X25519.seal(key, info, bytes))
}
