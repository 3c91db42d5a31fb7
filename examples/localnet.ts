#!/usr/bin/env node
/**
 * A local cluster with the PoD program: `npx pod-localnet --port 8899`.
 *
 * It serves until SIGINT or SIGTERM. The chain is in memory, or in a ledger folder.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as EmbeddedCluster from "@pod-protocol/effect/layers/EmbeddedCluster"
import * as Server from "@pod-protocol/effect/layers/EmbeddedServer"
import { PROGRAM_ID } from "@pod-protocol/effect/protocol/Program"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Arguments from "./localnet/arguments.js"
import * as Files from "./localnet/files.js"
import * as Status from "./localnet/status.js"

const serve = ({ accounts, accountDirs, cluster, programs, quiet, serve }: Arguments.Settings) =>
  Effect.gen(function* () {
    const found = yield* Effect.forEach(accountDirs, Files.accountFiles)
    const files = [...accounts, ...found.flat()]
    const images = yield* Effect.forEach(files, Files.account)
    const options = { ...cluster, accounts: images, programs: yield* Effect.forEach(programs, Files.program) }
    return yield* Effect.gen(function* () {
      const { url, wsUrl } = yield* Server.serve(serve)
      yield* Console.log(`HTTP       ${url}`)
      yield* Console.log(`WebSocket  ${wsUrl}`)
      yield* Console.log(`Program    ${PROGRAM_ID}`)
      return yield* quiet ? Effect.never : Status.show
    }).pipe(Effect.provide(EmbeddedCluster.layer(options)), Effect.mapError(Files.named(files)))
  }).pipe(Effect.scoped)

Arguments.read(process.argv.slice(2)).pipe(
  Effect.flatMap((args) => (args.help ? Console.log(Arguments.USAGE) : serve(args))),
  Effect.tapError((error) => Console.error(`localnet: ${error.message}`)),
  Effect.tapDefect((defect) => Effect.logFatal("localnet died", defect)),
  NodeRuntime.runMain({ disableErrorReporting: true })
)
