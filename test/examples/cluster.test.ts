import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Cluster from "../../examples/cluster/Cluster.js"
import * as Postgres from "../../examples/cluster/Postgres.js"
import { bundled } from "../support/bundled.js"

const launch: Cluster.Options["launch"] = (script) => [bundled(`examples/cluster/${script}.ts`)]

const options = { runners: 3, agents: 3, sends: 20, kill: 1, end: 0, restart: 0, stop: 0, concurrency: 64, launch }

/** Several runners over Postgres take a minute of CPU: `npm run cluster` has them, and this test where it is asked for. */
const isAsked = process.env["CLUSTER_TEST"] === "1"

const once = { sends: 20, landedOnce: 20, landedTwice: 0, lost: 0, aliveTwice: 0 }

describe("examples/cluster", () => {
  it.live("Given a runner over SQLite, When it is killed while it sends, Then each message is on the chain once", () =>
    Effect.gen(function* () {
      expect(yield* Cluster.run({ ...options, sqlite: true })).toMatchObject({ database: "sqlite", ...once })
    })
  )

  it.scopedLive(
    "Given three runners over Postgres, When one is killed, Then each message is on the chain once",
    ({ skip }) =>
      Effect.gen(function* () {
        if (!isAsked) return skip("CLUSTER_TEST=1 runs it")
        if (Option.isNone(yield* Postgres.database)) return skip("there is no postgres on the PATH and no DATABASE_URL")
        expect(yield* Cluster.run({ ...options, sqlite: false })).toMatchObject({ database: "postgres", ...once })
      })
  )
})
