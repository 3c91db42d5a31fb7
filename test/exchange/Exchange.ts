/**
 * Two agents exchange messages through a cluster and a payload server, each in a process of its own. The payload server is
 * killed and started again on the way. Afterwards the report is held against the chain, and a third party looks for the
 * texts on the server's disk and in the chain's history.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import * as Arr from "effect/Array"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Pod from "../../layers/Pod.js"
import * as WalletNode from "../../layers/WalletNode.js"
import * as Message from "../../services/Message.js"
import * as PayloadStore from "../../services/PayloadStore.js"
import { RpcPool } from "../../services/RpcPool.js"
import { PROGRAM_ID } from "../../src/protocol/Program.js"
import { bundled } from "../support/bundled.js"
import { temporary, TOKEN } from "../support/payloadServers.js"
import { secretKeyOf } from "../support/wallets.js"
import { isSealed, Line, markOf, Task } from "./Task.js"

export interface Options {
  /** Of both agents together; an even number. */
  readonly messages: number
  /** How often the payload server is killed. */
  readonly kills: number
  readonly timeout: Duration.DurationInput
}

export interface Report {
  readonly messages: number
  readonly sealed: number
  /** Read with the right content, and read on the chain. */
  readonly readVerified: number
  /** Read with other content, read twice, or a message that nobody sent. */
  readonly wrong: number
  readonly lost: number
  readonly millis: number
}

/** Texts that the third party found. */
export interface Found {
  readonly plain: number
  readonly sealed: number
}

export interface Outcome {
  readonly report: Report
  readonly found: Found
  readonly kills: number
}

const ROOT = join(import.meta.dirname, "../..")
const AGENT = join(import.meta.dirname, "agent.ts")
const ADA = 41
const BO = 42

interface Running {
  readonly child: ChildProcess
  readonly lines: Queue.Dequeue<string>
  readonly exit: Deferred.Deferred<number>
}

/** Runs a script until the scope closes. */
const start = (
  script: string,
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>> = {}
): Effect.Effect<Running, never, Scope.Scope> =>
  Effect.gen(function* () {
    const lines = yield* Queue.unbounded<string>()
    const exit = yield* Deferred.make<number>()
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(process.execPath, [bundled(script), ...args], {
          cwd: ROOT,
          env: { ...process.env, ...env },
          stdio: ["ignore", "pipe", "inherit"]
        })
      ),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    createInterface({ input: child.stdout }).on("line", (line) => Queue.unsafeOffer(lines, line))
    child.once("error", (error) => Deferred.unsafeDone(exit, Effect.die(error)))
    child.once("close", (code) => Deferred.unsafeDone(exit, Effect.succeed(code ?? -1)))
    return { child, lines, exit }
  })

/** The URLs that a server prints, one a line, as `HTTP  http://…`. */
const urlsOf = ({ exit, lines }: Running, count: number): Effect.Effect<ReadonlyArray<string>, string> =>
  Effect.forEach(Arr.range(1, count), () => Effect.map(Queue.take(lines), (line) => line.split(/\s+/)[1] ?? "")).pipe(
    Effect.raceFirst(Effect.flatMap(Deferred.await(exit), (code) => Effect.fail(`a server ended with code ${code}`)))
  )

const servePayloads = (directory: string, port: string) =>
  Effect.gen(function* () {
    const args = ["--dir", directory, "--port", port]
    const running = yield* start("examples/payloads.ts", args, { POD_PAYLOAD_TOKEN: TOKEN })
    const [url = ""] = yield* urlsOf(running, 1)
    return { running, url }
  })

/** A payload server that can be killed: it comes back on the same port and folder. */
const payloadServer = (directory: string) =>
  Effect.gen(function* () {
    const first = yield* servePayloads(directory, "0")
    let current = first.running
    let kills = 0
    const kill = Effect.gen(function* () {
      current.child.kill("SIGKILL")
      kills++
      yield* Deferred.await(current.exit)
      current = (yield* Effect.retry(servePayloads(directory, new URL(first.url).port), {
        times: 5,
        schedule: Schedule.spaced("1 second")
      })).running
    })
    return { url: first.url, kill, kills: () => kills }
  })

