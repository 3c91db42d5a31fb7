/** A chain in a folder: it survives a kill at any byte, and a folder that cannot be used is left as it was. */
import { spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { once } from "node:events"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { assert, it } from "@effect/vitest"
import { Keypair } from "@solana/web3.js"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import * as EmbeddedCluster from "../../layers/EmbeddedCluster.js"
import * as Json from "../../src/solana/Json.js"
import { bundled } from "../support/bundled.js"
import { call, field, payer, sent, value } from "./agave/support.js"
import { addressOf, SOL, transfer } from "./support.js"

/** Restarts after a kill -9. `LEDGER_KILLS=10000` is the long run. */
const KILLS = Number(process.env["LEDGER_KILLS"] ?? 2)

/** Inputs after which a killed process compacts its log: so few that a kill often hits it. */
const COMPACTED_AFTER = Number(process.env["LEDGER_INPUTS"] ?? 8)

/** As the killed process has it. */
const LITTLE_HISTORY = { maxTransactions: 300, maxBlocks: 300, maxStatuses: 300, blockhashLifetime: 300 }

const folder = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(tmpdir(), "pod-ledger-"))),
  (made) => Effect.sync(() => fs.rmSync(made, { recursive: true }))
)

/** Runs on the chain of the folder, and stops it. */
const on = <A, E>(
  ledger: string,
  use: Effect.Effect<A, E, EmbeddedCluster.EmbeddedCluster>,
  options: EmbeddedCluster.Options = {}
) => Effect.provide(use, EmbeddedCluster.layer({ podProgram: false, ...options, ledger }))

const refusal = (ledger: string, options: EmbeddedCluster.Options = {}) => Effect.flip(on(ledger, Effect.void, options))

const BASE64 = { encoding: "base64" }
const SYSVARS = ["SysvarC1ock11111111111111111111111111111111", "SysvarS1otHashes111111111111111111111111111"]

const digest = (value: unknown) => createHash("sha256").update(Json.stringify(value)).digest("hex")

const SYSTEM = "11111111111111111111111111111111"

const state = Effect.gen(function* () {
  const slot = yield* call("getSlot")
  const history = yield* call("getSignaturesForAddress", SYSTEM)
  const signatures = Array.isArray(history) ? history.map((one) => String(field(one, "signature"))) : []
  return {
    history,
    transactions: yield* Effect.forEach(signatures, (signature) =>
      call("getTransaction", signature, { encoding: "jsonParsed" })
    ),
    statuses: yield* value("getSignatureStatuses", signatures),
    block: yield* Effect.either(call("getBlock", field(history, 0, "slot"))),
    sysvars: digest(yield* value("getMultipleAccounts", SYSVARS, BASE64)),
    programs: digest(yield* call("getProgramAccounts", "BPFLoader2111111111111111111111111111111111", BASE64)),
    largest: yield* value("getLargestAccounts", { commitment: "confirmed" }),
    samples: yield* call("getRecentPerformanceSamples"),
    slot,
    hash: yield* call("getGenesisHash"),
    latest: yield* Effect.either(call("getBlock", slot, { rewards: false })),
    count: yield* call("getTransactionCount"),
    supply: yield* value("getSupply")
  }
})

const log = (ledger: string) => path.join(ledger, "ledger.log")

const isCompacted = (ledger: string) => fs.readFileSync(log(ledger)).includes("imageBytes")

