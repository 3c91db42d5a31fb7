import type { Address } from "@solana/kit"
import type { AccountType } from "../../src/protocol/AccountType.js"
import { RpcError } from "../RpcTransport.js"

/** The error of a reply with another account than was asked for: its fields determine another address. */
export const located = <A>(
  { addressOf }: AccountType<A>,
  address: Address,
  account: A,
  programId: Address
): RpcError | undefined => {
  const own = addressOf === undefined ? address : addressOf(account, programId)
  return own === undefined || own === address
    ? undefined
    : new RpcError({
        reason: "Decode",
        method: "getAccountInfo",
        detail: `the endpoint answers for ${address} with an account that can only be at ${own}`
      })
}
