/** What the RPC methods share: one node of the embedded cluster. */
import * as Either from "effect/Either"
import type { Address } from "@solana/kit"
import type { Chain } from "../chain/Chain.js"
import type { Bank } from "../chain/ChainState.js"
import type { Faucet } from "./Faucet.js"
import type { Read } from "./Params.js"

/** A node, as a method finds it: `nowMillis` is the monotonic Clock's when the call came. */
export interface Node {
  readonly chain: Chain
  readonly faucet: Faucet
  readonly identity: Address
  readonly nowMillis: number
}

/** A JSON-RPC method. Everything it does is done when it returns. */
export type Method = (node: Node, params: ReadonlyArray<unknown>) => Read<unknown>

/** A method out of the reading of its parameters and what it does with them. */
export const method =
  <A>(read: (params: ReadonlyArray<unknown>) => Read<A>, run: (node: Node, params: A) => Read<unknown>): Method =>
  (node, params) =>
    Either.flatMap(read(params), (decoded) => run(node, decoded))

/** The Agave release whose runtime LiteSVM 1.5.0 is. */
export const API_VERSION = "4.2.0"

/** An answer that says which bank it comes from. */
export const contextual = (bank: Bank, value: unknown): unknown => ({
  context: { slot: bank.slot, apiVersion: API_VERSION },
  value
})
