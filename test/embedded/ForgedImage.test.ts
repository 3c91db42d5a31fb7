/** An image that a stranger wrote, with right checksums: a start reads it or refuses it, and keeps the folder. */
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import * as zlib from "node:zlib"
import { assert, it } from "@effect/vitest"
import { Keypair } from "@solana/web3.js"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as EmbeddedCluster from "../../layers/EmbeddedCluster.js"
import { runs } from "../support/runs.js"
import { call, field } from "./agave/support.js"
import { addressOf, SOL } from "./support.js"

const folder = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(tmpdir(), "pod-forged-"))),
  (made) => Effect.sync(() => fs.rmSync(made, { recursive: true }))
)

const log = (ledger: string) => path.join(ledger, "ledger.log")

const on = <A, E>(
  ledger: string,
  use: Effect.Effect<A, E, EmbeddedCluster.EmbeddedCluster>,
  options: EmbeddedCluster.Options = {}
) => Effect.provide(use, EmbeddedCluster.layer({ podProgram: false, ...options, ledger }))

const airdrop = Effect.flatMap(EmbeddedCluster.EmbeddedCluster, ({ airdrop }) =>
  airdrop(addressOf(Keypair.generate()), SOL)
)

const MAGIC = 13
const FRAME = 12

const record = (bytes: Uint8Array): Buffer => {
  const frame = Buffer.alloc(FRAME)
  frame.writeUInt32LE(bytes.length, 0)
  frame.writeUInt32LE(zlib.crc32(frame.subarray(0, 4)), 4)
  frame.writeUInt32LE(zlib.crc32(bytes), 8)
  return Buffer.concat([frame, bytes])
}

/** The parts of a log with an image and no later inputs. */
const read = (whole: Buffer) => {
  const size = whole.readUInt32LE(MAGIC)
  const header: object = JSON.parse(whole.subarray(MAGIC + FRAME, MAGIC + FRAME + size).toString())
  return { magic: whole.subarray(0, MAGIC), header, image: whole.subarray(MAGIC + FRAME + size + FRAME) }
}

/** A log with right checksums and lengths. */
const forged = ({ header, magic }: ReturnType<typeof read>, image: Uint8Array, change: object = {}) => {
  const framed = record(image)
  const text = JSON.stringify({ ...header, imageBytes: framed.length, ...change })
  return Buffer.concat([magic, record(Buffer.from(text)), framed])
}

/** The log of a chain with three transactions in its image. */
const written = (ledger: string, options: EmbeddedCluster.Options) =>
  Effect.map(
    on(ledger, Effect.replicateEffect(Effect.zipLeft(airdrop, Effect.yieldNow()), 3), {
      ...options,
      maxLedgerInputs: 3
    }),
    () => read(fs.readFileSync(log(ledger)))
  )

/** Reads all that an image holds, and continues the chain. */
const use = Effect.gen(function* () {
  const history = yield* call("getSignaturesForAddress", SYSTEM)
  const signatures = Array.isArray(history) ? history.map((one) => String(field(one, "signature"))) : []
  for (const signature of signatures) yield* call("getTransaction", signature, { encoding: "json" })
  yield* call("getSignatureStatuses", signatures)
  for (const method of ["getEpochInfo", "getSupply", "getRecentPerformanceSamples"]) yield* call(method)
  yield* Effect.either(call("getBlock", yield* call("getSlot")))
  yield* call("getAccountInfo", "SysvarS1otHashes111111111111111111111111111", { encoding: "base64" })
  yield* airdrop
})

/** Starts on the bytes. A refusal is typed and keeps them; otherwise the chain works. */
const start = (ledger: string, bytes: Buffer, what: string) =>
  Effect.gen(function* () {
    fs.writeFileSync(log(ledger), bytes)
    const result = yield* Effect.either(on(ledger, use))
    if (Either.isRight(result)) return undefined
    assert.deepInclude(result.left, { _tag: "EmbeddedClusterError", reason: "Ledger" }, what)
    assert.isTrue(fs.readFileSync(log(ledger)).equals(bytes), what)
    assert.deepStrictEqual(fs.readdirSync(ledger), ["ledger.log"])
    return result.left.message
  })

const SYSTEM = "11111111111111111111111111111111"

const SLOT_HASHES_BYTES = 8 + 512 * 40

const number = (value: number) => Buffer.from(Float64Array.of(value).buffer)

const NUMBERS = [Number.NaN, Infinity, -1, 0.5, 2 ** 53, 1e300, 0]

