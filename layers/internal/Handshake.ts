/**
 * The texts of a WebSocket that was not opened, or is no more, over either transport.
 */
import type { Loss } from "../../services/wire/Subscriptions.js"

/** What is known of a failed handshake. */
interface Failure {
  /** Status of the server's answer, if it answered. */
  readonly status?: number | undefined
  readonly detail?: string | undefined
  readonly cause?: unknown
}

const ADVICE: ReadonlyMap<number, string> = new Map([
  [200, "the URL is not that of a WebSocket: check wsUrl"],
  [401, "the endpoint wants a key: check wsUrl and headers"],
  [403, "the key may not subscribe: check the provider's plan"],
  [404, "there is nothing at this path: check wsUrl"],
  [405, "the URL is not that of a WebSocket: check wsUrl"],
  [410, "the endpoint is gone: use another one"],
  [426, "the URL is not that of a WebSocket: check wsUrl"],
  [429, "the endpoint's limit is reached"]
])

export const failed = ({ cause, detail, status }: Failure): Loss => {
  if (status === undefined) {
    const why = detail === undefined || detail === "" ? "" : `: ${detail}`
    return { reason: "Connect", detail: `the WebSocket could not be opened${why}`, cause }
  }
  const advice = ADVICE.get(status)
  return {
    reason: "Connect",
    detail: `the WebSocket's handshake was refused with HTTP status ${status}${advice === undefined ? "" : `; ${advice}`}`,
    status
  }
}

export const closed = (code: number): Loss => ({ reason: "Closed", detail: `the WebSocket was closed (${code})` })
