import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as RetryPolicy from "../../services/RetryPolicy.js"
import * as RpcPool from "../../services/RpcPool.js"
import { RpcError } from "../../services/RpcTransport.js"
import type { RpcTransport, SubscriptionError } from "../../services/RpcTransport.js"
import { A, account, B, cases, context, SIGNATURE, U64_MAX } from "../support/rpcCases.js"
import { runs } from "../support/runs.js"
import { recorder } from "../support/spans.js"

const unused = Effect.dieMessage("not part of this test")

const transport = (parts: Partial<RpcTransport>): RpcTransport => ({
  host: "node.test:8899",
  request: () => unused,
  batch: () => unused,
  subscribe: () => Stream.die("not part of this test"),
  ...parts
})

describe("RpcPool", () => {
  it.effect.each(Object.entries(cases))(
    "Given the node's reply, When %s is called, Then it is sent and read",
    ([method, expected]) =>
      Effect.gen(function* () {
        const asked: Array<unknown> = []
        const rpc = RpcPool.make(
          transport({
            request: (method, params) =>
              Effect.sync(() => {
                asked.push([method, params])
                return expected.result
              })
          })
        )

        const value = yield* expected.call(rpc)

        assert.deepStrictEqual(asked, [[method, expected.params]])
        assert.deepStrictEqual(value, expected.value)
      })
  )

  it.effect("Given one or several endpoints, When a call is traced, Then its span has a port only for one", () =>
    Effect.gen(function* () {
      for (const [host, address, port] of [
        ["a.test:8899", "a.test", 8899],
        ["[::1]:8899", "[::1]", 8899],
        ["a.test", "a.test", undefined],
        ["a.test:8899,b.test:8900", "a.test:8899,b.test:8900", undefined]
      ] as const) {
        const { layer, spans } = recorder()
        const rpc = RpcPool.make(transport({ host, request: () => Effect.succeed(1) }))
        yield* Effect.provide(rpc.getSlot(), layer)
        const attributes = spans[0]?.attributes
        assert.deepStrictEqual([attributes?.get("server.address"), attributes?.get("server.port")], [address, port])
      }
    })
  )

  it.effect("Given replies of any shape, When any method reads them, Then it succeeds or fails with Decode", () =>
    Effect.gen(function* () {
      // Given: arbitrary values, and good replies with one member replaced or removed
      const calls = Object.entries(cases)
      const hostile = FastCheck.tuple(
        FastCheck.constantFrom(...calls),
        FastCheck.anything({ withBigInt: true, maxDepth: 2, maxKeys: 4 }),
        FastCheck.nat()
      )
      const samples = FastCheck.sample(hostile, runs(1000))
      for (const [[method, { call, result }], value, position] of samples) {
        for (const reply of [value, mutated(result, position, value)]) {
          const rpc = RpcPool.make(transport({ request: () => Effect.succeed(reply) }))
          const exit = yield* Effect.exit(call(rpc))
          if (Exit.isSuccess(exit)) continue
          const error = Cause.failureOption(exit.cause)
          assert.isTrue(Option.isSome(error) && error.value instanceof RpcError, Cause.pretty(exit.cause))
          if (Option.isSome(error) && error.value instanceof RpcError) {
            assert.deepStrictEqual([error.value.reason, error.value.method], ["Decode", method])
          }
        }
      }
    })
  )

  it.effect("Given a reply with one wrong member, When it is read, Then the error names the path, not the value", () =>
    Effect.gen(function* () {
      const accounts = [
        { pubkey: A, account },
        { pubkey: A, account: { ...account, owner: "SECRET" } }
      ]
      const rpc = RpcPool.make(transport({ request: () => Effect.succeed({ context, value: accounts }) }))

      const error = yield* Effect.flip(rpc.getProgramAccounts(B))

      assert.strictEqual(
        error.message,
        "getProgramAccounts at node.test:8899: expected an address at result.value[1].account.owner; use another endpoint"
      )
    })
  )

  it.effect(
    "Given more items than a node accepts, When a call is made, Then it fails with InvalidInput before any I/O",
    () =>
      Effect.gen(function* () {
        const rpc = RpcPool.make(transport({}))
        const errors = yield* Effect.all([
          Effect.flip(rpc.getMultipleAccounts(Array.from({ length: 101 }, () => A))),
          Effect.flip(rpc.getSignatureStatuses(Array.from({ length: 257 }, () => SIGNATURE))),
          Effect.flip(rpc.getLedgerStatuses(Array.from({ length: 257 }, () => SIGNATURE))),
          Effect.flip(rpc.getSignaturesForAddress(A, { limit: 0 }))
        ])
        assert.deepStrictEqual(
          errors.map((error) => (error instanceof RpcError ? error.reason : [error.field, error.size])),
          [
            ["addresses", 101],
            ["signatures", 257],
            ["signatures", 257],
            ["limit", 0]
          ]
        )
      })
  )

  it.effect(
    "Given a ledger, When statuses in it are read, Then one array asks for them and for the ledger's first slot",
    () =>
      Effect.gen(function* () {
        const asked: Array<unknown> = []
        const rpc = RpcPool.make(
          transport({
            batch: (calls) =>
              Effect.map(RetryPolicy.RetryPolicy, (retries) => {
                asked.push(retries, calls)
                return [Either.right({ context, value: [null] }), Either.right(3)]
              })
          })
        )

        const statuses = yield* rpc.getLedgerStatuses([SIGNATURE])

        assert.deepStrictEqual(asked, [
          "never",
          [
            { method: "getSignatureStatuses", params: [[SIGNATURE], { searchTransactionHistory: true }] },
            { method: "getFirstAvailableBlock", params: [] }
          ]
        ])
        assert.deepStrictEqual(statuses, { slot: 5n, value: [Option.none()], firstSlot: 3n })
      })
  )

  it.effect(
    "Given an array with a wrong or missing item, When statuses are read, Then the error names its method",
    () =>
      Effect.gen(function* () {
        const refused = new RpcError({
          reason: "Node",
          method: "getFirstAvailableBlock",
          code: -32601,
          detail: "unknown"
        })
        const answers: ReadonlyArray<
          readonly [ReadonlyArray<Either.Either<unknown, RpcError>>, RpcError["reason"], string]
        > = [
          [[], "Decode", "getSignatureStatuses"],
          [[Either.right({ context, value: [] }), Either.right(0)], "Decode", "getSignatureStatuses"],
          [[Either.right({ context, value: [null] })], "Decode", "getFirstAvailableBlock"],
          [[Either.right({ context, value: [null] }), Either.right("0")], "Decode", "getFirstAvailableBlock"],
          [[Either.right({ context, value: [null] }), Either.left(refused)], "Node", "getFirstAvailableBlock"]
        ]
        for (const [answer, reason, method] of answers) {
          const rpc = RpcPool.make(transport({ batch: () => Effect.succeed(answer) }))
          const error = yield* Effect.flip(rpc.getLedgerStatuses([SIGNATURE]))
          assert.deepInclude(error, { reason, method })
        }
      })
  )

  it.effect(
    "Given notifications, When a Stream reads them, Then they are decoded, and an invalid one ends the Stream",
    () =>
      Effect.gen(function* () {
        const rpc = RpcPool.make(
          transport({ subscribe: (kind) => Stream.make(kind === "slot" ? { slot: 1, parent: 0, root: 0 } : -1) })
        )

        const slots = yield* Stream.runCollect(rpc.slotSubscribe)
        const error: SubscriptionError = yield* Effect.flip(Stream.runDrain(rpc.rootSubscribe))

        assert.deepStrictEqual(Chunk.toReadonlyArray(slots), [{ slot: 1n, parent: 0n, root: 0n }])
        assert.strictEqual(
          error.message,
          "rootSubscribe at node.test:8899: expected a u64 at result; use another endpoint"
        )
      })
  )

  it.effect("Given the default commitment processed, When blocks are read, Then the call asks for confirmed", () =>
    Effect.gen(function* () {
      const asked: Array<unknown> = []
      const rpc = RpcPool.make(
        transport({ request: (_, params) => Effect.sync(() => void asked.push(params[params.length - 1])) }),
        { commitment: "processed" }
      )
      yield* Effect.all([Effect.either(rpc.getSlot()), Effect.either(rpc.getBlocks(1n, 2n))])
      assert.deepStrictEqual(asked, [{ commitment: "processed" }, { commitment: "confirmed" }])
    })
  )

  it("Given an error with integers beyond 2^53, When it is written as JSON, Then they are decimal strings", () => {
    const error = new RpcError({ reason: "Node", method: "x", detail: "d", code: -32002, data: { rentEpoch: U64_MAX } })
    assert.include(JSON.stringify(error), '"rentEpoch":"18446744073709551615"')
  })
})

/** The value with one of its members, counted depth first, replaced; or removed where the replacement is undefined. */
const mutated = (value: unknown, position: number, replacement: unknown): unknown => {
  const size = membersOf(value)
  return size === 0 ? replacement : replaceAt(value, position % size, replacement)
}

const membersOf = (value: unknown): number =>
  typeof value === "object" && value !== null
    ? Object.values(value).reduce((sum: number, member) => sum + 1 + membersOf(member), 0)
    : 0

const replaceAt = (value: unknown, position: number, replacement: unknown): unknown => {
  if (typeof value !== "object" || value === null) return value
  let next = 0
  const entries = Object.entries(value).map(([key, member]): readonly [string, unknown] => {
    const start = next
    next += 1 + membersOf(member)
    if (position === start) return [key, replacement]
    return [key, position > start && position < next ? replaceAt(member, position - start - 1, replacement) : member]
  })
  return Array.isArray(value) ? entries.map(([, member]) => member) : Object.fromEntries(entries)
}
