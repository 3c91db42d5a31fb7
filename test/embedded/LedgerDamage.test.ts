/** A ledger folder in which a stranger wrote: a start reads it or says what is wrong, and keeps what it refuses. */
import { execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import * as zlib from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import { Keypair } from "@solana/web3.js"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as EmbeddedCluster from "../../layers/EmbeddedCluster.js"
import { bundled } from "../support/bundled.js"
import { runs } from "../support/runs.js"
import { call } from "./agave/support.js"
import { addressOf, SOL } from "./support.js"

const folder = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(tmpdir(), "pod-damage-"))),
  (made) => Effect.sync(() => fs.rmSync(made, { recursive: true }))
)

const on = <A, E>(
  ledger: string,
  use: Effect.Effect<A, E, EmbeddedCluster.EmbeddedCluster>,
  options: EmbeddedCluster.Options = {}
) => Effect.provide(use, EmbeddedCluster.layer({ podProgram: false, ...options, ledger }))

const log = (ledger: string) => path.join(ledger, "ledger.log")

const airdrop = Effect.flatMap(EmbeddedCluster.EmbeddedCluster, ({ airdrop }) =>
  airdrop(addressOf(Keypair.generate()), SOL)
)

/** The transactions of the chain; the error of a start that is refused. */
const started = (ledger: string) => Effect.either(on(ledger, Effect.map(call("getTransactionCount"), Number)))

const LANDED = 3

/** The bytes of a ledger: of its inputs, or with an image. */
const written = (ledger: string, options: EmbeddedCluster.Options) =>
  Effect.map(on(ledger, Effect.replicateEffect(Effect.zipLeft(airdrop, Effect.yieldNow()), LANDED), options), () =>
    fs.readFileSync(log(ledger))
  )

for (const [kind, options] of [
  ["inputs", {}],
  ["an image", { maxLedgerInputs: 2 }]
] as const) {
  it.scoped(
    `Given a ledger of ${kind} with bits turned or bytes missing, When a chain starts, Then no input is made up`,
    () =>
      Effect.gen(function* () {
        const ledger = yield* folder
        const whole = yield* written(ledger, options)
        const damages = FastCheck.record({
          at: FastCheck.oneof(FastCheck.nat(whole.length - 1), FastCheck.nat(600)),
          bit: FastCheck.nat(7),
          kind: FastCheck.constantFrom("turn", "turn", "cut", "without", "twice")
        })
        const damaged = ({ at, bit, kind }: { readonly at: number; readonly bit: number; readonly kind: string }) => {
          if (kind === "cut") return whole.subarray(0, at)
          if (kind === "without") return Buffer.concat([whole.subarray(0, at), whole.subarray(at + 1 + bit)])
          if (kind === "twice") return Buffer.concat([whole.subarray(0, at), whole.subarray(Math.max(0, at - 50))])
          const turned = Buffer.from(whole)
          turned[at] = (turned[at] ?? 0) ^ (1 << bit)
          return turned
        }
        for (const damage of FastCheck.sample(damages, runs(25))) {
          const bytes = damaged(damage)
          fs.writeFileSync(log(ledger), bytes)
          const result = yield* started(ledger)
          if (Either.isRight(result)) assert.isAtMost(result.right, LANDED)
          else {
            assert.deepInclude(result.left, { _tag: "EmbeddedClusterError", reason: "Ledger" })
            assert.isTrue(fs.readFileSync(log(ledger)).equals(bytes), JSON.stringify(damage))
          }
          assert.deepStrictEqual(fs.readdirSync(ledger), ["ledger.log"])
        }
      })
  )
}

const record = (bytes: Uint8Array): Buffer => {
  const frame = Buffer.alloc(12)
  frame.writeUInt32LE(bytes.length, 0)
  frame.writeUInt32LE(zlib.crc32(frame.subarray(0, 4)), 4)
  frame.writeUInt32LE(zlib.crc32(bytes), 8)
  return Buffer.concat([frame, bytes])
}

it.scoped("Given records with right checksums and hostile contents, When a chain starts, Then the error is typed", () =>
  Effect.gen(function* () {
    const ledger = yield* folder
    const whole = yield* written(ledger, {})
    const [magic, size] = [13, whole.readUInt32LE(13)]
    const header: object = JSON.parse(whole.subarray(magic + 12, magic + 12 + size).toString())
    const rest = whole.subarray(magic + 12 + size)
    const withHeader = (change: object, inputs = rest) =>
      Buffer.concat([whole.subarray(0, magic), record(Buffer.from(JSON.stringify({ ...header, ...change }))), inputs])
    const huge = Buffer.alloc(12)
    huge.writeUInt32LE(2 ** 31)
    huge.writeUInt32LE(zlib.crc32(huge.subarray(0, 4)), 4)
    const kinds = Array.from({ length: 8 }, (_, kind) => record(Uint8Array.of(kind)))
    const noNumber = [1, 2].map((kind) => {
      const input = Buffer.alloc(17)
      input[0] = kind
      input.writeDoubleLE(Number.NaN, 1)
      input.writeDoubleLE(Number.POSITIVE_INFINITY, 9)
      return record(input)
    })
    for (const bytes of [
      ...[-1, 0.5, 1e300].flatMap((value) => [{ genesisBytes: value }, { imageBytes: value }, { wall: value }]),
      ...["", "AA==", "!".repeat(44), "A".repeat(1000)].map((seed) => ({ seed })),
      { imageBytes: rest.length },
      { imageBytes: Number.MAX_SAFE_INTEGER },
      { settings: {} },
      { runtime: "x".repeat(1_000_000) },
      { seed: null }
    ].map((change) => withHeader(change))) {
      fs.writeFileSync(log(ledger), bytes)
      assert.deepInclude(Either.getOrThrow(Either.flip(yield* started(ledger))), { reason: "Ledger" })
      assert.isTrue(fs.readFileSync(log(ledger)).equals(bytes))
    }
    for (const input of [huge, ...kinds, ...noNumber, record(Buffer.alloc(100_000, 255))]) {
      const bytes = withHeader({}, Buffer.concat([rest, input]))
      fs.writeFileSync(log(ledger), bytes)
      const result = yield* started(ledger)
      if (Either.isRight(result)) assert.strictEqual(result.right, LANDED)
      else assert.deepInclude(result.left, { reason: "Ledger" })
    }
  })
)

