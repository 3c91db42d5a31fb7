/** The options and the report of the example. */
import type * as Wallet from "@pod-protocol/effect/services/Wallet"
import type * as Child from "./Child.js"

export interface Options {
  readonly runners: number
  readonly agents: number
  readonly sends: number
  /** Number of runners to kill. */
  readonly kill: number
  /** Number of runners to end with SIGTERM, one after another, as in a deployment. */
  readonly end: number
  /** Number of crashes of the database. It starts again after each. */
  readonly restart: number
  /** Seconds for which one runner is stopped (SIGSTOP), like a paused machine. 0: none is stopped. */
  readonly stop: number
  /** Sends in flight. */
  readonly concurrency: number
  /** Uses SQLite even if Postgres is available. */
  readonly sqlite: boolean
  readonly launch: Child.Launch
}

export interface Report {
  readonly database: "postgres" | "sqlite"
  readonly sends: number
  readonly landedOnce: number
  readonly landedTwice: number
  readonly lost: number
  readonly aliveTwice: number
  /** The longest time after a kill until all agents of the killed runner answered from another. */
  readonly failoverMillis: number
  /** The longest time from a SIGTERM until all agents of the ended runner answered from another. */
  readonly handOverMillis: number
  /** Failed asks. Each was repeated. */
  readonly failedAsks: number
}

/** The part of the report that the processes observed. */
export type Observed = Pick<Report, "aliveTwice" | "failedAsks" | "failoverMillis" | "handOverMillis">

/** The chain's addresses for the processes. */
export interface Chain {
  readonly url: string
  readonly payloads: string
  readonly wallets: ReadonlyArray<Wallet.Service>
}
