import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"
import * as Transactions from "../../../services/Transactions.js"
import { Wallet } from "../../../services/Wallet.js"
import * as ModelCluster from "../../support/modelCluster.js"
import { runs } from "../../support/runs.js"
import { STRANGER, transfer, walletOf } from "../../support/transfers.js"

type Command =
  | { readonly _tag: "Send"; readonly sending: ModelCluster.Sending; readonly timeout: number; readonly nonce: boolean }
  | { readonly _tag: "Endpoint"; readonly sending: ModelCluster.Sending }
  | { readonly _tag: "Advance"; readonly slots: number }
  | { readonly _tag: "Land"; readonly fails: boolean }
  | { readonly _tag: "Steal" }
  | { readonly _tag: "Fork" }
  | { readonly _tag: "Freeze"; readonly frozen: boolean }
  | { readonly _tag: "Restart" }

const sending = FastCheck.constantFrom<Array<ModelCluster.Sending>>(
  "takes",
  "swallows",
  "loses the answer",
  "limits",
  "lags"
)

const command = FastCheck.oneof<Array<FastCheck.WeightedArbitrary<Command>>>(
  {
    weight: 4,
    arbitrary: FastCheck.record({
      _tag: FastCheck.constant("Send" as const),
      sending,
      timeout: FastCheck.constantFrom(5, 600),
      nonce: FastCheck.boolean()
    })
  },
  { weight: 2, arbitrary: FastCheck.record({ _tag: FastCheck.constant("Endpoint" as const), sending }) },
  {
    weight: 6,
    arbitrary: FastCheck.record({
      _tag: FastCheck.constant("Advance" as const),
      slots: FastCheck.constantFrom(1, 2, 5, 20, 40, 160)
    })
  },
  {
    weight: 3,
    arbitrary: FastCheck.record({
      _tag: FastCheck.constant("Land" as const),
      fails: FastCheck.boolean()
    })
  },
  { weight: 1, arbitrary: FastCheck.record({ _tag: FastCheck.constant("Steal" as const) }) },
  { weight: 2, arbitrary: FastCheck.record({ _tag: FastCheck.constant("Fork" as const) }) },
  {
    weight: 2,
    arbitrary: FastCheck.record({ _tag: FastCheck.constant("Freeze" as const), frozen: FastCheck.boolean() })
  },
  { weight: 1, arbitrary: FastCheck.record({ _tag: FastCheck.constant("Restart" as const) }) }
)

/** One transaction for each outcome. */
const eachOutcome = (nonce: boolean): [Array<Command>] => [
  [
    { _tag: "Send", sending: "takes", timeout: 600, nonce },
    { _tag: "Land", fails: true },
    { _tag: "Advance", slots: 5 },
    { _tag: "Send", sending: "takes", timeout: 600, nonce },
    { _tag: "Land", fails: false },
    { _tag: "Advance", slots: 5 },
    { _tag: "Send", sending: "swallows", timeout: 5, nonce },
    { _tag: "Advance", slots: 20 },
    { _tag: "Steal" },
    { _tag: "Advance", slots: 160 }
  ]
]

