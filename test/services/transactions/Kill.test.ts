import { spawn } from "node:child_process"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as EmbeddedCluster from "../../../layers/EmbeddedCluster.js"
import * as RpcPoolEmbedded from "../../../layers/RpcPoolEmbedded.js"
import * as Server from "../../../layers/EmbeddedServer.js"
import { RpcPool } from "../../../services/RpcPool.js"
import * as Transactions from "../../../services/Transactions.js"
import { Wallet } from "../../../services/Wallet.js"
import * as Messages from "../../support/messages.js"
import { walletOf } from "../../support/transfers.js"

const SEED = 101
const MESSAGES = 150
const KILLS = 4
const SCRIPT = new URL("../../support/journalChild.ts", import.meta.url).pathname

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "journal-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true }))
)

/** Runs the child; with a delay, kills it so long after it began to send. Gives its exit code, none if it was killed. */
const run = (args: ReadonlyArray<string>, killAfter?: number) =>
  Effect.async<number | null, Error>((resume) => {
    const child = spawn(process.execPath, ["--import", "tsx", SCRIPT, ...args], {
      stdio: ["ignore", "pipe", "inherit"]
    })
    let timer: NodeJS.Timeout | undefined
    child.stdout.on("data", (chunk: Buffer) => {
      if (killAfter !== undefined && chunk.includes("sending")) {
        timer ??= setTimeout(() => child.kill("SIGKILL"), killAfter)
      }
    })
    child.once("error", (error) => resume(Effect.fail(error)))
    child.once("exit", (code) => resume(Effect.succeed(code)))
    return Effect.sync(() => {
      clearTimeout(timer)
      child.kill("SIGKILL")
    })
  })

const cluster = Transactions.layer().pipe(
  Layer.provideMerge(RpcPoolEmbedded.layer),
  Layer.provideMerge(EmbeddedCluster.layer({ blockMode: "interval", slotDuration: "40 millis" }))
)

describe("Transactions: a process that is killed", () => {
  it.scopedLive(
    "Given kill -9 at random moments, when the next process recovers and resends, then each message landed once",
    () =>
      Effect.gen(function* () {
        const wallet = yield* walletOf(SEED)
        const { airdrop } = yield* EmbeddedCluster.EmbeddedCluster
        const { send } = yield* Transactions.Transactions
        const pool = yield* RpcPool
        yield* airdrop(wallet.address, 1_000_000_000_000n)
        yield* pool.getBalance(wallet.address).pipe(Effect.repeat({ until: ({ value }) => value > 0n }))
        yield* send([yield* Messages.register(wallet.address)]).pipe(Effect.provideService(Wallet, wallet))
        const { url } = yield* Server.serve()
        const directory = yield* temporary
        const args = [url, `${SEED}`, `${MESSAGES}`, directory]
        // When
        let left = 0
        for (let kills = 0; kills < KILLS; kills++) {
          const delay = yield* Random.nextIntBetween(0, 400)
          yield* run(args, delay)
          left += readdirSync(directory).length
        }
        expect(yield* run(args)).toBe(0)
        // Then
        expect(left).toBeGreaterThan(0)
        expect(readdirSync(directory)).toHaveLength(0)
        const history = yield* pool.getSignaturesForAddress(wallet.address)
        expect(history.filter(({ err }) => err !== null)).toHaveLength(0)
        // All messages, the registration and the airdrop.
        expect(history).toHaveLength(MESSAGES + 2)
        const made = yield* Effect.forEach(
          Array.from({ length: MESSAGES }, (_, index) => index),
          (index) =>
            Effect.flatMap(Messages.message(wallet.address, index), ({ address }) =>
              Effect.flatMap(pool.getSignaturesForAddress(address), (signatures) => Effect.succeed(signatures.length))
            )
        )
        expect(made.every((count) => count === 1)).toBe(true)
      }).pipe(Effect.provide(cluster)),
    120_000
  )
})
