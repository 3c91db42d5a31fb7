import { spawn } from "node:child_process"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Signature } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as EmbeddedCluster from "../../layers/EmbeddedCluster.js"
import * as RpcPoolEmbedded from "../../layers/RpcPoolEmbedded.js"
import { RpcPool } from "../../services/RpcPool.js"
import * as Transactions from "../../services/Transactions.js"
import { Wallet } from "../../services/Wallet.js"
import { bundled } from "../support/bundled.js"
import * as Messages from "../support/messages.js"
import { walletOf } from "../support/transfers.js"
import * as Dice from "./Dice.js"
import type { Faults } from "./Faults.js"
import { Line, Task } from "./KillTask.js"
import * as Network from "./Network.js"

export interface Options {
  readonly messages: number
  readonly faults: Faults
  readonly seed: number
  readonly endpoints: number
  /** Number of kills of the sending process. */
  readonly kills: number
}

/** The result of a run. */
export interface Report {
  readonly landedOnce: number
  readonly landedTwice: number
  /** Messages that the last process reported as landed and that are not on the chain. */
  readonly lost: number
  readonly failedTruly: number
  /** Messages that any process reported as failed and that are on the chain. */
  readonly failedFalsely: number
  /** Messages without a result of the last process. */
  readonly untold: number
  /** Transactions that killed processes left in the journal. */
  readonly left: number
  /** Those of them that the next process finished. */
  readonly recovered: number
  /** Transactions that are still in the journal at the end. */
  readonly unfinished: number
  /** Violations, in sentences. */
  readonly wrong: ReadonlyArray<string>
}

const SCRIPT = new URL("./killChild.ts", import.meta.url).pathname
const WALLET = 137
/** Milliseconds for which a process lives: it starts, recovers, sends, and waits for the last outcomes. */
const MIN_LIFE = 300
const LIFE = 1500
/** Maximum starts of a process that finds no endpoint. */
const STARTS = 5
/** Separates the dice of lives from those of calls. */
const LIVES = -2

const decodeLine = Schema.decodeUnknownSync(Line)

/** Runs a process to its end, or kills it some milliseconds after its start. Returns its reports and its exit. */
const live = (task: string, life: number) =>
  Effect.async<{ readonly lines: ReadonlyArray<typeof Line.Type>; readonly code: number | null }>((resume) => {
    const child = spawn(process.execPath, [bundled(SCRIPT), task], { stdio: ["ignore", "pipe", "inherit"] })
    let text = ""
    let timer: NodeJS.Timeout | undefined
    child.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString()
      if (life < Infinity) timer ??= setTimeout(() => child.kill("SIGKILL"), life)
    })
    child.once("error", (error) => resume(Effect.die(error)))
    child.once("close", (code) => {
      clearTimeout(timer)
      // A killed process may leave an incomplete line.
      const lines = text
        .slice(0, text.lastIndexOf("\n") + 1)
        .split("\n")
        .filter((line) => line !== "")
      resume(Effect.sync(() => ({ code, lines: lines.map((line) => decodeLine(line)) })))
    })
    return Effect.sync(() => {
      clearTimeout(timer)
      child.kill("SIGKILL")
    })
  })

const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "kill-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true }))
)

/** The cluster without the faulty network. */
const truthful = ({ faults, messages }: Options) =>
  Transactions.layer({ pollInterval: Network.SLOT_MILLIS }).pipe(
    Layer.provideMerge(RpcPoolEmbedded.layer),
    Layer.provideMerge(Network.cluster(faults, messages)),
    Layer.orDie
  )

/** A funded agent, visible to lagging endpoints too. */
const sender = Effect.gen(function* () {
  const wallet = yield* walletOf(WALLET)
  const { airdrop } = yield* EmbeddedCluster.EmbeddedCluster
  const { send } = yield* Transactions.Transactions
  yield* airdrop(wallet.address, 1_000_000_000_000n)
  yield* Network.slots(3)
  yield* send([yield* Messages.register(wallet.address)]).pipe(Effect.provideService(Wallet, wallet))
  yield* Network.slots(34)
  return wallet
})

/** Whether a signature is on the chain and succeeded. */
const hasLanded = (signature: Signature) =>
  Effect.flatMap(RpcPool, (pool) =>
    Effect.map(
      pool.getTransaction(signature),
      Option.exists(({ meta }) => Option.exists(meta, ({ err }) => err === null || err === undefined))
    )
  )

const verdictOf = (landed: ReadonlyArray<Signature>, line: typeof Line.Type | undefined) => {
  if (landed.length > 1) return "landedTwice"
  if (line === undefined) return "untold"
  if (line.failed !== undefined) return landed.length === 0 ? "failedTruly" : "failedFalsely"
  return landed[0] === line.landed ? "landedOnce" : "lost"
}

/** Kills the sending process repeatedly, lets the last one finish, and compares the reports with the chain. */
export const run = (options: Options): Effect.Effect<Report> =>
  Effect.gen(function* () {
    const { endpoints, faults, kills, messages, seed } = options
    const wallet = yield* sender
    const nodes = yield* Network.endpoints({ faults, seed, count: endpoints })
    const journal = yield* directory
    const broadcast = 1 + (seed % 2)
    const task = yield* Schema.encode(Task)({
      endpoints: nodes,
      broadcast,
      wallet: WALLET,
      messages,
      directory: journal
    })

    const told: Array<typeof Line.Type> = []
    let left = 0
    for (let kill = 0; kill < kills; kill++) {
      const { lines } = yield* live(task, MIN_LIFE + Dice.at(seed, LIVES, kill).roll() * LIFE)
      told.push(...lines)
      left += readdirSync(journal).length
    }
    const last = yield* Effect.repeat(live(task, Infinity), { until: ({ code }) => code === 0, times: STARTS })
    yield* Network.settled(faults)

    const pool = yield* RpcPool
    const all = [...told, ...last.lines]
    const lies = yield* Effect.filter(
      all.flatMap(({ failed, signature }) =>
        failed === undefined || signature === undefined ? [] : [{ failed, signature }]
      ),
      ({ signature }) => hasLanded(signature)
    )
    const final = new Map(last.lines.map((line) => [line.index, line]))
    const report = { landedOnce: 0, landedTwice: 0, lost: 0, failedTruly: 0, failedFalsely: lies.length, untold: 0 }
    const wrong = lies.map(({ failed, signature }) => `${signature} was told as failed: ${failed}`)
    for (const index of Array.from({ length: messages }).keys()) {
      const { address } = yield* Messages.message(wallet.address, index)
      const landed = (yield* pool.getSignaturesForAddress(address)).filter(({ err }) => err === null)
      const verdict = verdictOf(
        landed.map(({ signature }) => signature),
        final.get(index)
      )
      report[verdict]++
      if (verdict === "landedOnce" || verdict === "failedTruly") continue
      wrong.push(`message ${index}: ${verdict}, told ${JSON.stringify(all.filter((line) => line.index === index))}`)
    }
    const unfinished = readdirSync(journal)
    for (const name of unfinished) {
      const outcomes = all.filter((line) => name.includes(line.landed ?? line.signature ?? "none"))
      wrong.push(`${name} is in the journal, told ${JSON.stringify(outcomes)}`)
    }
    return {
      ...report,
      left,
      recovered: all.filter(({ index, landed }) => index === undefined && landed !== undefined).length,
      unfinished: unfinished.length,
      wrong
    }
  }).pipe(Effect.orDie, Effect.scoped, Effect.provide(truthful(options)))
