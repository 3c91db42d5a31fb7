import { describe, expect, it } from "@effect/vitest"
import type { Signature } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"
import * as Resilience from "../../../services/Resilience.js"
import * as RpcPool from "../../../services/RpcPool.js"
import * as Transactions from "../../../services/Transactions.js"
import { Wallet } from "../../../services/Wallet.js"
import * as Wire from "../../../src/solana/Wire.js"
import { startable } from "../../support/direct.js"
import * as LyingEndpoints from "../../support/lyingEndpoints.js"
import * as ModelCluster from "../../support/modelCluster.js"
import { runs } from "../../support/runs.js"
import { STRANGER, transfer, walletOf } from "../../support/transfers.js"

interface Scene {
  readonly honest: number
  readonly lies: ReadonlyArray<LyingEndpoints.Lie>
  readonly nonce: boolean
  /** Whether leaders take the first transaction at once, late, or never. */
  readonly leaders: "prompt" | "late" | "gone"
  readonly preflight: boolean
  /** Whether the transfers share a transaction. */
  readonly packed: boolean
  /** Whether the pool asks the lying endpoint second. Default: first. */
  readonly second?: boolean
}

const SLOT = 400

const LIES: ReadonlyArray<LyingEndpoints.Lie> = [
  "lifetime",
  "height",
  "ahead",
  "dead",
  "alive",
  "unknown",
  "empty",
  "blockhash",
  "fails",
  "refuses"
]

/** Those that contradict what the same endpoint says truly. */
const CONTRADICTIONS: ReadonlyArray<LyingEndpoints.Lie> = ["lifetime", "height", "dead", "blockhash", "refuses"]

const AMOUNTS = [1n, 2n, 3n]

/** Of 20 slots: time for the first transaction and those that are signed after it to expire one after the other. */
const TURNS = 90

/** After all outcomes: time for late leaders to take what is under way, and for it to expire. */
const TURNS_AFTER = 12

const settle = Effect.repeatN(Effect.yieldNow(), 60)

const TRANSFER = 2

const amountsOf = (wire: Uint8Array): ReadonlyArray<bigint> =>
  Either.getOrThrow(Wire.decode(wire)).message.instructions.flatMap(({ data }) =>
    data[0] === TRANSFER ? [new DataView(data.buffer, data.byteOffset).getBigUint64(4, true)] : []
  )

/** Three transfers, each signed anew twice if it is Expired. What the callers were told, and how often each landed. */
const run = ({ honest, leaders, lies, nonce, packed, preflight, second = false }: Scene) =>
  Effect.gen(function* () {
    const wallet = yield* walletOf(133)
    const cluster = ModelCluster.make(wallet.address)
    const amounts = new Map<Signature, ReadonlyArray<bigint>>()
    const onSend = (wire: Uint8Array, signature: Signature) => amounts.set(signature, amountsOf(wire))
    const members = yield* Effect.forEach(Array.from({ length: honest + 1 }).keys(), (index) =>
      Effect.map(
        LyingEndpoints.make(cluster.layer, `node${index}`, new Set(index === 0 ? lies : []), onSend),
        (transport) => ({
          transport: startable(transport),
          deadline: "transport" as const,
          weight: index === 0 ? 10 : second && index === 1 ? 100 : 1
        })
      )
    )
    const pool = Layer.scoped(
      RpcPool.RpcPool,
      Effect.map(Resilience.make(members, { genesis: "any", probeInterval: Infinity }), (transport) =>
        RpcPool.make(transport)
      )
    )
    const told = new Map<bigint, Either.Either<Transactions.Receipt, Transactions.SendError>>()
    yield* Effect.gen(function* () {
      const { send, sendPacked } = yield* Transactions.Transactions
      const options = {
        durableNonce: nonce ? { account: ModelCluster.NONCE_ACCOUNT } : undefined,
        preflight,
        retryExpired: 2,
        timeout: "10 minutes"
      } as const
      const items = AMOUNTS.map((amount) => ({ instructions: [transfer(wallet.address, STRANGER, amount)] }))
      const sending = packed
        ? Effect.orDie(sendPacked(items, options))
        : Effect.forEach(items, ({ instructions }) => Effect.either(send(instructions, options)), {
            concurrency: "unbounded"
          })
      yield* sending.pipe(
        Effect.provideService(Wallet, wallet),
        Effect.map((outcomes) => outcomes.forEach((outcome, index) => told.set(AMOUNTS[index] ?? 0n, outcome))),
        Effect.forkScoped
      )
      let after = 0
      for (let turn = 0; turn < TURNS && after < TURNS_AFTER; turn++) {
        yield* settle
        if (told.size > 0) after++
        cluster.advance(20)
        yield* TestClock.adjust(20 * SLOT)
        // A leader that is late takes what it has just before it is too old.
        if (leaders === "prompt" || (leaders === "late" && turn % 6 === 5)) cluster.land(null)
      }
      yield* settle
    }).pipe(Effect.provide(Layer.provide(Transactions.layer(), pool)))
    const landed = (amount: bigint) =>
      Array.from(cluster.landings).filter(
        ([signature, { state }]) =>
          amounts.get(signature)?.includes(amount) === true &&
          (state === "processed" || state === "confirmed" || state === "finalized")
      ).length
    return Array.from(told, ([amount, outcome]) => ({ amount, outcome, landed: landed(amount) }))
  }).pipe(Effect.scoped, Effect.provide(TestContext.TestContext))