it.scoped(
  "Given an image with right checksums and forged bytes, When a chain starts, Then it works or is refused",
  () =>
    Effect.gen(function* () {
      const ledger = yield* folder
      const genuine = yield* written(ledger, {})
      const { image } = genuine
      const [genesis, machine] = [image.readUInt32LE(0) + 4, image.readUInt32LE(image.readUInt32LE(0) + 4) + 4]
      // Most bytes are the machine's, and the hashes of slots. The rest is the chain's.
      const hashes = image.indexOf(Buffer.from(Uint32Array.of(SLOT_HASHES_BYTES).buffer), genesis + machine)
      const at = FastCheck.oneof(
        FastCheck.nat(image.length - 1),
        FastCheck.integer({ min: genesis + machine, max: hashes + 8 }),
        FastCheck.integer({ min: hashes + SLOT_HASHES_BYTES, max: image.length - 1 })
      )
      const kind = FastCheck.constantFrom("turn", "cut", "without", "length", ...NUMBERS)
      for (const forgery of FastCheck.sample(FastCheck.record({ at, kind, bit: FastCheck.nat(7) }), runs(15))) {
        const { at, bit, kind } = forgery
        const made = Buffer.from(image)
        if (typeof kind === "number") made.writeDoubleLE(kind, Math.min(at, image.length - 8))
        if (kind === "turn") made[at] = (made[at] ?? 0) ^ (1 << bit)
        if (kind === "length") made.writeUInt32LE(0xff_ff_ff_ff, Math.min(at, image.length - 4))
        const end = kind === "cut" || kind === "without" ? at : image.length
        const after = kind === "without" ? at + 1 + bit : image.length
        const bytes = forged(genuine, Buffer.concat([made.subarray(0, end), made.subarray(after)]))
        yield* start(ledger, bytes, JSON.stringify(forgery))
      }
    })
)

it.scoped("Given the image of another chain, When a chain starts, Then it is refused", () =>
  Effect.gen(function* () {
    const ledger = yield* folder
    const genuine = yield* written(ledger, {})
    const other = yield* written(yield* folder, {})
    const seed = { seed: Buffer.alloc(32, 7).toString("base64") }
    const refused = /has an image that is not a state of its chain/
    assert.match((yield* start(ledger, forged(genuine, other.image), "image")) ?? "", refused)
    assert.match((yield* start(ledger, forged(genuine, genuine.image, seed), "seed")) ?? "", refused)
    assert.isUndefined(yield* start(ledger, forged(genuine, genuine.image), "genuine"))
  })
)

it.scoped("Given inputs beyond what a chain accepts, When a chain starts, Then they are refused", () =>
  Effect.gen(function* () {
    const ledger = yield* folder
    const genuine = yield* written(ledger, {})
    const data = Buffer.alloc(10 * 1024 * 1024 + 1)
    const account = [Buffer.alloc(8, 1), Buffer.alloc(32), Buffer.alloc(1), Buffer.alloc(8)]
    for (const [name, parts] of Object.entries({
      "an account of more than 10 MiB": [Buffer.of(4), number(1), Buffer.alloc(32, 9), ...account, data],
      "a program of more than 10 MiB": [Buffer.of(5), number(1), Buffer.alloc(32, 9), data],
      "a part of a slot": [Buffer.of(1), number(1), number(0.5)],
      "slots before genesis": [Buffer.of(1), number(1), number(-1)],
      "more slots than there can be": [Buffer.of(1), number(1), number(1e300)],
      "time without end": [Buffer.of(2), number(1), number(Infinity)],
      "a time before genesis": [Buffer.of(3), number(-1)]
    })) {
      const bytes = Buffer.concat([forged(genuine, genuine.image), record(Buffer.concat(parts))])
      assert.match((yield* start(ledger, bytes, name)) ?? "", /is damaged at byte \d+/, name)
    }
  })
)

it.scoped("Given time that moves without end, When the chain starts again, Then it has the last time there is", () =>
  Effect.gen(function* () {
    const ledger = yield* folder
    const forever = Effect.flatMap(EmbeddedCluster.EmbeddedCluster, ({ advanceTime }) => advanceTime(Duration.infinity))
    yield* on(ledger, Effect.zipRight(forever, use))
    yield* on(ledger, Effect.zipRight(forever, use), { maxLedgerInputs: 1 })
    assert.isUndefined(yield* start(ledger, fs.readFileSync(log(ledger)), "forever"))
  })
)
