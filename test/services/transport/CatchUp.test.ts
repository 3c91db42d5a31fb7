import { assert, describe, it } from "@effect/vitest"
import type { Signature } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import * as Take from "effect/Take"
import * as TestClock from "effect/TestClock"
import * as RpcPool from "../../../services/RpcPool.js"
import * as CatchUp from "../../../services/transport/CatchUp.js"
import * as Reconnect from "../../../services/transport/Reconnect.js"
import * as Address from "../../../src/solana/Address.js"
import * as Base64 from "../../../src/solana/Base64.js"
import * as Signatures from "../../../src/solana/Signature.js"
import { runs } from "../../support/runs.js"
import { settle, sockets } from "./sockets.js"
import { fail, fake } from "./support.js"

const address = (n: number) => Address.fromBytes(new Uint8Array(32).fill(n + 1))
const signature = (n: number): Signature => Signatures.fromBytes(new Uint8Array(64).fill(n + 1))
const PROGRAM = address(100)

/** An account as a node reports it; a closed one has no byte. */
const account = (byte: number | undefined) => ({
  data: [Base64.encode(byte === undefined ? new Uint8Array() : Uint8Array.of(byte)), "base64"],
  executable: false,
  lamports: byte === undefined ? 0 : 1,
  owner: byte === undefined ? Address.SYSTEM_PROGRAM : PROGRAM,
  rentEpoch: 0,
  space: byte === undefined ? 0 : 1
})

/** A chain of one program whose accounts hold a byte, and of transactions that mention it, behind a scripted node. */
const chain = () => {
  const node = sockets()
  const accounts = new Map<string, number>()
  const landed: Array<{ readonly signature: Signature; readonly slot: bigint }> = []
  let slot = 10n

  const contextual = (value: unknown) => ({ context: { slot }, value })

  const answer = (
    method: string,
    params: ReadonlyArray<unknown>
  ): Effect.Effect<unknown, never> | ReturnType<typeof fail> => {
    const [first] = params
    switch (method) {
      case "getAccountInfo": {
        const byte = accounts.get(String(first))
        return Effect.succeed(contextual(byte === undefined ? null : account(byte)))
      }
      case "getProgramAccounts":
        return Effect.succeed(contextual([...accounts].map(([pubkey, byte]) => ({ pubkey, account: account(byte) }))))
      case "getSignatureStatuses": {
        const found = landed.find(({ signature }) => Array.isArray(first) && signature === first[0])
        return Effect.succeed(
          contextual([
            found === undefined
              ? null
              : { slot: found.slot, confirmations: null, err: null, confirmationStatus: "finalized" }
          ])
        )
      }
      case "getSignaturesForAddress":
        return Effect.succeed(landed.toReversed().map((transaction) => ({ ...transaction, err: null, memo: null })))
      case "getTransaction": {
        const found = landed.find(({ signature }) => signature === first)
        return Effect.succeed({
          slot: found?.slot,
          version: 0,
          transaction: ["", "base64"],
          meta: { err: null, fee: 0, preBalances: [], postBalances: [], logMessages: [String(first)] }
        })
      }
      default:
        return fail("Node", { method, code: -32601 })
    }
  }

  const notify = (kind: "account" | "program" | "logs" | "signature", subject: string, value: unknown) =>
    Effect.forEach(
      [...node.open].filter((held) => held.kind === kind && (kind === "logs" || held.params[0] === subject)),
      (held) => Queue.offer(held.queue, Take.of(contextual(value))),
      { discard: true }
    )

  return {
    node,
    accounts,
    transport: fake({ subscribe: node.subscribe, request: answer }),
    /** Sets an account's byte, or closes it, in a slot of its own. */
    write: (n: number, byte: number | undefined) =>
      Effect.gen(function* () {
        slot++
        if (byte === undefined) accounts.delete(address(n))
        else accounts.set(address(n), byte)
        yield* notify("account", address(n), account(byte))
        if (byte !== undefined) {
          yield* notify("program", PROGRAM, { pubkey: address(n), account: account(byte) })
        }
        yield* settle
      }),
    /** Lands a transaction that mentions the program. */
    land: (n: number) =>
      Effect.gen(function* () {
        slot++
        landed.push({ signature: signature(n), slot })
        yield* notify("logs", PROGRAM, { signature: signature(n), err: null, logs: [signature(n)] })
        yield* notify("signature", signature(n), { err: null })
        yield* settle
      }),
    pass: Effect.sync(() => void slot++)
  }
}

