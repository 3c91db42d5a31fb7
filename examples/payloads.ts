#!/usr/bin/env node
/**
 * A payload server: `npx pod-payloads --port 8080 --dir payloads --token s3cret`.
 *
 * It serves until SIGINT or SIGTERM, and stores the payloads in the folder.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { InvalidInput } from "@pod-protocol/effect/InvalidInput"
import * as PayloadServerNode from "@pod-protocol/effect/layers/PayloadServerNode"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Arguments from "./arguments.js"

const USAGE = `Usage: pod-payloads --dir FOLDER [options]

  --dir FOLDER     folder of the payloads; it is made if it does not exist
  --sqlite         keep them in one SQLite file in the folder instead of one file each
  --port N         port (default 8080; 0 for any free one)
  --host ADDRESS   address to listen on (default 127.0.0.1)
  --token TOKEN    a token that clients must have, one for each owner; may be repeated. Other users of this machine can
                   read it from the list of processes: POD_PAYLOAD_TOKEN is safer
  --public-reads   reading needs no token
  --allow-origin O web pages that may use it; * for all; may be repeated
  --public-metrics everybody may read /metrics. POD_PAYLOAD_METRICS_TOKEN sets a token for it instead
  --max-bytes N    bytes of one payload (default 16777216)
  --quota N        bytes that one owner may keep (default 1073741824)
  --help           this text`

const readArguments = Effect.gen(function* () {
  const values = yield* Arguments.parse({
    dir: { type: "string" },
    sqlite: { type: "boolean", default: false },
    port: { type: "string", default: "8080" },
    host: { type: "string", default: "127.0.0.1" },
    token: { type: "string", multiple: true, default: [] },
    "public-reads": { type: "boolean", default: false },
    "public-metrics": { type: "boolean", default: false },
    "allow-origin": { type: "string", multiple: true, default: [] },
    "max-bytes": { type: "string" },
    quota: { type: "string" },
    help: { type: "boolean", default: false }
  })
  if (values.help) return undefined
  if (values.dir === undefined) return yield* new InvalidInput({ field: "--dir", rule: "must name a folder" })
  const fromEnvironment = process.env["POD_PAYLOAD_TOKEN"] ?? ""
  const metricsToken = process.env["POD_PAYLOAD_METRICS_TOKEN"] ?? ""
  return {
    directory: values.dir,
    storage: values.sqlite ? ("sqlite" as const) : ("files" as const),
    port: yield* Arguments.wholeNumber("--port", values.port),
    host: values.host,
    tokens: fromEnvironment === "" ? values.token : [...values.token, fromEnvironment],
    publicReads: values["public-reads"],
    metrics:
      metricsToken === "" ? (values["public-metrics"] ? ("public" as const) : undefined) : Redacted.make(metricsToken),
    allowOrigins: values["allow-origin"],
    maxBytes:
      values["max-bytes"] === undefined ? undefined : yield* Arguments.wholeNumber("--max-bytes", values["max-bytes"]),
    quota: values.quota === undefined ? undefined : yield* Arguments.wholeNumber("--quota", values.quota)
  }
})

const run = (options: PayloadServerNode.ServeOptions | undefined) =>
  options === undefined
    ? Console.log(USAGE)
    : Effect.gen(function* () {
        const { url } = yield* PayloadServerNode.serve(options)
        yield* Console.log(`Payloads   ${url}`)
        if (options.tokens?.length === 0) {
          yield* Console.log("Access     everybody who can reach the port, because no token is set")
        }
        return yield* Effect.never
      }).pipe(Effect.scoped)

readArguments.pipe(
  Effect.flatMap(run),
  Effect.tapError((error) => Console.error(`payloads: ${error.message}`)),
  Effect.tapDefect((defect) => Effect.logFatal("payloads died", defect)),
  NodeRuntime.runMain({ disableErrorReporting: true })
)
