/**
 * Mixed load for a long time. The memory, handles, sockets and fibers of this process must not grow.
 *
 * `npm run -s bench -- soak --minutes 30 [--sessions 4] [--json]`. The cluster runs in another process. A session has two new
 * agents. One sends messages to the other, singly and in batches. The other follows its inbox, reads and verifies each
 * payload, and marks every fifth message as delivered. Both are dropped at the end, so a leak of a session shows.
 */
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import type { Address } from "@solana/kit"
import { lamports } from "@solana/kit"
import * as Arr from "effect/Array"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Function from "effect/Function"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as RuntimeFlags from "effect/RuntimeFlags"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as Pod from "../layers/Pod.js"
import * as WalletNode from "../layers/WalletNode.js"
import * as Agent from "../services/Agent.js"
import * as Message from "../services/Message.js"
import * as PayloadStore from "../services/PayloadStore.js"
import * as RpcPool from "../services/RpcPool.js"
import { type Service, Wallet } from "../services/Wallet.js"

/** Messages of a session: one half is sent singly, the other half together. */
const MESSAGES = 50

/** Half of Solana's slot time. A blockhash still lives three times as long as it is cached. */
const SLOT_MILLIS = 200

const LOCALNET = fileURLToPath(new URL("../examples/localnet.ts", import.meta.url))

/** A cluster in another process, until the scope closes. */
const localnet = Effect.gen(function* () {
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      spawn(process.execPath, ["--import", "tsx", LOCALNET, "--port", "0", "--slot-time", String(SLOT_MILLIS)], {
        stdio: ["ignore", "pipe", "inherit"]
      })
    ),
    (child) => Effect.sync(() => child.kill())
  )
  const lines = Stream.orDie(Stream.fromAsyncIterable(createInterface(child.stdout), Function.identity))
  const [url, wsUrl] = yield* lines.pipe(
    Stream.filterMap((line) => Option.fromNullable(/^(?:HTTP|WebSocket)\s+(\S+)$/.exec(line)?.[1])),
    Stream.take(2),
    Stream.runCollect,
    Effect.map(Arr.fromIterable)
  )
  return url === undefined || wsUrl === undefined
    ? yield* Effect.dieMessage("the cluster ended before it served")
    : { url: Redacted.make(url), wsUrl: Redacted.make(wsUrl) }
})

const as = (wallet: Service) => Effect.provideService(Wallet, wallet)

const registered = Effect.gen(function* () {
  const pool = yield* RpcPool.RpcPool
  const { register } = yield* Agent.Agent
  const wallet = yield* WalletNode.generate
  yield* pool.requestAirdrop(wallet.address, lamports(1_000_000_000n))
  yield* Effect.repeat(pool.getBalance(wallet.address, { commitment: "confirmed" }), {
    until: ({ value }) => value > 0n,
    schedule: Schedule.spaced(SLOT_MILLIS)
  })
  yield* register({ metadataUri: "https://example.com/agent.json" }).pipe(as(wallet))
  return wallet
})

/** Reads and verifies messages until a number of them has arrived. */
const readAll = (wallet: Service, count: number) =>
  Effect.gen(function* () {
    const { inbox, markDelivered, payload } = yield* Message.Message
    const payloads = yield* PayloadStore.PayloadStore
    yield* inbox(wallet.address, { follow: true }).pipe(
      Stream.take(count),
      Stream.zipWithIndex,
      Stream.runForEach(([message, index]) =>
        Effect.gen(function* () {
          yield* payload(message)
          yield* payloads.remove(message.account.payloadHash)
          if (index % 5 === 0) yield* markDelivered(message)
        })
      ),
      as(wallet)
    )
  })

const writeAll = (recipient: Address, count: number) =>
  Effect.gen(function* () {
    const messages = yield* Message.Message
    const single = Math.ceil(count / 2)
    const inputs = Arr.makeBy(count, (index) => ({ recipient, payload: `message ${index} of ${count}` }))
    yield* Effect.forEach(Arr.take(inputs, single), (input) => messages.send(input), { concurrency: 4 })
    yield* Effect.flatMap(messages.sendAll(Arr.drop(inputs, single)), Effect.all)
  })

const session = Effect.gen(function* () {
  const [writer, reader] = yield* Effect.all([registered, registered], { concurrency: 2 })
  yield* Effect.all([readAll(reader, MESSAGES), writeAll(reader.address, MESSAGES).pipe(as(writer))], {
    concurrency: 2
  })
})

