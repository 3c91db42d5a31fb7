import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Base58 from "../../src/solana/Base58.js"
import { bundled } from "../support/bundled.js"
import { receiver } from "../support/otlpReceiver.js"

const run = promisify(execFile)

const KEY = "S3CR3T-query-k3y"

/** The ways in which bytes are written. */
const formsOf = (bytes: Uint8Array): ReadonlyArray<string> => [
  Buffer.from(bytes).toString("latin1"),
  Base58.encode(bytes),
  Buffer.from(bytes).toString("hex"),
  Buffer.from(bytes).toString("base64").replace(/=+$/, ""),
  bytes.join(",")
]

const Said = Schema.parseJson(
  Schema.Struct({ secret: Schema.String, payloads: Schema.Array(Schema.String), scraped: Schema.String })
)

it.scopedLive(
  "Given the demo on a node with a key in its URL, When all is exported, Then no secret is in any byte",
  () =>
    Effect.gen(function* () {
      const collector = yield* receiver()
      const { stdout } = yield* Effect.promise(() =>
        run(process.execPath, [bundled("test/support/otlpDemoChild.ts"), collector.url, KEY], {
          maxBuffer: 64 * 1024 * 1024
        })
      )
      const said = Schema.decodeSync(Said)(stdout.trim().split("\n").at(-1) ?? "")
      const exported = collector.raw().toString("latin1") + said.scraped
      expect(collector.spans().length).toBeGreaterThan(100)
      expect(collector.logs()).not.toEqual([])
      expect(said.scraped).toContain("pod_messages_sent_total")

      const payloads = said.payloads.filter(({ length }) => length > 8)
      expect(payloads.length).toBeGreaterThan(3)
      const secret = Uint8Array.from(Buffer.from(said.secret, "hex"))
      const secrets = [secret, secret.subarray(0, 32), ...payloads.map((text) => new TextEncoder().encode(text))]
      for (const form of [KEY, "api-key", ...payloads, ...secrets.flatMap(formsOf)])
        expect(exported).not.toContain(form)
    }),
  300_000
)
