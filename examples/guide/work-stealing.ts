/**
 * Work stealing: computes many digests of uneven cost on all cores. Idle threads take work from busy ones.
 *
 *     npx tsx examples/guide/work-stealing.ts
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { WorkerPool, WorkerPoolThreads } from "@pod-protocol/effect"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

const AGENTS = 500

/**
 * The module of the task, which the threads import. A real application names a file: `new URL("./digest.js",
 * import.meta.url)`.
 */
const source = `
  import { createHash } from "node:crypto"
  export const digest = (input) => {
    let digest = input
    for (let round = 0; round < 10 * (1 + (input[0] ?? 0)); round++) digest = createHash("sha256").update(digest).digest()
    return digest
  }
  export const loops = () => { for (;;); }
`

const task = (name: string): WorkerPool.Task<string, string> => ({
  name,
  module: new URL(`data:text/javascript,${encodeURIComponent(source)}`),
  encode: (agent) => new TextEncoder().encode(agent),
  decode: (digest) => Buffer.from(digest).toString("hex")
})

const program = Effect.gen(function* () {
  const pool = yield* WorkerPool.WorkerPool
  const agents = Array.from({ length: AGENTS }, (_, index) => `agent ${index}`)

  // A free thread takes the next input
  const digests = yield* pool.map(task("digest"), agents)
  yield* Console.log(`Digests: ${digests.length}, distinct: ${new Set(digests).size}`)

  // A task that never returns is terminated, and its thread is replaced
  const error = yield* Effect.option(Effect.flip(pool.run(task("loops"), "x", { timeout: "100 millis" })))
  yield* Console.log(Option.match(error, { onNone: () => "it returned", onSome: ({ message }) => message }))
  yield* Console.log(`After it: ${(yield* pool.run(task("digest"), "agent 0")) === digests[0]}`)

  const { pending, replaced, threads } = yield* pool.stats
  yield* Console.log(`Threads: ${threads}, replaced: ${replaced}, pending: ${pending}`)
})

program.pipe(Effect.provide(WorkerPoolThreads.layer({ threads: 2 })), NodeRuntime.runMain)
