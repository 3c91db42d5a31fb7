import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Stream from "effect/Stream"
import * as Resilience from "../../services/Resilience.js"
import type * as RpcTransport from "../../services/RpcTransport.js"
import * as Check from "../../src/internal/check.js"
import { InvalidInput } from "../../src/InvalidInput.js"
import { assertProperty } from "../support/runs.js"

const refusal = <A>(result: Either.Either<A, InvalidInput>) =>
  Either.match(result, { onLeft: ({ field, rule, size }) => ({ field, rule, size }), onRight: () => undefined })

describe("a checked number", () => {
  it("Given a number in its range, When it is checked, Then it is returned", () => {
    expect(Check.integer("n", 3, 1, 5)).toEqual(Either.right(3))
    expect(Check.bigInteger("n", 2n ** 64n - 1n)).toEqual(Either.right(2n ** 64n - 1n))
    expect(Check.between("n", 0.5, 0, 1)).toEqual(Either.right(0.5))
    expect(Check.positive("n", Infinity, "unlimited")).toEqual(Either.right(Infinity))
    expect(Check.millis("n", "2 seconds")).toEqual(Either.right(2000))
  })

  it("Given a number out of its range, When it is checked, Then the rule names the range", () => {
    expect(refusal(Check.integer("n", 0, 1))).toEqual({
      field: "n",
      rule: "must be a whole number of at least 1",
      size: 0
    })
    expect(refusal(Check.integer("n", 6, 1, 5))?.rule).toBe("must be a whole number from 1 to 5")
    expect(refusal(Check.bigInteger("n", -1n, 0n, 9n))?.rule).toBe("must be a bigint from 0 to 9")
    expect(refusal(Check.positive("n", Infinity))?.rule).toBe("must be a finite number above 0")
    expect(refusal(Check.millisBetween("n", 5, 10, 20))?.rule).toBe("must be a duration from 10 to 20 milliseconds")
  })

  it("Given any value, When it is checked, Then the result is a number or InvalidInput", () => {
    // A caller without types may pass anything.
    const checks: ReadonlyArray<readonly [(...args: never) => unknown, ...ReadonlyArray<unknown>]> = [
      [Check.integer, 0],
      [Check.bigInteger],
      [Check.between, 0, 1],
      [Check.positive],
      [Check.millis],
      [Check.millisBetween, 1, 2]
    ]
    return assertProperty(
      fc.property(fc.anything({ withBigInt: true, withNullPrototype: true }), (value) => {
        for (const [check, ...range] of checks) {
          const result = Reflect.apply(check, undefined, ["n", value, ...range])
          expect(Either.isRight(result) || result.left instanceof InvalidInput).toBe(true)
        }
      })
    )
  })
})

describe("an option that is refused", () => {
  const transport: RpcTransport.RpcTransport = {
    host: "node",
    request: () => Effect.never,
    batch: () => Effect.never,
    subscribe: () => Stream.never
  }
  const cases: ReadonlyArray<readonly [string, object]> = [
    ["retry.baseDelay", { retry: { baseDelay: 0 } }],
    ["retry.maxAttempts", { retry: { maxAttempts: 0 } }],
    ["reconnect.baseDelay", { reconnect: { baseDelay: 0 } }],
    ["reconnect.maxQueuedNotifications", { reconnect: { maxQueuedNotifications: 0 } }],
    ["coalesce.accounts.size", { coalesce: { accounts: { size: 1 } } }],
    ["coalesce.share.maxKeys", { coalesce: { share: { maxKeys: 0 } } }],
    ["arraySize", { arraySize: 0 }],
    ["weight", { weight: 0 }],
    ["circuit.failures", { circuit: { failures: 0 } }],
    ["heartbeat.idleTimeout", { heartbeat: { idleTimeout: 0 } }],
    ["limits.requests.perSecond", { limits: { requests: { perSecond: 0 } } }],
    ["hedge.ratio", { hedge: { ratio: 0 } }],
    ["maxLag", { maxLag: -1 }]
  ]

  it.scoped.each(cases)(
    "Given a bad %s, When the transport is made, Then the error names its whole path",
    ([path, bad]) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(Resilience.make([{ transport, ...bad }], bad))
        expect(error).toMatchObject({ _tag: "InvalidInput", field: path })
      })
  )

  it.scoped("Given several endpoints, When one has a bad option, Then its index is in the path", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Resilience.make([{ transport }, { transport, circuit: { cooldown: -1 } }]))
      expect(error).toMatchObject({ _tag: "InvalidInput", field: "endpoints[1].circuit.cooldown" })
    })
  )
})