for (const options of [
  { blockMode: "instant" },
  { blockMode: "instant", maxLedgerInputs: 1 },
  { blockMode: "instant", maxLedgerInputs: 1, transactionsPerBlock: 2 },
  { blockMode: "interval" },
  { blockMode: "interval", maxLedgerInputs: 1 }
] as const) {
  it.scoped(
    `Given all kinds of inputs with ${JSON.stringify(options)}, When a chain starts again, Then its state is the same`,
    () =>
      Effect.gen(function* () {
        const ledger = yield* folder
        const owner = addressOf(Keypair.generate())
        const [address, program] = [addressOf(Keypair.generate()), addressOf(Keypair.generate())]
        const before = yield* on(
          ledger,
          Effect.gen(function* () {
            const cluster = yield* EmbeddedCluster.EmbeddedCluster
            const key = yield* payer
            yield* cluster.advanceSlots(40)
            yield* Effect.yieldNow()
            yield* call("requestAirdrop", addressOf(Keypair.generate()), 1)
            yield* sent([key], transfer(key, Keypair.generate().publicKey, SOL))
            yield* cluster.setAccount({ address, lamports: 7n, owner, data: Uint8Array.of(1, 2), rentEpoch: 3n })
            const memo = field(
              yield* value("getAccountInfo", "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr", { encoding: "base64" }),
              "data",
              0
            )
            yield* cluster.addProgram(program, Buffer.from(String(memo), "base64"))
            yield* cluster.advanceTime("1 day")
            yield* Effect.yieldNow()
            yield* cluster.expireBlockhashes
            yield* cluster.advanceSlots(40)
            return yield* state
          }),
          options
        )
        const check = Effect.gen(function* () {
          assert.deepStrictEqual(yield* state, before)
          assert.deepInclude(yield* value("getAccountInfo", address), { lamports: 7, owner, rentEpoch: 3 })
          assert.deepInclude(yield* value("getAccountInfo", program, { encoding: "base64" }), { executable: true })
        })
        assert.strictEqual(isCompacted(ledger), "maxLedgerInputs" in options)
        yield* on(ledger, check, options)
        yield* on(ledger, Effect.zipRight(check, payer), options)
        yield* on(
          ledger,
          Effect.map(state, ({ count }) => assert.strictEqual(count, Number(before.count) + 1)),
          options
        )
      })
  )
}

it.scoped(
  "Given a log that is cut at any byte, When the chain starts, Then all that was acknowledged before is there",
  () =>
    Effect.gen(function* () {
      const ledger = yield* folder
      const acknowledged = yield* on(
        ledger,
        Effect.forEach(Array.from({ length: 3 }), () =>
          Effect.gen(function* () {
            const cluster = yield* EmbeddedCluster.EmbeddedCluster
            const signature = yield* cluster.airdrop(addressOf(Keypair.generate()), SOL)
            return { signature, size: fs.statSync(log(ledger)).size }
          })
        )
      )
      const whole = fs.readFileSync(log(ledger))
      const first = acknowledged[0]?.size ?? 0
      const cuts = [0, 5, 20, first - 1, ...acknowledged.flatMap(({ size }) => [size, size + 50])]
      for (const cut of cuts) {
        fs.writeFileSync(log(ledger), whole.subarray(0, cut))
        const expected = acknowledged.filter(({ size }) => size <= cut).map(({ signature }) => signature)
        const landed = yield* on(
          ledger,
          Effect.gen(function* () {
            yield* payer
            const statuses = yield* value(
              "getSignatureStatuses",
              acknowledged.map(({ signature }) => signature)
            )
            return acknowledged.filter((_, index) => field(statuses, index) !== null).map(({ signature }) => signature)
          })
        )
        assert.deepStrictEqual(landed, expected)
        yield* on(ledger, Effect.void)
      }
    })
)

