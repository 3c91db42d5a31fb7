import type { ProgramError } from "@pod-protocol/effect"
import { EndpointsError, InvalidInput, RpcTransport, Transactions, Wallet } from "@pod-protocol/effect"
import type * as Schema from "effect/Schema"
import { describe, expect, test } from "tstyche"

type Reason<E extends { readonly reason: unknown }> = E["reason"]

describe("errors", () => {
  test("are Schemas without context, so that they cross HTTP and cluster boundaries", () => {
    expect(InvalidInput).type.toBeAssignableTo<Schema.Schema<InvalidInput, never, never> | Schema.Schema.AnyNoContext>()
    expect(EndpointsError).type.toBeAssignableTo<Schema.Schema.AnyNoContext>()
    expect(RpcTransport.RpcError).type.toBeAssignableTo<Schema.Schema.AnyNoContext>()
    expect(RpcTransport.SubscriptionError).type.toBeAssignableTo<Schema.Schema.AnyNoContext>()
    expect(Transactions.TransactionError).type.toBeAssignableTo<Schema.Schema.AnyNoContext>()
    expect(Wallet.WalletError).type.toBeAssignableTo<Schema.Schema.AnyNoContext>()
  })

  test("bear a literal reason to match on", () => {
    expect<Reason<RpcTransport.RpcError>>().type.not.toBe<string>()
    expect<Reason<Transactions.TransactionError>>().type.not.toBe<string>()
    expect<Reason<Wallet.WalletError>>().type.not.toBe<string>()
    expect<"Expired" | "Unconfirmed">().type.toBeAssignableTo<Reason<Transactions.TransactionError>>()
  })

  test("have a tag of their own", () => {
    expect<InvalidInput["_tag"]>().type.toBe<"InvalidInput">()
    expect<RpcTransport.RpcError["_tag"]>().type.toBe<"RpcError">()
    expect<ProgramError.ProgramError["_tag"]>().type.toBe<"ProgramError">()
  })
})

describe("models", () => {
  test("decode to what they declare", () => {
    expect<Schema.Schema.Type<typeof Transactions.SignedTransaction>>().type.toBe<Transactions.SignedTransaction>()
    expect<Schema.Schema.Context<typeof Transactions.SignedTransaction>>().type.toBe<never>()
  })

  test("keep 64-bit numbers as bigint", () => {
    expect<Transactions.Receipt["slot"]>().type.toBe<bigint>()
  })
})
