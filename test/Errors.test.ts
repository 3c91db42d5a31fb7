import { describe, expect, it } from "@effect/vitest"
import { RpcError } from "../services/RpcTransport.js"
import { TransactionError } from "../services/Transactions.js"
import { InvalidInput } from "../src/InvalidInput.js"

describe("errors in a log that writes JSON", () => {
  const huge = 2n ** 64n - 1n
  const errors = [
    new InvalidInput({ field: "amount", rule: "must be a u64", size: huge }),
    new RpcError({ reason: "Node", method: "sendTransaction", detail: "refused", data: { rentEpoch: huge } }),
    new TransactionError({ reason: "Rejected", detail: "it failed", logs: [], slot: huge, err: { units: huge } })
  ]
  for (const error of errors) {
    it(`write the bigints of ${error._tag} as decimal strings`, () => {
      // Given an error that holds an integer beyond 2^53, When it is written as JSON
      const written = JSON.stringify(error)
      // Then the integer is whole, and the error still says what it is and why
      expect(written).toContain(`${huge}`)
      expect(JSON.parse(written)).toMatchObject({ _tag: error._tag, message: error.message })
    })
  }
})
