import { spawn } from "node:child_process"
import { mkdtempSync, readdirSync, rmSync, watch } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as EmbeddedCluster from "../../../layers/EmbeddedCluster.js"
import * as Server from "../../../layers/EmbeddedServer.js"
import * as RpcPoolEmbedded from "../../../layers/RpcPoolEmbedded.js"
import { RpcPool } from "../../../services/RpcPool.js"
import * as Transactions from "../../../services/Transactions.js"
import { Wallet } from "../../../services/Wallet.js"
import { bundled } from "../../support/bundled.js"
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

/** What stands in the journal. A file that a kill left half written is not an entry yet. */
const entriesOf = (directory: string) => readdirSync(directory).filter((name) => !name.endsWith(".tmp"))

/** Kills the child `delay` milliseconds after it has made `changes` changes to its journal. */
interface Killing {
  readonly changes: number
  readonly delay: number
}

/** Runs the child, and kills it if asked to. Returns its exit code, or null if it was killed. */
const run = (args: ReadonlyArray<string>, directory: string, killing?: Killing) =>
  Effect.async<number | null, Error>((resume) => {
    const child = spawn(process.execPath, [bundled(SCRIPT), ...args], {
      stdio: ["ignore", "ignore", "inherit"]
    })
    let timer: NodeJS.Timeout | undefined
    let changes = 0
    const watcher =
      killing === undefined
        ? undefined
        : watch(directory, (_, name) => {
            if (name === null || name.endsWith(".tmp") || ++changes < killing.changes) return
            timer ??= setTimeout(() => child.kill("SIGKILL"), killing.delay)
          })
    const end = (result: Effect.Effect<number | null, Error>) => {
      clearTimeout(timer)
      watcher?.close()
      resume(result)
    }
    child.once("error", (error) => end(Effect.fail(error)))
    child.once("exit", (code) => end(Effect.succeed(code)))
    return Effect.sync(() => {
      clearTimeout(timer)
      watcher?.close()
      child.kill("SIGKILL")
    })
  })

const cluster = Transactions.layer().pipe(
  Layer.provideMerge(RpcPoolEmbedded.layer),
  Layer.provideMerge(EmbeddedCluster.layer({ blockMode: "interval", slotDuration: "40 millis" }))
)

describe("Transactions: a process that is killed", () => {
  it.scopedLive(
    "Given kill -9 at random moments, When the next process recovers and resends, Then each message landed once",
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
          // Counted in journal writes: how long a child takes to its first one depends on the machine.
          const changes = yield* Random.nextIntBetween(1, 40)
          const delay = yield* Random.nextIntBetween(0, 40)
          yield* run(args, directory, { changes, delay })
          left += entriesOf(directory).length
        }
        expect(yield* run(args, directory)).toBe(0)
        // Then
        expect(left).toBeGreaterThan(0)
        expect(entriesOf(directory)).toHaveLength(0)
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
      }).pipe(Effect.provide(cluster))
  )
})
