/**
 * Measures the CPU that a JSON-RPC call costs the client, over loopback against a server in another process that does no
 * work. `transport.ts` runs it as plain JavaScript.
 *
 * Each round runs every case in shuffled order. A case is compared with the base of the same round. CPU is the user and
 * system time of the process. So waiting is free, and work on other threads counts.
 */
import { fork } from "node:child_process"
import { createDefaultRpcTransport, createSolanaRpc } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Runtime from "effect/Runtime"
import * as Tracer from "effect/Tracer"
import { Pool } from "undici"
import * as RpcPoolUndici from "../layers/RpcPoolUndici.js"
import * as RpcPool from "../services/RpcPool.js"
import * as RateLimit from "../services/transport/RateLimit.js"
import * as Address from "../src/solana/Address.js"
import { median } from "./harness.js"

const CONCURRENCY = 20
const CALLS = 2_000
const ROUNDS = 21

const ADDRESSES = Array.from({ length: 256 }, (_, index) => Address.fromBytes(new Uint8Array(32).fill(index)))

const addressAt = (index: number) => ADDRESSES[index % ADDRESSES.length] ?? Address.SYSTEM_PROGRAM

const params = (index: number) => [addressAt(index), { commitment: "confirmed" }] as const

interface Case {
  readonly name: string
  /** Makes a number of calls, `CONCURRENCY` at a time. */
  readonly run: (calls: number) => Promise<unknown>
}

const promises = (name: string, call: (index: number) => Promise<unknown>): Case => ({
  name,
  run: (calls) => {
    let next = 0
    const worker = async (): Promise<void> => {
      while (next < calls) await call(next++)
    }
    return Promise.all(Array.from({ length: CONCURRENCY }, worker))
  }
})

const effects = (
  name: string,
  rpc: RpcPool.Service,
  runtime: Runtime.Runtime<never>,
  tracer?: Tracer.Tracer
): Case => ({
  name,
  run: (calls) => {
    const all = Effect.forEach(Array.from({ length: calls }), (_, index) => rpc.getBalance(addressAt(index)), {
      concurrency: CONCURRENCY,
      discard: true
    })
    return Runtime.runPromise(runtime)(tracer === undefined ? all : Effect.withTracer(all, tracer))
  }
})

/** A tracer that makes spans and drops them, as an exporter without sampling does. */
const tracer = Tracer.make({
  context: (run) => run(),
  span: (name, parent, context, links, startTime, kind) => {
    const attributes = new Map<string, unknown>()
    return {
      _tag: "Span",
      name,
      spanId: "span",
      traceId: "trace",
      parent,
      context,
      status: { _tag: "Started", startTime },
      attributes,
      links,
      sampled: true,
      kind,
      end: () => undefined,
      attribute: (key, value) => void attributes.set(key, value),
      event: () => undefined,
      addLinks: () => undefined
    }
  }
})

const limits = { requests: { perSecond: 1e9, burst: 1e9 }, items: { perSecond: 1e9, burst: 1e9 } }

const cases = (url: string) =>
  Effect.gen(function* () {
    const runtime = yield* Effect.runtime()
    const endpoint = { url: Redacted.make(url), connections: CONCURRENCY }
    const limited = RpcPool.make(yield* Effect.flatMap(RpcPoolUndici.transport(endpoint), RateLimit.make(limits)))
    const everything = yield* RpcPoolUndici.make({ ...endpoint, limits })
    const pool = yield* Effect.acquireRelease(
      Effect.sync(() => new Pool(url, { connections: CONCURRENCY })),
      (pool) => Effect.promise(() => pool.destroy())
    )
    const headers = { "content-type": "application/json", accept: "application/json" }
    const kitTransport = createDefaultRpcTransport({ url })
    const kit = createSolanaRpc(url)

    return [
      promises("undici, plain promises", async (index) => {
        const body = JSON.stringify({ jsonrpc: "2.0", id: index, method: "getBalance", params: params(index) })
        const reply = await pool.request({ path: "/", method: "POST", headers, body })
        return JSON.parse(await reply.body.text())
      }),
      effects("RpcPool, span and limits, no tracer", limited, runtime),
      effects("RpcPool, everything, no tracer", everything, runtime),
      effects("RpcPool, everything, a tracer", everything, runtime, tracer),
      promises("Kit's transport", (index) =>
        kitTransport({ payload: { jsonrpc: "2.0", id: `${index}`, method: "getBalance", params: params(index) } })
      ),
      promises("Kit's RPC", (index) => kit.getBalance(addressAt(index)).send())
    ]
  })

const shuffled = <A>(items: ReadonlyArray<A>): ReadonlyArray<A> =>
  items
    .map((item) => ({ item, key: Math.random() }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ item }) => item)

/** Microseconds of CPU per call, without the garbage of earlier cases. */
const cpu = async (contender: Case, calls: number): Promise<number> => {
  globalThis.gc?.({ type: "minor" })
  const before = process.cpuUsage()
  await contender.run(calls)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / calls
}

const server = Effect.acquireRelease(
  Effect.async<{ readonly url: string; readonly kill: () => void }>((resume) => {
    const child = fork(new URL("./zeroWorkServer.mjs", import.meta.url))
    child.once("message", (address: { readonly port: number }) =>
      resume(Effect.succeed({ url: `http://127.0.0.1:${address.port}`, kill: () => void child.kill() }))
    )
  }),
  ({ kill }) => Effect.sync(kill)
)

const measured = Effect.gen(function* () {
  const { url } = yield* server
  const all = yield* cases(url)
  const micros = new Map<string, Array<number>>(all.map(({ name }) => [name, []]))
  for (let nth = -2; nth < ROUNDS; nth++) {
    for (const contender of shuffled(all)) {
      const spent = yield* Effect.promise(() => cpu(contender, CALLS))
      if (nth >= 0) micros.get(contender.name)?.push(spent)
    }
  }
  const base = micros.get(all[0]?.name ?? "") ?? []
  return all.map(({ name }) => {
    const own = micros.get(name) ?? []
    return {
      name,
      micros: median(own),
      ratio: median(own.map((value, round) => value / (base[round] ?? Number.NaN)))
    }
  })
})

const rows = await Effect.runPromise(Effect.scoped(measured))

if (process.argv.includes("--json")) {
  console.log(
    JSON.stringify({ bench: "transport", concurrency: CONCURRENCY, calls: CALLS, rounds: ROUNDS, rows }, null, 2)
  )
} else {
  console.log(
    `CPU of the client, µs a call, ${CONCURRENCY} at a time, medians of ${ROUNDS} interleaved rounds of ${CALLS} calls\n`
  )
  for (const { micros, name, ratio } of rows) {
    console.log(`${name.padEnd(38)} ${micros.toFixed(1).padStart(7)}  × ${ratio.toFixed(2)}`)
  }
}