/** Each of the others is what one guard of the tracker is for. */
const examples: Array<[Array<Command>]> = [
  eachOutcome(false),
  eachOutcome(true),
  // It lands while the endpoint that is asked stands still, its blockhash expires, and another process looks it up there.
  [
    [
      { _tag: "Send", sending: "takes", timeout: 600, nonce: false },
      { _tag: "Freeze", frozen: true },
      { _tag: "Land", fails: false },
      { _tag: "Advance", slots: 160 },
      { _tag: "Advance", slots: 40 },
      { _tag: "Restart" },
      { _tag: "Advance", slots: 5 }
    ]
  ],
  // Its fork is left, it lands on the next one, and the process dies.
  [
    [
      { _tag: "Send", sending: "loses the answer", timeout: 5, nonce: false },
      { _tag: "Land", fails: true },
      { _tag: "Fork" },
      { _tag: "Advance", slots: 20 },
      { _tag: "Land", fails: false },
      { _tag: "Restart" },
      { _tag: "Advance", slots: 160 }
    ]
  ],
  // Its nonce is used on a fork that is left, so that it lands after all, and the process dies.
  [
    [
      { _tag: "Send", sending: "loses the answer", timeout: 600, nonce: true },
      { _tag: "Steal" },
      { _tag: "Advance", slots: 1 },
      { _tag: "Fork" },
      { _tag: "Advance", slots: 20 },
      { _tag: "Land", fails: true },
      { _tag: "Restart" },
      { _tag: "Advance", slots: 40 }
    ]
  ],
  // Its nonce is confirmed and not yet finalized: what is final still has the one before.
  [
    [
      { _tag: "Steal" },
      { _tag: "Advance", slots: 2 },
      { _tag: "Send", sending: "swallows", timeout: 600, nonce: true },
      { _tag: "Advance", slots: 20 },
      { _tag: "Endpoint", sending: "takes" },
      { _tag: "Advance", slots: 5 },
      { _tag: "Land", fails: false }
    ]
  ],
  // It lands and uses its nonce while the endpoint that is asked stands still; and a second one bears the same nonce.
  [
    [
      { _tag: "Send", sending: "takes", timeout: 600, nonce: true },
      { _tag: "Send", sending: "swallows", timeout: 600, nonce: true },
      { _tag: "Freeze", frozen: true },
      { _tag: "Land", fails: false },
      { _tag: "Advance", slots: 160 },
      { _tag: "Restart" },
      { _tag: "Advance", slots: 40 }
    ]
  ]
]

const SLOT = 400

const settle = Effect.repeatN(Effect.yieldNow(), 60)

type Outcome = Either.Either<Transactions.Receipt, unknown>

/** One transaction of a run: its bytes, and who waits for it now. */
interface Sent {
  readonly signed: Transactions.SignedTransaction
  readonly outcomes: Array<Outcome>
  waiting: Fiber.RuntimeFiber<Outcome, never> | undefined
}

/** Whether what the caller was told is what the cluster did, and can no longer change. */
const isTrue = (
  outcome: Outcome,
  landing: ModelCluster.Landing | undefined,
  isOver: (lifetime: Transactions.SignedTransaction["lifetime"]) => boolean
): boolean => {
  const landed = landing?.state === "confirmed" || landing?.state === "finalized"
  if (Either.isRight(outcome)) return landed && landing.err === null && landing.slot === outcome.right.slot
  const error = outcome.left
  if (!(error instanceof Transactions.TransactionError)) return false
  switch (error.reason) {
    case "Rejected":
      return landed && landing.err !== null && landing.slot === error.slot
    case "Expired":
      return !landed && landing?.state !== "processed" && (error.signed === undefined || isOver(error.signed.lifetime))
    case "Simulation":
      return landing?.everArrived !== true || error.mayHaveLanded === true
    case "Unconfirmed":
      return true
    case "Unrecorded":
    case "Unsent":
      return false
  }
}

const seen = new Set<string>()

