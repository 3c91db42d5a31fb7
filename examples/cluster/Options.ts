/** What the example is asked for, and what it reports. */
import type * as Wallet from "@pod-protocol/effect/services/Wallet"
import type * as Child from "./Child.js"

export interface Options {
  readonly runners: number
  readonly agents: number
  readonly sends: number
  /** How many runners are killed on the way. */
  readonly kill: number
  /** How many runners are ended on the way as a deployment ends them, one after the other. */
  readonly end: number
  /** How often the database crashes and starts again on the way. */
  readonly restart: number
  /** Seconds for which a runner is stopped on the way, as a machine that is paused. None with 0. */
  readonly stop: number
  /** Sends in flight. */
  readonly concurrency: number
  /** Over SQLite, even if there is Postgres. */
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
  /** The longest time after a kill until all agents of the killed runner answered. */
  readonly failoverMillis: number
  /** The longest time after a runner was told to end until all its agents answered. */
  readonly handOverMillis: number
  /** Asks that failed, of which each was repeated. */
  readonly failedAsks: number
}

/** What the run was, as the processes saw it. */
export type Observed = Pick<Report, "aliveTwice" | "failedAsks" | "failoverMillis" | "handOverMillis">

/** Where the processes find the chain. */
export interface Chain {
  readonly url: string
  readonly payloads: string
  readonly wallets: ReadonlyArray<Wallet.Service>
}
