/** The behaviour of every interface of the embedded cluster in instant mode. */
import { layer as withLayer } from "@effect/vitest"
import type * as Layer from "effect/Layer"
import type * as RpcPool from "../../services/RpcPool.js"
import { reads } from "./conformance/reads.js"
import { subscriptions } from "./conformance/subscriptions.js"
import { transactions } from "./conformance/transactions.js"

export const suite = <E>(name: string, door: Layer.Layer<RpcPool.RpcPool, E>) =>
  withLayer(door, { excludeTestServices: true })(`conformance: ${name}`, (it) => {
    reads(it)
    transactions(it)
    subscriptions(it)
  })