/** What anybody can read: every file of the payload server, and every account and transaction of the program. */
const readable = (directory: string) =>
  Effect.gen(function* () {
    const files = readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((file) => file.isFile())
      .map((file) => readFileSync(join(file.parentPath, file.name)))
    const pool = yield* RpcPool
    const accounts = yield* pool.getProgramAccounts(PROGRAM_ID)
    const history = yield* Stream.runCollect(
      Stream.paginateEffect(undefined, (before: Parameters<typeof pool.getTransaction>[0] | undefined) =>
        Effect.map(pool.getSignaturesForAddress(PROGRAM_ID, { before, limit: 1000 }), (page) => [
          page,
          Option.map(Arr.last(page), ({ signature }) => signature)
        ])
      )
    )
    const transactions = yield* Effect.forEach(
      Arr.flatten(Arr.fromIterable(history)),
      ({ signature }) => pool.getTransaction(signature),
      { concurrency: 16 }
    )
    const wires = Arr.getSomes(transactions).map(({ wire }) => wire)
    return [...files, ...accounts.value.map(({ data }) => data), ...wires].map((bytes) => Buffer.from(bytes))
  })

/** Counts the texts that occur in any of the bytes. */
const find = (bytes: ReadonlyArray<Buffer>, each: number): Found => {
  const all = Buffer.concat(bytes)
  const found = { plain: 0, sealed: 0 }
  for (const sender of [ADA, BO]) {
    for (let index = 0; index < each; index++) {
      if (all.includes(markOf(sender, index))) found[isSealed(index) ? "sealed" : "plain"]++
    }
  }
  return found
}

const decodeLine = Schema.decodeUnknown(Line)

/** The messages on the chain, and those of them that are marked as read. */
const onChain = Effect.gen(function* () {
  const { outbox } = yield* Message.Message
  const counts = { all: 0, read: 0 }
  for (const seed of [ADA, BO]) {
    const { address } = yield* WalletNode.fromSecretKey(Redacted.make(secretKeyOf(seed)))
    yield* Stream.runForEach(outbox(address), ({ account }) =>
      Effect.sync(() => {
        counts.all++
        if (account.status === "Read") counts.read++
      })
    )
  }
  return counts
})

export const run = ({ kills, messages, timeout }: Options): Effect.Effect<Outcome> =>
  Effect.gen(function* () {
    const each = messages / 2
    const directory = yield* temporary
    const cluster = yield* start("examples/localnet.ts", ["--port", "0"])
    const [url = "", wsUrl = ""] = yield* urlsOf(cluster, 2)
    const server = yield* payloadServer(directory)
    const rpc = { url, wsUrl }

    const [duration, { right, wrong }] = yield* Effect.timed(
      Effect.gen(function* () {
        const agents = yield* Effect.forEach(
          [
            { own: ADA, peer: BO },
            { own: BO, peer: ADA }
          ],
          (seeds) =>
            Effect.flatMap(
              Effect.orDie(Schema.encode(Task)({ rpc, payloads: server.url, token: TOKEN, messages: each, ...seeds })),
              (task) => start(AGENT, [task])
            )
        )
        const right = new Set<string>()
        let wrong = 0
        const due = yield* Queue.unbounded<void>()
        yield* Effect.forkScoped(Effect.forever(Effect.zipRight(Queue.take(due), server.kill)))
        const take = ({ index, sender, wrong: what }: typeof Line.Type) => {
          const name = `${sender}/${index}`
          if (what !== undefined || right.has(name)) wrong++
          else right.add(name)
          const read = right.size + wrong
          const isDue = Math.floor((read * (kills + 1)) / messages) > Math.floor(((read - 1) * (kills + 1)) / messages)
          if (isDue && read < messages) Queue.unsafeOffer(due, undefined)
        }
        const reading = Effect.forEach(
          agents,
          ({ lines }) => Effect.forever(Effect.map(Effect.flatMap(Queue.take(lines), decodeLine), take)),
          { concurrency: "unbounded", discard: true }
        )
        const ended = Effect.forEach(agents, ({ exit }) => Deferred.await(exit), { concurrency: "unbounded" })
        const drained = Effect.repeat(Effect.sleep("10 millis"), {
          until: () =>
            Effect.map(
              Effect.forEach(agents, ({ lines }) => lines.isEmpty),
              Arr.every(Boolean)
            )
        })
        yield* Effect.raceFirst(reading, Effect.zipRight(ended, drained)).pipe(Effect.timeoutOption(timeout))
        return { right, wrong }
      })
    )

    const chain = yield* Effect.gen(function* () {
      return { counts: yield* onChain, bytes: yield* readable(directory) }
    }).pipe(Effect.provide(Layer.provide(Pod.layer(rpc), PayloadStore.layerMemory)))
    const readVerified = Math.min(right.size, chain.counts.read)
    return {
      report: {
        messages,
        sealed: Arr.makeBy(each, isSealed).filter(Boolean).length * 2,
        readVerified,
        wrong: wrong + Math.max(0, chain.counts.all - messages),
        lost: messages - readVerified,
        millis: Math.round(Duration.toMillis(duration))
      },
      found: find(chain.bytes, each),
      kills: server.kills()
    }
  }).pipe(Effect.scoped, Effect.orDie)
