/** The errors of a cluster. */
import * as Schema from "effect/Schema"
import * as StoreFailure from "../../services/internal/storeFailure.js"
import * as Outside from "../../src/internal/Outside.js"
import { printable } from "../../src/internal/printable.js"
import * as SafeText from "../../src/SafeText.js"

/**
 * The cluster refused to start, or did not answer.
 *
 * - `Shards`: the database was made for another `shardsPerGroup`. An agent would be in two places.
 * - `Locks`: other live runners of the database have other settings of shard locks. An agent could be on two of them.
 * - `Sqlite`: several runners would share an SQLite database, which fails under concurrent writes.
 * - `Locked`: another process has the SQLite file open.
 * - `MissingPackage`: the runtime lacks `node:sqlite`, and the optional package is not installed.
 * - `Listen`: the runner cannot listen on its address.
 * - `Storage`: the database failed; `cause` has the error.
 * - `Timeout`: no answer came in time. The send may still happen. A send with the same `id` returns its receipt.
 * - `Defect`: the agent's wallet, or other code on its runner, threw `cause`.
 *
 * @since 0.1.0
 * @category errors
 */
export class AgentClusterError extends printable(
  Schema.TaggedError<AgentClusterError>("@pod-protocol/effect/AgentClusterError")("AgentClusterError", {
    reason: Schema.Literal(
      "Shards",
      "Locks",
      "Sqlite",
      "Locked",
      "MissingPackage",
      "Listen",
      "Storage",
      "Timeout",
      "Defect"
    ),
    /** The failure, if the reason does not state it. */
    detail: Schema.optional(SafeText.Schema()),
    cause: Schema.optional(Outside.Cause)
  })
) {
  /** True for `Storage`, `Timeout` and `Locked`: the others need a change of settings. */
  get isRetryable(): boolean {
    return this.reason === "Storage" || this.reason === "Timeout" || this.reason === "Locked"
  }

  override get message(): string {
    switch (this.reason) {
      case "Shards":
        return `The database was made for another shardsPerGroup: ${this.detail ?? "use its number, or another database"}`
      case "Locks":
        return `Runners of this database have other locks: ${this.detail ?? "give all runners the same settings"}`
      case "Sqlite":
        return "SQLite cannot be shared by runners: use Postgres or MySQL, or layerSingle for one runner"
      case "Locked":
        return "Another process has the SQLite file open: end it first, or use Postgres for several runners"
      case "MissingPackage":
        return "This runtime has no node:sqlite. Install @photostructure/sqlite 1.2.1, or use Node.js 22.13 or later"
      case "Listen":
        return `The runner cannot listen on ${this.detail ?? "its address"}: use a free port of this machine`
      case "Storage":
        return `The cluster's database failed: ${StoreFailure.explain(this.cause)}`
      case "Timeout":
        return `${this.detail ?? "No answer came in time"}: ask again with the same id, which never sends twice`
      case "Defect":
        return "The agent's runner threw the cause: fix it, and ask again with the same id"
    }
  }
}
