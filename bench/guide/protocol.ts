/** The messages between `bench -- guide` and its processes. */

/** An operation, over loopback to a node, or without one, on a cluster in the same process. */
export interface Job {
  readonly operation: "register" | "send" | "join" | "batch"
  readonly node?: { readonly url: string; readonly wsUrl: string }
}

/** The memory and the CPU time of an idle process. */
export interface Idle {
  readonly rssBytes: number
  /** CPU time divided by elapsed time. */
  readonly cpuShare: number
}