const mayHaveLanded = (error: Transactions.SendError): boolean =>
  error._tag !== "TransactionError" || error.mayHaveLanded === true || error.reason === "Rejected"

const check = async (scene: Scene) => {
  const outcomes = await Effect.runPromise(run(scene))
  for (const { landed, outcome } of outcomes) {
    expect(landed).toBeLessThanOrEqual(1)
    if (Either.isLeft(outcome) && !mayHaveLanded(outcome.left)) expect(landed).toBe(0)
    if (Either.isRight(outcome)) expect(landed).toBe(1)
  }
}

const lie = FastCheck.constantFrom<Array<LyingEndpoints.Lie>>(...LIES)

const common = {
  nonce: FastCheck.boolean(),
  packed: FastCheck.boolean(),
  preflight: FastCheck.boolean(),
  leaders: FastCheck.constantFrom("prompt" as const, "late" as const, "gone" as const)
}

describe("Transactions: endpoints that lie", () => {
  it("Given several endpoints of which one lies in any way, Then no landed transaction is Expired, and none lands twice", async () => {
    await FastCheck.assert(
      FastCheck.asyncProperty(
        FastCheck.record({
          ...common,
          honest: FastCheck.constantFrom(1, 2),
          lies: FastCheck.uniqueArray(lie, { minLength: 1 })
        }),
        check
      ),
      { numRuns: runs(8) }
    )
  }, 600_000)

  it("Given one endpoint whose lie contradicts itself, Then no landed transaction is Expired, and none lands twice", async () => {
    await FastCheck.assert(
      FastCheck.asyncProperty(
        FastCheck.record({
          ...common,
          honest: FastCheck.constant(0),
          lies: FastCheck.uniqueArray(FastCheck.constantFrom<Array<LyingEndpoints.Lie>>(...CONTRADICTIONS), {
            minLength: 1,
            maxLength: 1
          })
        }),
        check
      ),
      { numRuns: runs(6) }
    )
  }, 600_000)

  for (const nonce of [false, true]) {
    for (const leaders of ["prompt", "late"] as const) {
      for (const honest of [0, 1]) {
        it(
          `Given an endpoint that forwards the pack that it refuses (${honest} others, nonce ${nonce}, leaders ${leaders}), Then each item lands once`,
          () => check({ honest, lies: ["fails"], nonce, leaders, preflight: true, packed: true }),
          60_000
        )
      }
    }
  }

  it.each([
    { lies: ["dead", "unknown"], second: false },
    { lies: ["alive"], second: false },
    { lies: ["alive"], second: true },
    { lies: ["height"], second: true }
  ] satisfies ReadonlyArray<Pick<Scene, "lies" | "second">>)(
    "Given two honest endpoints and one with the lies $lies (asked second: $second), When a transaction does not land, Then it is Expired",
    async ({ lies, second }) => {
      const outcomes = await Effect.runPromise(
        run({ honest: 2, lies, second, nonce: false, leaders: "gone", preflight: true, packed: false })
      )
      expect(outcomes).toHaveLength(3)
      for (const { outcome } of outcomes) expect(outcome).toMatchObject({ _tag: "Left", left: { reason: "Expired" } })
    }
  )
})