describe.skipIf(process.platform === "win32")("links, pipes and folders", () => {
  it.scoped("Given something else in the place of the log, When a chain starts, Then it is refused and kept", () =>
    Effect.gen(function* () {
      const ledger = yield* folder
      yield* written(ledger, {})
      const other = path.join(ledger, "other")
      fs.renameSync(log(ledger), other)
      const whole = fs.readFileSync(other)
      for (const put of [
        () => fs.symlinkSync(other, log(ledger)),
        () => fs.symlinkSync("/nowhere", log(ledger)),
        () => fs.symlinkSync("/dev/zero", log(ledger)),
        () => fs.mkdirSync(log(ledger)),
        () => execFileSync("mkfifo", [log(ledger)])
      ]) {
        put()
        const { message } = Either.getOrThrow(Either.flip(yield* started(ledger)))
        assert.match(message, /ledger\.log is no file/)
        fs.rmSync(log(ledger), { recursive: true })
      }
      assert.isTrue(fs.readFileSync(other).equals(whole))
    })
  )

  it.scoped("Given a link in the place of the next log, When the log is compacted, Then its target is kept", () =>
    Effect.gen(function* () {
      const ledger = yield* folder
      const victim = path.join(yield* folder, "victim")
      fs.writeFileSync(victim, "mine")
      fs.symlinkSync(victim, path.join(ledger, "ledger.next"))
      yield* written(ledger, { maxLedgerInputs: 1 })
      assert.strictEqual(fs.readFileSync(victim, "utf8"), "mine")
      assert.deepStrictEqual(yield* started(ledger), Either.right(LANDED))
    })
  )

  it.scopedLive(
    "Given a disk that is full, When inputs come, Then each is refused, and what was acknowledged stays",
    () =>
      Effect.gen(function* () {
        const ledger = yield* folder
        const script = bundled(path.join(import.meta.dirname, "ledgerProcess.ts"))
        const [stdout, stderr] = yield* Effect.promise(async () => {
          // In units of 512 or 1,024 bytes.
          const run = ["-c", 'ulimit -f 16; exec "$0" "$@"', process.execPath, script, ledger, "100000", "0"]
          const child = spawn("bash", run, { stdio: ["ignore", "pipe", "pipe"] })
          const output = ["", ""]
          child.stdout.on("data", (chunk) => (output[0] += String(chunk)))
          child.stderr.on("data", (chunk) => (output[1] += String(chunk)))
          await once(child, "close")
          return output
        })
        assert.match(stderr ?? "", /ledger\.log cannot be written: free space/)
        const acknowledged = (stdout ?? "").trim().split("\n").length
        assert.isAbove(acknowledged, 10)
        const history = { maxTransactions: 300, maxBlocks: 300, maxStatuses: 300, blockhashLifetime: 300 }
        yield* on(
          ledger,
          Effect.map(call("getTransactionCount"), (count) => assert.strictEqual(count, acknowledged)),
          history
        )
      })
  )
})

const isOf = (file: string) => (descriptor: string) =>
  Option.contains(file)(Option.liftThrowable(() => fs.readlinkSync(`/proc/self/fd/${descriptor}`))())

const openFull = (): number => fs.openSync("/dev/full", "r+")

/** Opens a full device under the descriptor of a file of this process. */
const fill = (file: string): void => {
  const descriptor = Number(fs.readdirSync("/proc/self/fd").find(isOf(file)))
  fs.closeSync(descriptor)
  const others: Array<number> = []
  for (let opened = openFull(); opened !== descriptor; opened = openFull()) others.push(opened)
  others.forEach((other) => fs.closeSync(other))
}

describe.skipIf(process.platform !== "linux")("a full disk", () => {
  it.scoped("Given a transaction that the log cannot keep, When the cluster is asked, Then it does not show it", () =>
    Effect.gen(function* () {
      const ledger = yield* folder
      const address = addressOf(Keypair.generate())
      yield* on(
        ledger,
        Effect.gen(function* () {
          yield* airdrop
          fill(log(ledger))
          const refused = yield* Effect.flip(call("requestAirdrop", address, Number(SOL)))
          assert.match(refused.message, /ledger\.log cannot be written: free space/)
          for (const read of [
            call("getBalance", address),
            call("getSignaturesForAddress", address),
            call("getTransactionCount"),
            Effect.flatMap(EmbeddedCluster.EmbeddedCluster, ({ listen }) => listen("slot", [], () => undefined))
          ]) {
            assert.match((yield* Effect.flip(read)).message, /answers no more: free space/)
          }
        })
      )
      const after = yield* on(ledger, Effect.all([call("getTransactionCount"), call("getBalance", address)]))
      assert.strictEqual(after[0], 1)
      assert.deepInclude(after[1], { value: 0 })
    })
  )
})
