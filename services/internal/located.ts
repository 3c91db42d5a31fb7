import type { Address } from "@solana/kit"
import type { AccountType } from "../../src/protocol/AccountType.js"
import { RpcError } from "../RpcTransport.js"

/** Whether an account with these fields can be at the address. */
export const isAt = <A>({ addressOf }: AccountType<A>, address: Address, account: A, programId: Address): boolean =>
  addressOf === undefined || addressOf(account, programId) === address

/** The error for a reply with another account than the requested one: its fields give another address. */
export const located = <A>(
  type: AccountType<A>,
  address: Address,
  account: A,
  programId: Address
): RpcError | undefined =>
  isAt(type, address, account, programId)
    ? undefined
    : new RpcError({
        reason: "Decode",
        method: "getAccountInfo",
        detail: `the endpoint answers for ${address} with an account that cannot be there: its fields give another address`
      })
