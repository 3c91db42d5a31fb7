/** The options that several endpoints share. */
import type * as RpcPoolUndici from "../RpcPoolUndici.js"

/** Copies the options that stand beside `endpoints` into each endpoint. The endpoint's own options win. */
export const spread = <O extends RpcPoolUndici.EndpointsOptions | RpcPoolUndici.Options>(options: O): O => {
  if (!("endpoints" in options)) return options
  const { endpoints, ...shared } = options
  return { ...options, endpoints: endpoints.map((endpoint) => ({ ...shared, ...endpoint })) }
}
