/**
 * A database for the example: the one at `DATABASE_URL`, which should be empty. Otherwise, if `postgres` is on the
 * PATH, a new Postgres in a temporary folder.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process"
import { accessSync, chownSync, constants, mkdtempSync, realpathSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { promisify } from "node:util"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { ProcessError } from "./ProcessError.js"

const run = promisify(execFile)

/** Postgres refuses to run as root. Root runs it as the user "nobody". */
const NOBODY = 65_534
const user = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}

/** The folder of Postgres' executables. */
const programs: Effect.Effect<Option.Option<string>> = Effect.sync(() => {
  for (const folder of (process.env["PATH"] ?? "").split(path.delimiter)) {
    const file = path.join(folder, "postgres")
    try {
      accessSync(file, constants.X_OK)
      return Option.some(path.dirname(realpathSync(file)))
    } catch {
      continue
    }
  }
  return Option.none()
})

/** A port that was free a moment ago. */
export const freePort: Effect.Effect<number> = Effect.async((resume) => {
  const server = createServer()
  server.listen(0, "127.0.0.1", () => {
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    server.close(() => resume(Effect.succeed(port)))
  })
})

const folder = Effect.acquireRelease(
  Effect.sync(() => {
    const made = mkdtempSync(path.join(tmpdir(), "pod-postgres-"))
    if (user.uid !== undefined) chownSync(made, user.uid, user.gid)
    return made
  }),
  (made) => Effect.sync(() => rmSync(made, { recursive: true, force: true }))
)

export interface Database {
  readonly url: string
  /** Crashes the server and starts it again. `None` for the server of `DATABASE_URL`. */
  readonly restart: Option.Option<Effect.Effect<void, ProcessError>>
}

const SETTINGS = ["fsync=off", "max_connections=200", "unix_socket_directories="].flatMap((each) => ["-c", each])

const ended = (server: ChildProcess) =>
  Effect.async<void>((resume) => {
    if (server.exitCode !== null || server.signalCode !== null) return resume(Effect.void)
    server.once("exit", () => resume(Effect.void))
    server.kill("SIGQUIT")
  })

const start = (bin: string): Effect.Effect<Database, ProcessError, Scope.Scope> =>
  Effect.gen(function* () {
    const directory = path.join(yield* folder, "data")
    const port = yield* freePort
    const initdb = ["-D", directory, "-U", "pod", "-A", "trust", "-E", "UTF8", "--no-sync"]
    yield* Effect.tryPromise({
      try: () => run(path.join(bin, "initdb"), initdb, user),
      catch: (cause) => new ProcessError({ message: "initdb failed", cause })
    })
    const launch = () =>
      spawn(path.join(bin, "postgres"), ["-D", directory, "-p", `${port}`, "-h", "127.0.0.1", ...SETTINGS], {
        ...user,
        stdio: "ignore"
      })
    let server = launch()
    yield* Effect.addFinalizer(() => Effect.suspend(() => ended(server)))
    const isReady = Effect.tryPromise({
      try: () => run(path.join(bin, "pg_isready"), ["-h", "127.0.0.1", "-p", `${port}`, "-U", "pod"]),
      catch: (cause) => new ProcessError({ message: "Postgres did not start", cause })
    })
    const ready = Effect.asVoid(Effect.retry(isReady, { schedule: Schedule.spaced("200 millis"), times: 150 }))
    yield* ready
    const restart = Effect.suspend(() => ended(server)).pipe(
      Effect.zipRight(Effect.sync(() => (server = launch()))),
      Effect.zipRight(ready)
    )
    return { url: `postgres://pod@127.0.0.1:${port}/postgres`, restart: Option.some(restart) }
  })

/** The database. `None` if there is none. */
export const database: Effect.Effect<Option.Option<Database>, ProcessError, Scope.Scope> = Effect.gen(function* () {
  const url = process.env["DATABASE_URL"] ?? ""
  if (url !== "") return Option.some({ url, restart: Option.none() })
  const bin = yield* programs
  return Option.isNone(bin) ? Option.none() : Option.some(yield* start(bin.value))
})