const collectGarbage = (): unknown => {
  setFlagsFromString("--expose-gc")
  return runInNewContext("gc()")
}

const megabytes = (bytes: number): number => Math.round((bytes / 1024 / 1024) * 10) / 10

interface Sample {
  readonly seconds: number
  readonly rss: number
  readonly heap: number
  readonly handles: number
  readonly sockets: number
  readonly fibers: number
  readonly sessions: number
}

const sample = (seconds: number, sessions: number): Effect.Effect<Sample> =>
  Effect.map(Metric.value(Metric.fiberActive), ({ count }) => {
    collectGarbage()
    const { heapUsed, rss } = process.memoryUsage()
    const handles = process.getActiveResourcesInfo()
    return {
      seconds,
      rss: megabytes(rss),
      heap: megabytes(heapUsed),
      handles: handles.length,
      sockets: handles.filter((handle) => handle === "TCPSocketWrap").length,
      fibers: count,
      sessions
    }
  })

const COLUMNS = ["seconds", "rss", "heap", "handles", "sockets", "fibers", "sessions"] as const

const row = (cells: ReadonlyArray<string | number>): string => cells.map((cell) => String(cell).padStart(9)).join("")

const mean = (samples: ReadonlyArray<Sample>, column: keyof Sample): number =>
  Math.round((samples.reduce((sum, sample) => sum + sample[column], 0) / samples.length) * 10) / 10

/** The samples of the second and of the last third; the first third is warm-up. */
const compare = (samples: ReadonlyArray<Sample>) => {
  const third = Math.floor(samples.length / 3)
  const middle = samples.slice(third, 2 * third)
  const last = samples.slice(-third)
  return COLUMNS.filter((column) => column !== "seconds" && column !== "sessions").map((column) => ({
    column,
    middle: mean(middle, column),
    last: mean(last, column)
  }))
}

interface Arguments {
  readonly minutes: number
  readonly sessions: number
  readonly json: boolean
}

const soak = ({ json, minutes, sessions }: Arguments) =>
  Effect.gen(function* () {
    let done = 0
    let failed = 0
    const start = yield* Clock.currentTimeMillis
    const worker = session.pipe(
      Effect.matchCauseEffect({
        onFailure: (cause) => {
          failed++
          return Console.error(String(cause))
        },
        onSuccess: () => Effect.sync(() => done++)
      }),
      Effect.forever
    )
    const samples: Array<Sample> = []
    const sampler = Effect.gen(function* () {
      const taken = yield* sample(Math.round(((yield* Clock.currentTimeMillis) - start) / 1000), done)
      samples.push(taken)
      if (!json) yield* Console.log(row(COLUMNS.map((column) => taken[column])))
    })
    if (!json) yield* Console.log(row(COLUMNS))
    yield* Effect.replicateEffect(worker, sessions, { concurrency: "unbounded", discard: true }).pipe(
      Effect.raceFirst(Effect.repeat(sampler, Schedule.spaced(Math.max(1000, minutes * 1000)))),
      Effect.timeoutOption(minutes * 60_000)
    )
    const report = { minutes, sessions: done, failed, messages: done * MESSAGES, compared: compare(samples) }
    if (json) return yield* Console.log(JSON.stringify({ ...report, samples }))
    yield* Console.log(`${done} sessions, ${report.messages} messages; ${failed} sessions failed`)
    yield* Effect.forEach(report.compared, ({ column, last, middle }) =>
      Console.log(`${column.padEnd(8)} ${middle} in the second third, ${last} in the last`)
    )
  })

/** Runs the benchmark with the arguments of the command line. */
export const run = (args: ReadonlyArray<string>): Promise<void> => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: "string", default: "30" },
      sessions: { type: "string", default: "4" },
      json: { type: "boolean", default: false }
    }
  })
  const load = soak({ minutes: Number(values.minutes), sessions: Number(values.sessions), json: values.json })
  return Effect.gen(function* () {
    const node = yield* localnet
    const live = Pod.layer({ ...node, probeInterval: "5 seconds" }).pipe(Layer.provideMerge(PayloadStore.layerMemory))
    yield* Effect.provide(load, live)
  }).pipe(Effect.scoped, Effect.provide(RuntimeFlags.enableRuntimeMetrics), Effect.runPromise)
}
