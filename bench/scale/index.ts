import { randomBytes } from "node:crypto"
import * as path from "node:path"
import { pathToFileURL } from "node:url"
import { parseArgs } from "node:util"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as SealingNode from "../../layers/SealingNode.js"
import * as SealingThreads from "../../layers/SealingThreads.js"
import * as StopwatchNode from "../../layers/StopwatchNode.js"
import * as WalletNode from "../../layers/WalletNode.js"
import * as WalletThreads from "../../layers/WalletThreads.js"
import * as WorkerPoolThreads from "../../layers/WorkerPoolThreads.js"
import * as Benchmark from "../../services/Benchmark.js"
import { Sealing, type Service as SealingService } from "../../services/Sealing.js"
import { Wallet } from "../../services/Wallet.js"
import * as WorkerPool from "../../services/WorkerPool.js"
import { load } from "../hotpath/install.js"
import { finish, flagsOf } from "../report.js"
import * as Agents from "./agents.js"
import type { start } from "./bareThreads.mjs"
import * as Goals from "./goals.js"
import { spin } from "./work.mjs"

const IN_FLIGHT = 64
const SIGNATURES = 1000
const SEALED = 64
/** Threads import modules from files, which a bundle does not have. */
const fileOf = (name: string) =>
  pathToFileURL(path.join(process.env["BENCH_ROOT"] ?? process.cwd(), "bench/scale", name))
const MODULE = fileOf("work.mjs")
const BARE = fileOf("bareThreads.mjs")

const task: WorkerPool.Task<Uint8Array, Uint8Array> = {
  name: "spin",
  module: MODULE,
  encode: (bytes) => bytes,
  decode: (bytes) => bytes
}

const inputs = Array.from({ length: IN_FLIGHT }, (_, index) => Uint8Array.of(index))

interface Piscina {
  readonly run: (input: Uint8Array) => Promise<unknown>
  readonly destroy: () => Promise<void>
}

class Pool extends Context.Tag("bench/Piscina")<Pool, Piscina>() {}

/** A pool of piscina with as many threads. */
const piscina = (threads: number) =>
  Effect.acquireRelease(
    Effect.promise(async (): Promise<Piscina> => {
      const module = await load("threads", "piscina")
      const exported = Predicate.hasProperty(module, "default") ? module.default : module
      const Pool = Predicate.hasProperty(exported, "Piscina") ? exported.Piscina : undefined
      if (typeof Pool !== "function") throw new Error("piscina exports no Piscina")
      return Reflect.construct(Pool, [{ filename: MODULE.href, minThreads: threads, maxThreads: threads }])
    }),
    (pool) => Effect.promise(() => pool.destroy())
  )

/** A call that waits for a turn of the event loop: the least that a call of a pool can cost its caller. */
const turn = Effect.async<void>((resume) => {
  setImmediate(() => resume(Effect.void))
})

const smallTasks = (threads: number) =>
  Benchmark.run(
    Benchmark.make({
      name: `CPU of a task of about 50 µs, ${IN_FLIGHT} in flight, ${threads} threads`,
      base: "on this thread",
      cases: {
        "on this thread": Benchmark.call(() => inputs.map(spin), { operations: IN_FLIGHT }),
        "fibers without work": Benchmark.effect(
          Effect.forEach(inputs, () => turn, { concurrency: "unbounded" }),
          { operations: IN_FLIGHT }
        ),
        WorkerPoolThreads: Benchmark.withSetup(
          Benchmark.effect(
            Effect.flatMap(WorkerPool.WorkerPool, ({ run }) =>
              Effect.forEach(inputs, (input) => run(task, input), { concurrency: "unbounded" })
            ),
            { operations: IN_FLIGHT }
          ),
          WorkerPoolThreads.layer({ threads })
        ),
        "WorkerPoolThreads.map": Benchmark.withSetup(
          Benchmark.effect(
            Effect.flatMap(WorkerPool.WorkerPool, ({ map }) => map(task, inputs)),
            { operations: IN_FLIGHT }
          ),
          WorkerPoolThreads.layer({ threads })
        ),
        piscina: Benchmark.withSetup(
          Benchmark.effect(
            Effect.flatMap(Pool, (pool) => Effect.promise(() => Promise.all(inputs.map((input) => pool.run(input))))),
            { operations: IN_FLIGHT }
          ),
          Layer.scoped(Pool, piscina(threads))
        )
      }
    })
  )

