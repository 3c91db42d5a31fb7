/** What `bench -- guide` and its processes tell each other. */

/** An operation, over loopback or, without a node, on a cluster in the same process. */
export interface Job {
  readonly operation: "register" | "send" | "join" | "batch"
  readonly node?: { readonly url: string; readonly wsUrl: string }
}

/** What a process takes while it waits. */
export interface Idle {
  readonly rssBytes: number
  /** CPU time by time. */
  readonly cpuShare: number
}
