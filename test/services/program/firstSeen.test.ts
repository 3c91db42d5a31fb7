import { describe, expect, it } from "@effect/vitest"
import * as Once from "../../../services/program/firstSeen.js"
import * as Addresses from "../../../src/solana/Address.js"

const item = (id: number) => ({ address: Addresses.fromBytes(new Uint8Array(32).fill(id)), account: {} })

describe("once", () => {
  it("Given one account in the list and in a notification, When the Stream is filtered, Then it comes once", () => {
    const once = Once.make()
    expect([item(1), item(2), item(1), item(2), item(3)].map((one) => once(one))).toEqual([
      true,
      true,
      false,
      false,
      true
    ])
  })

  it("Given more accounts than are remembered, When the last ones come again, Then they do not come twice", () => {
    const once = Once.make(2)
    expect([item(1), item(2), item(3), item(2), item(3)].map((one) => once(one))).toEqual([
      true,
      true,
      true,
      false,
      false
    ])
  })
})
