import { describe, expect, it } from "@effect/vitest"
import * as Once from "../../../services/internal/once.js"
import * as Addresses from "../../../src/solana/Address.js"

const item = (id: number, at: bigint) => ({
  address: Addresses.fromBytes(new Uint8Array(32).fill(id)),
  account: { at }
})

describe("once", () => {
  it("given the same account in the list and in a notification, when filtered, then it comes once", () => {
    const once = Once.make(({ at }: { readonly at: bigint }) => at)
    expect([item(1, 10n), item(2, 11n), item(1, 10n), item(2, 11n), item(3, 11n)].map(once)).toEqual([
      true,
      true,
      false,
      false,
      true
    ])
  })

  it("given news out of order within two minutes, when filtered, then none is lost", () => {
    const once = Once.make(({ at }: { readonly at: bigint }) => at)
    expect([item(1, 1000n), item(2, 880n), item(2, 880n)].map(once)).toEqual([true, true, false])
  })

  it("given an account forgotten for its age, when it is notified again, then it does not come again", () => {
    const once = Once.make(({ at }: { readonly at: bigint }) => at)
    expect([item(1, 0n), item(2, 604_800n), item(1, 0n)].map(once)).toEqual([true, true, false])
  })
})
