/** What can go wrong between a client and a node, and how often. */
export interface Faults {
  /** Milliseconds that a call waits before it is forwarded: uniform from 0 to this. */
  readonly latency: number
  /** The socket dies before the call reaches the node. */
  readonly dropBefore: number
  /** The node executes the call, and the socket dies before the answer. */
  readonly dropAfter: number
  /** The node gets the call twice. */
  readonly duplicate: number
  /** The socket dies in the middle of the answer. */
  readonly cutBody: number
  /** 429 with a `Retry-After` of some milliseconds up to a second. */
  readonly rateLimitWithDate: number
  /** 429 that says nothing. */
  readonly rateLimit: number
  /** 500, 502, 503 or 504. */
  readonly serverError: number
  /** A proxy's page instead of an answer, with status 200. */
  readonly html: number
  /** JSON that ends too early, with a correct length. */
  readonly truncatedJson: number
  /** An answer to another question. */
  readonly wrongId: number
  /** A read is answered as it was some calls ago. */
  readonly stale: number
  /** `sendTransaction` answers with the signature and forwards nothing. */
  readonly swallow: number
  /** A WebSocket stops hearing and saying anything, and stays open. */
  readonly silentDeath: number
  /** A WebSocket is cut. */
  readonly cutSocket: number
  /** A notification is lost. */
  readonly loseNotification: number
  /** A notification comes twice. */
  readonly repeatNotification: number
  /** A notification comes after the next one. */
  readonly reorderNotification: number
}

/** A network on which nothing goes wrong. */
export const none: Faults = {
  latency: 0,
  dropBefore: 0,
  dropAfter: 0,
  duplicate: 0,
  cutBody: 0,
  rateLimitWithDate: 0,
  rateLimit: 0,
  serverError: 0,
  html: 0,
  truncatedJson: 0,
  wrongId: 0,
  stale: 0,
  swallow: 0,
  silentDeath: 0,
  cutSocket: 0,
  loseNotification: 0,
  repeatNotification: 0,
  reorderNotification: 0
}

/** A network on which everything goes wrong at once: about two calls of five meet a fault. */
export const all: Faults = {
  latency: 30,
  dropBefore: 0.04,
  dropAfter: 0.04,
  duplicate: 0.04,
  cutBody: 0.03,
  rateLimitWithDate: 0.02,
  rateLimit: 0.03,
  serverError: 0.04,
  html: 0.02,
  truncatedJson: 0.02,
  wrongId: 0.02,
  stale: 0.1,
  swallow: 0.2,
  silentDeath: 0.01,
  cutSocket: 0.02,
  loseNotification: 0.1,
  repeatNotification: 0.1,
  reorderNotification: 0.1
}

/** The faults named, as they are in `all`; `all` and `none` stand for themselves. */
export const named = (names: ReadonlyArray<string>): Faults =>
  names.includes("all")
    ? all
    : { ...none, ...Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name))) }