const messages = Array.from({ length: SIGNATURES }, () => new Uint8Array(randomBytes(286)))

const keyPair = Effect.promise(() => globalThis.crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"])).pipe(
  Effect.filterOrDieMessage((made): made is CryptoKeyPair => "privateKey" in made, "no key pair")
)

class Bare extends Context.Tag("bench/BareThreads")<Bare, Awaited<ReturnType<typeof start>>>() {}

/** The least time on as many threads: each signs its share of the messages. */
const bareThreads = (threads: number, privateKey: CryptoKey) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const bare: { readonly start: typeof start } = await import(BARE.href)
      return bare.start(threads, messages, privateKey)
    }),
    ({ end }) => Effect.promise(end)
  )

/** Elapsed times, because threads use more CPU to save time. */
const signatures = (threads: number) =>
  Effect.gen(function* () {
    const pair = yield* keyPair
    const here = yield* WalletNode.fromKeyPair(pair)
    return yield* Benchmark.run(
      Benchmark.make({
        name: `time of ${SIGNATURES} signatures, ${threads} threads`,
        base: "on this thread",
        cases: {
          "on this thread": Benchmark.effect(here.sign(messages)),
          WalletThreads: Benchmark.withSetup(
            Benchmark.effect(Effect.flatMap(Wallet, ({ sign }) => sign(messages))),
            Layer.provide(WalletThreads.layerKeyPair(pair), WorkerPoolThreads.layer({ threads }))
          ),
          "threads without a pool": Benchmark.withSetup(
            Benchmark.effect(Effect.flatMap(Bare, ({ run }) => Effect.promise(run))),
            Layer.scoped(Bare, bareThreads(threads, pair.privateKey))
          )
        }
      }),
      { mode: "latency", operations: 62 }
    )
  })

const sealed = (threads: number) =>
  Effect.gen(function* () {
    const { address } = yield* WalletNode.generate
    const info = new Uint8Array(64)
    const bytes = new Uint8Array(randomBytes(1024))
    const seal = (sealing: SealingService) =>
      Effect.forEach(Array.from({ length: SEALED }), () => sealing.seal(address, info, bytes), {
        concurrency: "unbounded",
        discard: true
      })
    return yield* Benchmark.run(
      Benchmark.make({
        name: `time of ${SEALED} payloads of 1 KiB sealed at once, ${threads} threads`,
        base: "on this thread",
        cases: {
          "on this thread": Benchmark.effect(seal(SealingNode.make)),
          SealingThreads: Benchmark.withSetup(
            Benchmark.effect(Effect.flatMap(Sealing, seal)),
            Layer.provide(SealingThreads.layer, WorkerPoolThreads.layer({ threads }))
          )
        }
      }),
      { mode: "latency", operations: 310 }
    )
  })

const ofThreads = (threads: number) =>
  Effect.gen(function* () {
    const tasks = yield* smallTasks(threads)
    const signed = yield* signatures(threads)
    return {
      reports: [tasks, signed, yield* sealed(threads)],
      targets: [...Goals.ofTasks(tasks), ...Goals.ofSignatures(signed)]
    }
  })

const ofAgents = (count: number) =>
  Effect.gen(function* () {
    return { targets: yield* Agents.memory(count), reports: [yield* Agents.sends] }
  })

const flags = flagsOf(process.argv.slice(2))
const { values } = parseArgs({
  args: process.argv.slice(2),
  strict: false,
  options: { threads: { type: "string" }, agents: { type: "string" } }
})
const asked = ["threads", "agents"].filter((name) => flags.names.includes(name))
const isAsked = (name: string) => asked.length === 0 || asked.includes(name)

const parts = await Effect.gen(function* () {
  return [
    ...(isAsked("threads") ? [yield* ofThreads(Number(values["threads"] ?? 2))] : []),
    ...(isAsked("agents") ? [yield* ofAgents(Number(values["agents"] ?? 10_000))] : [])
  ]
}).pipe(Effect.provide(StopwatchNode.layer), Effect.runPromise)

await finish(
  parts.flatMap(({ reports }) => reports),
  flags,
  { targets: parts.flatMap(({ targets }) => targets) }
)