const run = (commands: ReadonlyArray<Command>) =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const wallet = yield* walletOf(131)
    const cluster = ModelCluster.make(wallet.address)
    const sents: Array<Sent> = []
    const lies: Array<Outcome> = []
    let height = 900n

    const isOver = (lifetime: Transactions.SignedTransaction["lifetime"]) =>
      "nonce" in lifetime ? !cluster.holds(lifetime.nonce) : height > lifetime.lastValidBlockHeight

    const start = Effect.gen(function* () {
      const life = yield* Scope.fork(scope, ExecutionStrategy.sequential)
      const layer = Layer.provide(Transactions.layer({ timeout: "1 day" }), cluster.layer)
      const context = yield* Layer.buildWithScope(layer, life)
      return { life, service: yield* Effect.provide(Transactions.Transactions, context) }
    })
    let { life, service } = yield* start

    /** Waits for the outcome, and holds it against the cluster as soon as it is told. */
    const watch = (sent: Sent, effect: Effect.Effect<Transactions.Receipt, unknown>) =>
      Effect.gen(function* () {
        sent.waiting = yield* Effect.either(effect).pipe(
          Effect.tap((outcome) =>
            Effect.sync(() => {
              sent.outcomes.push(outcome)
              const kind = outcome._tag === "Right" ? "Receipt" : String(Object(outcome.left).reason)
              const life = "nonce" in sent.signed.lifetime ? "nonce" : "blockhash"
              seen.add(`${life}: ${kind}`)
              if (!isTrue(outcome, cluster.landings.get(sent.signed.signature), isOver)) lies.push(outcome)
            })
          ),
          Effect.forkIn(scope)
        )
      })

    const advance = (slots: number) =>
      Effect.suspend(() => {
        cluster.advance(slots)
        height += BigInt(slots)
        return TestClock.adjust(slots * SLOT)
      })

    const known = ({ outcomes }: Sent) =>
      outcomes.some(
        (outcome) =>
          Either.isRight(outcome) ||
          (outcome.left instanceof Transactions.TransactionError && outcome.left.reason !== "Unconfirmed")
      )

    const resumeAll = Effect.suspend(() =>
      Effect.forEach(
        sents.filter((sent) => !known(sent)),
        (sent) => watch(sent, service.resume(sent.signed)),
        { discard: true }
      )
    )

    for (const command of commands) {
      switch (command._tag) {
        case "Send": {
          cluster.sending = command.sending
          const instructions = [transfer(wallet.address, STRANGER, BigInt(sents.length + 1))]
          const durableNonce = command.nonce ? { account: ModelCluster.NONCE_ACCOUNT } : undefined
          const signed = yield* Effect.provideService(service.sign(instructions, { durableNonce }), Wallet, wallet)
          const sent: Sent = { signed, outcomes: [], waiting: undefined }
          sents.push(sent)
          yield* watch(sent, service.submit(signed, { timeout: `${command.timeout} seconds` }))
          break
        }
        case "Endpoint":
          cluster.sending = command.sending
          break
        case "Advance":
          yield* advance(command.slots)
          break
        case "Land":
          cluster.land(command.fails ? "AccountInUse" : null)
          break
        case "Steal":
          cluster.steal()
          break
        case "Fork":
          cluster.fork()
          break
        case "Freeze":
          cluster.freeze(command.frozen)
          break
        case "Restart":
          yield* Scope.close(life, Exit.void)
          for (const { waiting } of sents) if (waiting !== undefined) yield* Fiber.interrupt(waiting)
          ;({ life, service } = yield* start)
          yield* resumeAll
      }
      yield* settle
    }
    // Whatever happened, when the network heals every outcome is known.
    cluster.sending = "takes"
    cluster.freeze(false)
    yield* resumeAll
    for (let turns = 0; turns < 3; turns++) {
      yield* advance(10)
      cluster.land(null)
      yield* advance(10)
    }
    yield* Effect.repeatN(advance(100), 3)
    return { lies, lost: sents.filter((sent) => !known(sent)) }
  }).pipe(Effect.scoped, Effect.provide(TestContext.TestContext))

describe("Transactions: a model of the cluster", () => {
  it("Given any sends, drops, landings, thefts of the nonce, forks, lags, expiries and restarts, Then every outcome is reported and true", async () => {
    await FastCheck.assert(
      FastCheck.asyncProperty(FastCheck.array(command, { minLength: 5, maxLength: 40 }), async (commands) => {
        const { lies, lost } = await Effect.runPromise(run(commands))
        expect(lies).toStrictEqual([])
        expect(lost).toStrictEqual([])
      }),
      { numRuns: runs(20), examples }
    )
    for (const life of ["blockhash", "nonce"]) {
      for (const kind of ["Expired", "Receipt", "Rejected", "Unconfirmed"]) expect(seen).toContain(`${life}: ${kind}`)
    }
  }, 600_000)
})