it.scoped(
  "Given a folder that cannot be used, When the chain starts, Then the error says why, and nothing is changed",
  () =>
    Effect.gen(function* () {
      const ledger = yield* folder
      yield* on(ledger, payer)
      const whole = fs.readFileSync(log(ledger))
      const flipped = (at: number) => {
        const damaged = Buffer.from(whole)
        damaged[at] = (damaged[at] ?? 0) ^ 1
        return damaged
      }
      /** The third byte of a length: with another, the record would end behind the file. */
      const [header, first] = [13, 13 + 12 + whole.readUInt32LE(13)]
      const other = (name: string, value: string) =>
        Buffer.from(whole.toString("latin1").replace(name, value), "latin1")
      for (const [bytes, detail] of [
        [Buffer.from("not a ledger at all"), /is not a ledger/],
        [other("POD-LEDGER 1", "POD-LEDGER 9"), /another version/],
        [flipped(whole.length - 300), /is damaged at byte \d+/],
        [flipped(header + 2), /is damaged at byte 13/],
        [flipped(first + 2), /is damaged at byte \d+/],
        [other('"runtime"', '"runtims"'), /is damaged at byte 13/]
      ] as const) {
        fs.writeFileSync(log(ledger), bytes)
        const error = yield* refusal(ledger)
        assert.deepInclude(error, { _tag: "EmbeddedClusterError", reason: "Ledger" })
        assert.match(error.message, detail)
        assert.isTrue(fs.readFileSync(log(ledger)).equals(bytes))
      }
      fs.writeFileSync(log(ledger), whole)
      for (const options of [{ blockMode: "interval" }, { genesisTime: 5n }, { blockhashLifetime: 9 }] as const) {
        assert.match((yield* refusal(ledger, options)).message, /has another genesis: \w+ was .* and is now/)
      }
      assert.isTrue(fs.readFileSync(log(ledger)).equals(whole))
      yield* on(
        ledger,
        Effect.map(refusal(ledger), ({ message }) => assert.match(message, /is in use by this process/))
      )
      assert.deepStrictEqual(fs.readdirSync(ledger), ["ledger.log"])
      assert.match((yield* refusal(log(ledger))).message, /cannot be made/)
      yield* on(
        ledger,
        Effect.map(state, ({ count }) => assert.strictEqual(count, 0)),
        { resetLedger: true }
      )
    })
)

it.scoped("Given a ledger with an option of its own, When a chain starts without it, Then it is refused and kept", () =>
  Effect.gen(function* () {
    for (const [name, options] of [
      ["transactionsPerBlock", { transactionsPerBlock: 5 }],
      ["genesisTime", { genesisTime: 5n }]
    ] as const) {
      const ledger = yield* folder
      yield* on(ledger, payer, options)
      const whole = fs.readFileSync(log(ledger))
      assert.include((yield* refusal(ledger)).message, `${name} was 5 and is now not set`)
      assert.isTrue(fs.readFileSync(log(ledger)).equals(whole))
      yield* on(ledger, payer, options)
    }
  })
)

it.scoped(
  "Given equal airdrops of an open block, When the chain starts again, Then further equal ones land in it",
  () =>
    Effect.gen(function* () {
      const ledger = yield* folder
      const address = addressOf(Keypair.generate())
      const airdrops = Effect.replicateEffect(call("requestAirdrop", address, Number(SOL)), 2)
      yield* on(ledger, airdrops, { transactionsPerBlock: 10 })
      const balance = Effect.zipRight(airdrops, value("getBalance", address))
      assert.strictEqual(yield* on(ledger, balance, { transactionsPerBlock: 10 }), 4 * Number(SOL))
    })
)

for (const maxLedgerInputs of [1, 100]) {
  it.scoped(
    `Given a ledger of ${maxLedgerInputs} inputs and a clock that was set back, When a chain starts, Then its time goes on`,
    () =>
      Effect.gen(function* () {
        const ledger = yield* folder
        const time = Effect.flatMap(call("getSlot"), (slot) => call("getBlockTime", slot))
        const lived = (duration: "1 hour" | "1 minute") =>
          Effect.all([TestClock.adjust(duration), payer, Effect.yieldNow(), time]).pipe(
            Effect.map(([, , , shown]) => Number(shown))
          )
        const before = yield* on(ledger, lived("1 hour"), { maxLedgerInputs })
        assert.strictEqual(isCompacted(ledger), maxLedgerInputs === 1)
        yield* TestClock.setTime(0)
        assert.strictEqual(yield* on(ledger, lived("1 minute"), { maxLedgerInputs }), before + 60)
      })
  )
}

it.scopedLive(
  "Given a folder that cannot be written, When a chain starts, Then the error says so, and nothing is changed",
  () =>
    Effect.gen(function* () {
      const ledger = yield* folder
      yield* on(ledger, payer)
      const whole = fs.readFileSync(log(ledger))
      fs.chmodSync(ledger, 0o555)
      yield* Effect.addFinalizer(() => Effect.sync(() => fs.chmodSync(ledger, 0o755)))
      // Root may write anywhere, so the process is nobody's.
      const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}
      const script = bundled(fileURLToPath(new URL("ledgerProcess.ts", import.meta.url)))
      const output = yield* Effect.promise(async () => {
        const child = spawn(process.execPath, [script, ledger, "8"], { ...user, stdio: ["ignore", "ignore", "pipe"] })
        let text = ""
        child.stderr.on("data", (chunk) => (text += String(chunk)))
        await once(child, "close")
        return text
      })
      assert.match(output, /the ledger folder .* cannot be locked/)
      assert.deepStrictEqual(fs.readdirSync(ledger), ["ledger.log"])
      assert.isTrue(fs.readFileSync(log(ledger)).equals(whole))
    })
)

