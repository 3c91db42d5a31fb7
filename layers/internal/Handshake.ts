/** The texts for a WebSocket that failed to open or was closed, for both transports. */
import type { Loss } from "../../services/wire/Subscriptions.js"
import * as Causes from "./Causes.js"

/** Facts about a failed handshake. */
export interface Failure {
  /** Status of the server's reply, if it replied. */
  readonly status?: number | undefined
  /** The cause of the failure, if the server did not reply. */
  readonly cause?: unknown
}

const ADVICE: ReadonlyMap<number, string> = new Map([
  [200, "the URL does not accept WebSockets: check wsUrl"],
  [401, "the endpoint requires a key: check wsUrl and headers"],
  [403, "the key may not subscribe: check the provider's plan"],
  [404, "the server does not have this path: check wsUrl"],
  [405, "the URL does not accept WebSockets: check wsUrl"],
  [410, "the endpoint is gone: use another one"],
  [426, "the URL does not accept WebSockets: check wsUrl"],
  [429, "the endpoint's limit is reached: open fewer subscriptions"]
])

export const failed = ({ cause, status }: Failure): Loss => {
  if (status === undefined) {
    const why = Causes.explain(cause, "")
    return { reason: "Connect", detail: `the WebSocket could not be opened${why === "" ? "" : `: ${why}`}`, cause }
  }
  const advice = ADVICE.get(status)
  return {
    reason: "Connect",
    detail: `the WebSocket's handshake was refused with HTTP status ${status}${advice === undefined ? "" : `; ${advice}`}`,
    status
  }
}

export const closed = (code: number): Loss => ({ reason: "Closed", detail: `the WebSocket was closed (${code})` })
