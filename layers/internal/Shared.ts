/** Options beside a list of endpoints. */
import type * as RpcPoolUndici from "../RpcPoolUndici.js"

/** Makes them the defaults of each endpoint. */
export const spread = <O extends RpcPoolUndici.EndpointsOptions | RpcPoolUndici.Options>(options: O): O => {
  if (!("endpoints" in options)) return options
  const { endpoints, ...shared } = options
  return { ...options, endpoints: endpoints.map((endpoint) => ({ ...shared, ...endpoint })) }
}
