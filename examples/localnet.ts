#!/usr/bin/env node
/**
 * A local cluster with the PoD program: `npx pod-localnet --port 8899`.
 *
 * It serves until SIGINT or SIGTERM and keeps nothing.
 */
import { parseArgs } from "node:util"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { InvalidInput } from "@pod-protocol/effect/InvalidInput"
import * as EmbeddedCluster from "@pod-protocol/effect/layers/EmbeddedCluster"
import * as Server from "@pod-protocol/effect/layers/EmbeddedServer"
import { PROGRAM_ID } from "@pod-protocol/effect/protocol/Program"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"

const USAGE = `Usage: pod-localnet [options]

  --port N         HTTP port, WebSocket is the next one (default 8899; 0 for any free pair)
  --host ADDRESS   address to listen on (default 127.0.0.1)
  --allow-origin O web pages that may use it, beside those of this machine; * for all; may be repeated
  --block-mode M   instant: a block for each transaction (default); interval: a block each slot
  --slot-ms N      length of a slot in milliseconds (default 400); implies --block-mode interval
  --help           this text`

interface Arguments {
  readonly help: boolean
  readonly serve: Server.ServeOptions
  readonly cluster: EmbeddedCluster.Options
}

const readArguments = Effect.gen(function* () {
  const { values } = yield* Effect.try({
    try: () =>
      parseArgs({
        options: {
          port: { type: "string", default: "8899" },
          host: { type: "string", default: "127.0.0.1" },
          "allow-origin": { type: "string", multiple: true, default: [] },
          "block-mode": { type: "string" },
          "slot-ms": { type: "string" },
          help: { type: "boolean", default: false }
        }
      }),
    catch: (cause) =>
      new InvalidInput({ field: "arguments", rule: cause instanceof Error ? cause.message : String(cause) })
  })
  const slotMillis = values["slot-ms"]
  const blockMode = values["block-mode"] ?? (slotMillis === undefined ? "instant" : "interval")
  if (blockMode !== "instant" && blockMode !== "interval") {
    return yield* new InvalidInput({ field: "--block-mode", rule: "must be instant or interval" })
  }
  return {
    help: values.help,
    serve: { port: yield* readNumber("--port", values.port), host: values.host, allowOrigins: values["allow-origin"] },
    cluster:
      slotMillis === undefined ? { blockMode } : { blockMode, slotDuration: yield* readNumber("--slot-ms", slotMillis) }
  } satisfies Arguments
})

const readNumber = (field: string, text: string) =>
  /^\d{1,9}$/.test(text)
    ? Effect.succeed(Number(text))
    : Effect.fail(new InvalidInput({ field, rule: "must be a whole number" }))

const run = ({ help, serve, cluster }: Arguments) =>
  help
    ? Console.log(USAGE)
    : Effect.gen(function* () {
        const { url, wsUrl } = yield* Server.serve(serve)
        yield* Console.log(`HTTP       ${url}`)
        yield* Console.log(`WebSocket  ${wsUrl}`)
        yield* Console.log(`Program    ${PROGRAM_ID}`)
        return yield* Effect.never
      }).pipe(Effect.scoped, Effect.provide(EmbeddedCluster.layer(cluster)))

readArguments.pipe(
  Effect.flatMap(run),
  Effect.tapError((error) => Console.error(`localnet: ${error.message}`)),
  Effect.tapDefect((defect) => Effect.logFatal("localnet died", defect)),
  NodeRuntime.runMain({ disableErrorReporting: true })
)
