/** Options that stand beside a list of endpoints. */
import type * as RpcPoolUndici from "../RpcPoolUndici.js"

/** Gives them to each endpoint, whose own ones win. */
export const spread = <O extends RpcPoolUndici.EndpointsOptions | RpcPoolUndici.Options>(options: O): O => {
  if (!("endpoints" in options)) return options
  const { endpoints, ...shared } = options
  return { ...options, endpoints: endpoints.map((endpoint) => ({ ...shared, ...endpoint })) }
}
