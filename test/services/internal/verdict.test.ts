import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Verdict from "../../../services/internal/verdict.js"
import { assertProperty } from "../../support/runs.js"

const codes: ReadonlyArray<readonly [code: number, message: string, verdict: Verdict.Verdict]> = [
  [429, "", "limit"],
  [-32429, "", "limit"],
  [-32097, "", "limit"],
  [-32029, "", "limit"],
  [-32007, "15/second request limit reached - reduce calls per second or upgrade your account", "limit"],
  [-32007, "Slot 7 was skipped, or missing due to ledger jump to recent snapshot", "never"],
  [-32000, "429 Too Many Requests", "limit"],
  [-32000, "max usage reached", "limit"],
  [-32603, "subscription limit reached", "limit"],
  [-32603, "Internal error", "never"],
  [-32005, "Connection rate limits exceeded", "limit"],
  [-32005, "Node is behind by 42 slots", "later"],
  [-32004, "Block not available for slot 7", "later"],
  [-32014, "", "later"],
  [-32016, "Minimum context slot has not been reached", "later"],
  [-32017, "", "later"],
  [-32002, "Transaction simulation failed: rate limit exceeded", "never"],
  [-32602, "limit exceeded", "never"],
  [-32601, "Method not found", "never"],
  [-32010, "excluded from account secondary indexes", "never"]
]

describe("verdict of a refusal", () => {
  it("Given the code and message of a refusal, Then the verdict is later, limit or never", () => {
    for (const [code, message, verdict] of codes) assert.strictEqual(Verdict.ofCode(code, message), verdict, message)
  })

  it("Given an HTTP status, Then the verdict is later, limit or never", () => {
    for (const [status, verdict] of [
      [429, "limit"],
      [408, "later"],
      [425, "later"],
      [500, "later"],
      [503, "later"],
      [400, "never"],
      [401, "never"],
      [404, "never"],
      [301, "never"]
    ] as const) {
      assert.strictEqual(Verdict.ofStatus(status), verdict, String(status))
    }
  })

  it("Given a refusal of the call itself, When its message speaks of limits, Then the verdict is never", () =>
    assertProperty(
      FastCheck.property(FastCheck.constantFrom(-32002, -32003, -32602, -32700), FastCheck.string(), (code, text) => {
        assert.strictEqual(Verdict.ofCode(code, `too many requests ${text}`), "never")
      })
    ))
})
