/** The messages between `bench -- sdks` and its contenders. */

import type { Plan } from "../../services/Benchmark.js"

export type Operation = "register" | "send"

export type Sdk = "ours" | "sodium" | "batched" | "kit" | "web3js" | "anchor" | "pod" | "rust"

/** The job of a process. */
export interface Job {
  readonly sdk: Sdk
  readonly operation: Operation
  readonly node: { readonly url: string; readonly wsUrl: string }
}

interface Prepared {
  /** Prepares the next operations. Not timed. */
  readonly prepare?: (operations: number) => Promise<void>
}

/** A contender that runs in this process, which measures it. */
export interface Counted extends Prepared {
  /** Runs the operations from an index on, and returns when they are confirmed. */
  readonly run: (index: number, count: number) => Promise<unknown>
  /** Operations of one run. Default 1. */
  readonly size?: number
}

/** A contender that measures itself, in another process. */
export interface SelfMeasured extends Prepared {
  readonly measure: (plan: Plan) => Promise<Measured>
}

export type Contender = Counted | SelfMeasured

/** Operations to prepare or, once they are prepared, to time. The calls of the preparation are not counted. */
export interface Ask extends Plan {
  readonly isPrepared: boolean
}

/** The costs of some operations. */
export interface Measured {
  readonly micros: ReadonlyArray<number>
  readonly seconds: number
  readonly cpuMicros: number
  readonly rssBytes: number
  /** Sent and received, if they were counted. */
  readonly bytes?: number
}

export interface Failed {
  readonly failure: string
}

/** Calls the cluster, for the setup. */
export const rpc = async (url: string, method: string, params: ReadonlyArray<unknown>): Promise<unknown> => {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params })
  })
  const reply = (await response.json()) as { readonly result?: unknown; readonly error?: { readonly message: string } }
  if (reply.error !== undefined) throw new Error(`${method}: ${reply.error.message}`)
  return reply.result
}

const LAMPORTS = 100_000_000_000

/** Sends lamports to addresses, some at a time. */
export const fund = async (url: string, addresses: ReadonlyArray<string>): Promise<void> => {
  for (let at = 0; at < addresses.length; at += 50)
    await Promise.all(addresses.slice(at, at + 50).map((address) => rpc(url, "requestAirdrop", [address, LAMPORTS])))
}

/** Items that are made in advance and taken one by one. */
export const stock = <A>(make: (count: number) => Promise<ReadonlyArray<A>>) => {
  const items: Array<A> = []
  return {
    prepare: async (count: number): Promise<void> => void items.push(...(await make(count))),
    take: (): A => {
      const item = items.pop()
      if (item === undefined) throw new RangeError("nothing was prepared")
      return item
    }
  }
}

export const URI = "https://example.com/metadata.json"
export const CAPABILITIES = 1024

let next = 0

/** A text that this process did not send before. */
export const payload = (): string => `Hello, World! ${process.pid} ${next++}`

/** The seed of a new key. */
export const randomBytes = (): Uint8Array => crypto.getRandomValues(new Uint8Array(32))