/** Follows in the background over a pool that reconnects. */
const following = <A, E>(stream: Stream.Stream<A, E, RpcPool.RpcPool>, world: ReturnType<typeof chain>) =>
  Effect.gen(function* () {
    const transport = yield* Reconnect.make()(world.transport)
    const told: Array<A> = []
    const fiber = yield* stream.pipe(
      Stream.runForEach((update) => Effect.sync(() => told.push(update))),
      Effect.provideService(RpcPool.RpcPool, RpcPool.make(transport)),
      Effect.fork
    )
    yield* settle
    yield* settle
    return { told, fiber }
  })

const away = (world: ReturnType<typeof chain>) =>
  Effect.sync(() => {
    world.node.accepting = false
  }).pipe(Effect.zipRight(world.node.cut))

const back = (world: ReturnType<typeof chain>) =>
  Effect.gen(function* () {
    world.node.accepting = true
    yield* TestClock.adjust("1 minute")
    yield* settle
    yield* settle
  })

/** Updates as short texts. */
const story = (updates: ReadonlyArray<CatchUp.Update<{ readonly address: string; readonly data: Uint8Array }>>) =>
  updates.map((update) =>
    update._tag === "Gap" ? "gap" : update._tag === "Gone" ? "gone" : `value ${update.value.data[0]}`
  )

