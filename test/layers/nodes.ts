import type { ServerResponse } from "node:http"
import * as Redacted from "effect/Redacted"
import type { WebSocket } from "ws"
import type * as RpcPoolUndici from "../../layers/RpcPoolUndici.js"
import { SYSTEM_PROGRAM } from "../../src/solana/Address.js"
import { answer, serve } from "./RpcPoolUndiciServer.js"
import type { Request, Server } from "./RpcPoolUndiciServer.js"

export const GENESIS = SYSTEM_PROGRAM

/** A node that knows its cluster and its slot; all else as told. */
export const node = (
  own: {
    readonly genesis?: string
    readonly slot?: number
    readonly onRequest?: (request: Request, response: ServerResponse) => void
    readonly onSocket?: (socket: WebSocket) => void
  } = {}
) =>
  serve({
    ...own,
    onRequest: (request, response) => {
      const method = request.calls[0]?.method
      if (method === "getGenesisHash") return answer(request, response, own.genesis ?? GENESIS)
      if (method === "getSlot") return answer(request, response, own.slot ?? 100)
      if (own.onRequest !== undefined) return own.onRequest(request, response)
      answer(request, response, 1)
    }
  })

export const endpoint = ({ url, wsUrl }: Server, options: Partial<RpcPoolUndici.EndpointOptions> = {}) => ({
  url: Redacted.make(`${url}/?api-key=SECRET`),
  wsUrl: Redacted.make(wsUrl),
  ...options
})

export const host = ({ port }: Server) => `127.0.0.1:${port}`

export const asked = (server: Server, method: string) =>
  server.requests.filter(({ calls: [call] }) => call?.method === method)
