import * as Either from "effect/Either"
import { InvalidInput } from "../../src/InvalidInput.js"

/** The faults between a client and its nodes. Unless stated otherwise, a field is a probability. */
export interface Faults {
  /** Milliseconds of latency for each call. */
  readonly latency: number
  /** Additional milliseconds of latency, uniform from 0 to this. */
  readonly jitter: number
  /** The socket is closed before the call reaches the node. */
  readonly dropBefore: number
  /** The node executes the call, and the socket is closed before the answer. */
  readonly dropAfter: number
  /** The node gets an accepted call a second time, up to a second later. */
  readonly duplicate: number
  /** The socket is closed in the middle of the answer. */
  readonly cutBody: number
  /** 429 without `Retry-After`. */
  readonly rateLimit: number
  /** 429 with `Retry-After`, in seconds or as a date. */
  readonly retryAfter: number
  /** 500, 502, 503 or 504; half of them after the node has executed the call. */
  readonly serverError: number
  /** A proxy's page instead of the answer, with status 200. */
  readonly html: number
  /** JSON that ends too early, with a correct length. */
  readonly truncatedJson: number
  /** The answer to another call. */
  readonly wrongId: number
  /** The answer to a read is 32 slots old. */
  readonly stale: number
  /** Share of the endpoints that are 32 slots behind in all their replies. */
  readonly lag: number
  /** A transaction is answered with its signature but not forwarded. */
  readonly swallow: number
  /** A transaction is answered with its signature, and reaches the node up to a second later. */
  readonly late: number
  /** The share by which a blockhash's life (150 blocks) is shortened. */
  readonly expiry: number
  /** A WebSocket passes no further messages but stays open. */
  readonly silentDeath: number
  /** A WebSocket is cut. */
  readonly cutSocket: number
  /** A notification is lost. */
  readonly loseNotification: number
  /** A notification comes twice. */
  readonly repeatNotification: number
  /** A notification comes after the next one. */
  readonly reorderNotification: number
  /** The first of several endpoints lies. A minority's lie must have no effect. */
  readonly lies: number
}

/** All faults together: about every second call meets one. */
export const all: Faults = {
  latency: 5,
  jitter: 30,
  dropBefore: 0.04,
  dropAfter: 0.04,
  duplicate: 0.05,
  cutBody: 0.03,
  rateLimit: 0.005,
  retryAfter: 0.001,
  serverError: 0.04,
  html: 0.02,
  truncatedJson: 0.02,
  wrongId: 0.02,
  stale: 0.1,
  lag: 0.34,
  swallow: 0.2,
  late: 0.05,
  expiry: 0.5,
  silentDeath: 0.002,
  cutSocket: 0.01,
  loseNotification: 0.1,
  repeatNotification: 0.1,
  reorderNotification: 0.1,
  lies: 0.1
}

/** A network without faults. */
export const none: Faults = {
  latency: 0,
  jitter: 0,
  dropBefore: 0,
  dropAfter: 0,
  duplicate: 0,
  cutBody: 0,
  rateLimit: 0,
  retryAfter: 0,
  serverError: 0,
  html: 0,
  truncatedJson: 0,
  wrongId: 0,
  stale: 0,
  lag: 0,
  swallow: 0,
  late: 0,
  expiry: 0,
  silentDeath: 0,
  cutSocket: 0,
  loseNotification: 0,
  repeatNotification: 0,
  reorderNotification: 0,
  lies: 0
}

export const names: ReadonlyArray<string> = Object.keys(all)

/** Only the faults with these names, with their values in `all`. `all` and `none` are names too. */
export const named = (wanted: ReadonlyArray<string>): Either.Either<Faults, InvalidInput> => {
  const unknown = wanted.find((name) => name !== "all" && name !== "none" && !names.includes(name))
  if (unknown !== undefined) {
    const rule = `must be all, none, or some of ${names.join(", ")}`
    return Either.left(new InvalidInput({ field: "faults", rule: `${rule}; ${unknown} is none of them` }))
  }
  const chosen = Object.entries(all).filter(([name]) => wanted.includes("all") || wanted.includes(name))
  return Either.right({ ...none, ...Object.fromEntries(chosen) })
}