describe("CatchUp", () => {
  it.scoped(
    "Given an account, When it changes here and while away, Then each state is told once and the hole is named",
    () =>
      Effect.gen(function* () {
        const world = chain()
        yield* world.write(0, 1)
        const { told, fiber } = yield* following(CatchUp.account(address(0)), world)
        yield* world.write(0, 2)
        yield* away(world)
        yield* world.write(0, 3)
        yield* world.write(0, 4)
        yield* back(world)
        yield* world.write(0, 5)
        yield* world.write(0, undefined)
        assert.deepStrictEqual(story(told), ["value 1", "value 2", "gap", "value 4", "value 5", "gone"])
        yield* Fiber.interrupt(fiber)
        assert.strictEqual(world.node.open.size, 0)
      })
  )

  it.scoped("Given an account that did not change while away, Then only the hole is told", () =>
    Effect.gen(function* () {
      const world = chain()
      yield* world.write(0, 1)
      const { told, fiber } = yield* following(CatchUp.account(address(0)), world)
      yield* away(world)
      yield* world.pass
      yield* back(world)
      assert.deepStrictEqual(story(told), ["value 1", "gap"])
      yield* Fiber.interrupt(fiber)
    })
  )

  it.scoped(
    "Given a transaction that landed before, while away or live, Then its one result is told and the Stream ends",
    () =>
      Effect.gen(function* () {
        for (const when of ["before", "away", "live"] as const) {
          const world = chain()
          if (when === "before") yield* world.land(0)
          const { told, fiber } = yield* following(CatchUp.signature(signature(0)), world)
          if (when === "away") {
            yield* away(world)
            yield* world.land(0)
            yield* back(world)
          }
          if (when === "live") yield* world.land(0)
          yield* Fiber.join(fiber)
          assert.deepStrictEqual(told, [{ slot: 11n, value: { err: null } }])
          yield* settle
          assert.strictEqual(world.node.open.size, 0)
        }
      })
  )

  it.scoped(
    "Given transactions before, live and while away, Then all since the start are told once, oldest first",
    () =>
      Effect.gen(function* () {
        const world = chain()
        yield* world.land(0)
        const { told, fiber } = yield* following(CatchUp.logs(PROGRAM), world)
        yield* world.land(1)
        yield* away(world)
        yield* world.land(2)
        yield* world.land(3)
        yield* back(world)
        yield* world.land(4)
        assert.deepStrictEqual(
          told.map((update) => (update._tag === "Value" ? update.value.signature : update._tag)),
          [1, 2, 3, 4].map(signature)
        )
        yield* Fiber.interrupt(fiber)
      })
  )

  it.scoped("Given more transactions while away than may be read back, Then the newest are told after a gap", () =>
    Effect.gen(function* () {
      const world = chain()
      const { told, fiber } = yield* following(CatchUp.logs(PROGRAM, { maxTransactions: 2 }), world)
      yield* away(world)
      yield* Effect.forEach([0, 1, 2, 3], (n) => world.land(n))
      yield* back(world)
      assert.deepStrictEqual(
        told.map((update) => (update._tag === "Value" ? update.value.signature : update._tag)),
        ["Gap", signature(2), signature(3)]
      )
      yield* Fiber.interrupt(fiber)
    })
  )

  it.scoped("Given a program with more accounts than are kept, Then its Stream fails by type", () =>
    Effect.gen(function* () {
      const world = chain()
      yield* Effect.forEach([0, 1, 2], (n) => world.write(n, n))
      const { fiber } = yield* following(CatchUp.program(PROGRAM, { maxAccounts: 2 }), world)
      const error = yield* Effect.flip(Fiber.join(fiber))
      assert.include(error.message, "more than 2 accounts")
    })
  )

  it.effect.prop(
    "Given any writes, closes, cuts and outages, Then what is told of a program adds up to its accounts, each change once and none lost while connected",
    {
      steps: FastCheck.array(
        FastCheck.oneof(
          {
            weight: 4,
            arbitrary: FastCheck.record({
              type: FastCheck.constant("write" as const),
              n: FastCheck.nat(2),
              byte: FastCheck.option(FastCheck.nat(3), { nil: undefined })
            })
          },
          FastCheck.record({ type: FastCheck.constantFrom("away" as const, "back" as const, "cut" as const) })
        ),
        { maxLength: 25 }
      )
    },
    ({ steps }) =>
      Effect.scoped(
        Effect.gen(function* () {
          const world = chain()
          const { told, fiber } = yield* following(CatchUp.program(PROGRAM), world)
          const connected: Array<string> = []
          for (const step of steps) {
            if (step.type === "write") {
              if (world.node.open.size > 0 && step.byte !== undefined) connected.push(`${address(step.n)} ${step.byte}`)
              yield* world.write(step.n, step.byte)
            } else if (step.type === "away") yield* away(world)
            else if (step.type === "back") yield* back(world)
            else yield* world.node.cut
          }
          yield* away(world)
          yield* back(world)
          const state = new Map<string, number>()
          const values: Array<string> = []
          let newest = -1n
          for (const update of told) {
            if (update._tag === "Gap") continue
            assert.isTrue(update.slot >= newest, "told out of order")
            newest = update.slot
            if (update._tag === "Gone") {
              assert.isTrue(state.delete(update.address), "gone twice")
            } else {
              const byte = Option.getOrThrow(Option.fromNullable(update.value.data[0]))
              state.set(update.value.address, byte)
              values.push(`${update.value.address} ${byte}`)
            }
          }
          assert.deepStrictEqual([...state].toSorted(), [...world.accounts].toSorted())
          let position = 0
          for (const value of values) if (value === connected[position]) position++
          assert.strictEqual(position, connected.length, "a change was lost while connected")
          yield* Fiber.interrupt(fiber)
        })
      ),
    { fastCheck: { numRuns: runs(60) } }
  )
})