it.scoped("Given a log that cannot be compacted, When inputs come, Then it grows, and nothing is lost", () =>
  Effect.gen(function* () {
    const ledger = yield* folder
    const before = yield* on(
      ledger,
      Effect.gen(function* () {
        // A folder in the place of the new log.
        fs.mkdirSync(path.join(ledger, "ledger.next"))
        yield* payer
        yield* Effect.yieldNow()
        yield* payer
        return yield* state
      }),
      { maxLedgerInputs: 1 }
    )
    assert.isFalse(isCompacted(ledger))
    fs.rmdirSync(path.join(ledger, "ledger.next"))
    yield* on(
      ledger,
      Effect.map(state, (after) => assert.deepStrictEqual(after, before))
    )
  })
)

it.scoped("Given a cluster over a folder, When a snapshot is restored, Then it is refused", () =>
  Effect.gen(function* () {
    const refused = Effect.gen(function* () {
      const cluster = yield* EmbeddedCluster.EmbeddedCluster
      return yield* Effect.flip(cluster.restore(yield* cluster.snapshot))
    })
    assert.strictEqual((yield* on(yield* folder, refused)).field, "snapshot")
  })
)

/** What processes have acknowledged: how many transactions, and the last of them. */
interface Acknowledged {
  readonly count: number
  readonly last: ReadonlyArray<string>
}

/** A process that keeps less history than it acknowledges could not show all. */
const SHOWN = 200

/** Lets a process acknowledge airdrops until it is killed: while it starts, or some time after it has acknowledged some. */
const untilKilled = async (ledger: string, earlier: Acknowledged): Promise<Acknowledged> => {
  const script = bundled(fileURLToPath(new URL("ledgerProcess.ts", import.meta.url)))
  const { count, last } = earlier
  const child = spawn(process.execPath, [script, ledger, String(COMPACTED_AFTER), String(count), ...last], {
    stdio: ["ignore", "pipe", "inherit"]
  })
  const exited = once(child, "exit")
  const wanted = 1 + Math.floor(Math.random() * 20)
  const early = Math.random() < 0.25 ? setTimeout(() => child.kill("SIGKILL"), Math.random() * 400) : undefined
  const acknowledged: Array<string> = []
  for await (const line of createInterface(child.stdout)) {
    assert.notStrictEqual(line, "lost")
    acknowledged.push(line)
    if (acknowledged.length === wanted) setTimeout(() => child.kill("SIGKILL"), Math.random() * 5)
  }
  clearTimeout(early)
  assert.deepStrictEqual(await exited, [null, "SIGKILL"])
  return { count: count + acknowledged.length, last: [...last, ...acknowledged].slice(-SHOWN) }
}

it.scopedLive(
  `Given a process that is killed ${KILLS} times, When it starts again, Then each acknowledged airdrop is there`,
  () =>
    Effect.gen(function* () {
      const ledger = yield* folder
      let earlier: Acknowledged = { count: 0, last: [] }
      for (let round = 1; round <= KILLS; round++) {
        earlier = yield* Effect.promise(() => untilKilled(ledger, earlier))
        if (round % 100 === 0) console.log(`killed ${round} times, ${earlier.count} airdrops acknowledged`)
      }
      const { count, last } = earlier
      const landed = Effect.gen(function* () {
        assert.isAtLeast(Number(yield* call("getTransactionCount")), count)
        const statuses = yield* value("getSignatureStatuses", last)
        last.forEach((_, index) => assert.isNotNull(field(statuses, index)))
      })
      yield* on(ledger, landed, LITTLE_HISTORY)
      assert.deepStrictEqual(fs.readdirSync(ledger), ["ledger.log"])
    }),
  600_000 + KILLS * 30_000
)
