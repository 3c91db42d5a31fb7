/** The context of the RPC methods: one node of the embedded cluster. */
import type { Address } from "@solana/kit"
import * as Either from "effect/Either"
import type { Chain } from "../chain/Chain.js"
import type { Bank } from "../chain/ChainState.js"
import type { Faucet } from "./Faucet.js"
import type { Read } from "./Params.js"

/** A node. `nowMillis` is the monotonic time of the call. */
export interface Node {
  readonly chain: Chain
  readonly faucet: Faucet
  readonly identity: Address
  readonly nowMillis: number
}

/** A JSON-RPC method. It is synchronous: all its effects are complete when it returns. */
export type Method = (node: Node, params: ReadonlyArray<unknown>) => Read<unknown>

/** Combines a parameter reader and an implementation to a method. */
export const method =
  <A>(read: (params: ReadonlyArray<unknown>) => Read<A>, run: (node: Node, params: A) => Read<unknown>): Method =>
  (node, params) =>
    Either.flatMap(read(params), (decoded) => run(node, decoded))

/** The Agave release of LiteSVM 1.5.0's runtime. */
export const API_VERSION = "4.2.0"

/**
 * LiteSVM 1.5.0 activates all features of its Agave version. No real cluster has this number; clients interpret 0 as
 * unknown.
 */
export const FEATURE_SET = 4_200_000_000

/** A reply with its bank as context. */
export const contextual = (bank: Bank, value: unknown): unknown => ({
  context: { slot: bank.slot, apiVersion: API_VERSION },
  value
})
