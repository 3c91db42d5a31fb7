import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import { Ledger } from "../../../services/analytics/Ledger.js"
import * as ProtocolEvent from "../../../src/protocol/ProtocolEvent.js"
import * as Addresses from "../../../src/solana/Address.js"
import * as Signatures from "../../../src/solana/Signature.js"
import { assertProperty } from "../../support/runs.js"

const address = Addresses.SYSTEM_PROGRAM

const deposit = (amount: bigint, blockTime: Option.Option<bigint>, timestamp: Option.Option<bigint> = Option.none()) =>
  new ProtocolEvent.EscrowDeposited(
    {
      signature: Signatures.fromBytes(new Uint8Array(64)),
      slot: 1n,
      path: "0",
      accounts: [],
      blockTime,
      timestamp,
      escrow: address,
      channel: address,
      depositor: address,
      amount
    },
    { disableValidation: true }
  )

const times = FastCheck.oneof(
  FastCheck.bigInt({ min: 0n, max: 20_000n }),
  FastCheck.constantFrom(-1n, 2n ** 63n - 1n, -(2n ** 63n))
)
const events = FastCheck.array(FastCheck.tuple(FastCheck.bigInt({ min: 1n, max: 9n }), FastCheck.option(times)), {
  maxLength: 60
})

describe("Ledger", () => {
  it("Given any events, When spans are read, Then each holds what a filter by time finds", () =>
    assertProperty(
      FastCheck.property(
        events,
        FastCheck.integer({ min: 1, max: 4 }),
        FastCheck.bigInt({ min: 0n, max: 25_000n }),
        FastCheck.integer({ min: 1, max: 30 }),
        (given, width, until, limit) => {
          const ledger = new Ledger(600, 1000)
          for (const [amount, time] of given) ledger.add(deposit(amount, Option.fromNullable(time)))
          const seconds = BigInt(600 * width)
          const spans = ledger.series(width, until, limit)
          assert.strictEqual(spans.at(-1)?.from, (until / seconds) * seconds)
          assert.isAtMost(spans.length, limit)
          for (const [index, { deposited, from }] of spans.entries()) {
            assert.strictEqual(from, (spans[0]?.from ?? 0n) + BigInt(index) * seconds)
            const inside = given.filter(([, time]) => time !== null && time >= from && time < from + seconds)
            assert.strictEqual(
              deposited,
              inside.reduce((sum, [amount]) => sum + amount, 0n)
            )
          }
          assert.strictEqual(
            ledger.total.deposited,
            given.reduce((sum, [amount]) => sum + amount, 0n)
          )
        }
      ),
      200
    ))

  it("Given more spans than are kept, When events come, Then the oldest leave the series and stay in the total", () => {
    const ledger = new Ledger(60, 10)
    for (let minute = 0n; minute < 50n; minute++) ledger.add(deposit(1n, Option.some(60n * minute)))
    const spans = ledger.series(1, 60n * 49n, 50)
    assert.deepStrictEqual(
      spans.map(({ deposited }) => Number(deposited)),
      [...Array.from({ length: 40 }, () => 0), ...Array.from({ length: 10 }, () => 1)]
    )
    assert.strictEqual(ledger.total.deposited, 50n)
  })

  it("Given a block without a time, When an event is added, Then the program's own time counts", () => {
    const ledger = new Ledger(60, 10)
    ledger.add(deposit(3n, Option.none(), Option.some(120n)))
    assert.strictEqual(ledger.series(1, 120n, 1)[0]?.deposited, 3n)
    assert.strictEqual(ledger.latest, 120n)
  })
})
