import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Pod from "../../layers/Pod.js"
import * as WalletNode from "../../layers/WalletNode.js"
import * as PayloadStore from "../../services/PayloadStore.js"
import * as RpcPool from "../../services/RpcPool.js"

const METHODS = [
  "getAccountInfo",
  "getMultipleAccounts",
  "getProgramAccounts",
  "getLatestBlockhash",
  "simulateTransaction",
  "sendTransaction",
  "getSignatureStatuses"
] as const

/** The services over a pool and a store whose methods die. */
export const layer = Pod.layerServices().pipe(
  Layer.provideMerge(Layer.mergeAll(RpcPool.layerTest({}), PayloadStore.layerTest({}), WalletNode.layerGenerated))
)

/** The calls to the pool. */
export const rpcCalls = Effect.map(Effect.forEach(METHODS, RpcPool.calls), (counts) =>
  counts.reduce((sum, count) => sum + count, 0)
)
