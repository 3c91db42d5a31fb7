import { execFile } from "node:child_process"
import { readdirSync } from "node:fs"
import * as path from "node:path"
import { promisify } from "node:util"
import { describe, expect, it } from "@effect/vitest"
import { bundled } from "../support/bundled.js"

const run = promisify(execFile)
const cwd = path.resolve(import.meta.dirname, "../..")
const folder = "examples/guide"

/** They print names and lines of their source, which a bundle with packages does not have. */
const SHOWS_SOURCES = ["fiber-console.ts", "heap-profile.ts"]

const examples = readdirSync(path.join(cwd, folder))

const scriptOf = (file: string): string => bundled(`${folder}/${file}`, { sources: SHOWS_SOURCES.includes(file) })

/** What an example must print, beside ending well. */
const expected: Readonly<Record<string, ReadonlyArray<RegExp>>> = {
  "reputation.ts": [/^Kernel: simd, memory: 1\.2 MB$/m, /^Best agents: 7, with 82\.5$/m, /^Agents from 50: 10001$/m],
  "batch.ts": [/^Landed: 30, failed: 5$/m, /^The first failure: /m, /^In order: true$/m],
  "connection-pool.ts": [/^Calls answered over at most 20 connections: 500$/m, /^The node runs \d/m],
  "cache.ts": [
    /^capabilities after the update: 3$/m,
    /^after the invalidation: profile 2$/m,
    /^reads from memory: 1\d\d\d, from the network or a loader: \d$/m
  ],
  "analytics.ts": [
    /^Agents that registered on the last day: 2$/m,
    /^Agents +2$/m,
    /^Escrows +1 +hold 0\.004 SOL$/m,
    /^All +2 +1 +1 +0 +1 +0 +0\.005 SOL +0 SOL$/m,
    /^Slot \d+, epoch \d+ /m
  ],
  "invalidation.ts": [
    /^at first: capabilities 1, profile 1$/m,
    /^again: capabilities 1, profile 1$/m,
    /^after an update by another process: capabilities 3, profile 2$/m,
    /^after a pattern: capabilities 3, profile 3$/m
  ],
  "capabilities.ts": [
    /^Bits on the chain: 129$/m,
    /^Its names: AI_CHAT, IMAGES$/m,
    /^The same array each time: true$/m
  ],
  "memory-monitor.ts": [
    /^reading: RSS .*, pressure normal$/m,
    /^ {2}Heap: /m,
    /^ {2}PayloadStore: 4\.8 MB$/m,
    /^ {2}BufferPool: 0\.3 MB$/m,
    /^Suspicion: NotEnough$/m,
    /^Collected /m
  ],
  "benchmark.ts": [
    /^message_send: time of each operation on the clock$/m,
    /^one by one \(A\/A\) /m,
    /^batched .*\/s /m,
    /^A\/A: /m,
    /^since the last run, batched: /m,
    /report\.html$/m
  ],
  "cpu-profile.ts": [
    /^Sent 30 messages$/m,
    /^ +[\d.]+ % .* Message\.send > Transactions\.send$/m,
    /flamegraph\.svg$/m,
    /index\.html$/m
  ],
  "heap-profile.ts": [
    /^Top allocators:\n +[\d.]+ [MkB]+ /m,
    /^Grown most:\n +[\d.]+ MB {2}(leak|heap-profile\.ts:\d+)$/m
  ],
  "fiber-console.ts": [
    /^! deadlock: #\d+ left waits for #\d+ right waits for the first: none can go on$/m,
    /^! long poll: #\d+ parser ran for \d+ ms without a pause/m,
    / suspended .* worker +examples\/guide\/fiber-console\.ts:\d+$/m
  ],
  "discovery.ts": [
    /^Traders as of slot \d+: 2$/m,
    /^Found by "writ": \S+bo-writer\.json$/m,
    /^Like ada: 0\.\d+ \S+cy-trader/m
  ],
  "errors.ts": [
    /^InvalidInput: recipient must be the recipient's wallet/m,
    /^ProgramError: AccountNotInitialized: /m,
    /^AccountNotFound: No ChannelAccount of this program at /m,
    /^The message landed$/m
  ],
  "http2.ts": [/^Answers: 200, connections: 1$/m, /^Several calls at once: true, at most 100: true$/m],
  "lock-free.ts": [/^Total requests: 800$/m, /^Average response time: 499\.5 µs$/m, /^P95 response time: 860 µs$/m],
  "memory-pool.ts": [/^Buffers made: 4, used again: 16$/m, /^In use: 0, idle: 4$/m],
  "configuration.ts": [
    /^url +rpc\.example +environment$/m,
    /^connections +50 +preset$/m,
    /^requestTimeout +8s +environment$/m,
    /^retry\.maxAttempts +4 +option$/m,
    /^arraySize +100 +option$/m,
    /^cache\.maxEntries +10000 +preset$/m,
    /^connectTimeout +10s +default$/m
  ],
  "metrics.ts": [
    /^Performance Report:\nOver /,
    /^agent_registration +1 /m,
    /^Message\.send +25 .* needs 200 +needs 1000 /m,
    /^rpc\.sendTransaction +26 /m,
    /^messages_sent +25$/m,
    /^active_connections +1$/m
  ],
  "task-pool.ts": [
    /^Read 12 agents in order: 0,1,2,3,4,5,6,7,8,9,10,11$/m,
    /^The task did not end within 50 ms/m,
    /^Running now: 0$/m
  ],
  "zero-copy.ts": [
    /^Sent \d+ bytes; the store shares their memory: true$/m,
    /^Without zeroCopy it shares their memory: false$/m
  ],
  "work-stealing.ts": [
    /^Digests: 500, distinct: 500$/m,
    /^The task loops gave no result: it ran longer than 100 ms/m,
    /^After it: true$/m,
    /^Threads: 2, replaced: \d, pending: \d$/m
  ]
}

describe("the examples of the guide", () => {
  it.each(examples)(
    "Given examples/guide/%s, When it runs, Then it ends well",
    async (file) => {
      // Node 22 warns of its own SQLite.
      const flags = ["--disable-warning=ExperimentalWarning"]
      const { stderr, stdout } = await run(process.execPath, [...flags, scriptOf(file)], { cwd })
      expect(stderr).toBe("")
      expect(stdout).not.toBe("")
      for (const pattern of expected[file] ?? []) expect(stdout).toMatch(pattern)
    },
    300_000
  )
})
