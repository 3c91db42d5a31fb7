import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { connect, createServer } from "node:net"
import { fileURLToPath } from "node:url"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { PROGRAM_ID } from "../../src/protocol/Program.js"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))

const localnet = (...args: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const child = spawn(process.execPath, ["--import", "tsx", "examples/localnet.ts", ...args], { cwd: ROOT })
      const output = { stdout: "", stderr: "" }
      child.stdout.on("data", (chunk) => (output.stdout += String(chunk)))
      child.stderr.on("data", (chunk) => (output.stderr += String(chunk)))
      return { child, output }
    }),
    ({ child }) => Effect.sync(() => child.kill("SIGKILL"))
  )

const exitCode = (child: ChildProcess) =>
  Effect.promise(async () => child.exitCode ?? Number((await once(child, "exit"))[0]))

it.scopedLive(
  "Given a running localnet, When it gets a signal, Then it exits with 0 after it printed its addresses and served calls",
  () =>
    Effect.gen(function* () {
      const { child, output } = yield* localnet("--port", "0", "--slot-ms", "50")
      yield* Effect.repeat(Effect.sleep("20 millis"), { until: () => output.stdout.includes(PROGRAM_ID) })
      const url = /http:\/\/\S+/.exec(output.stdout)?.[0] ?? ""
      const health = yield* Effect.promise(() => fetch(`${url}/health`).then((reply) => reply.text()))
      assert.strictEqual(health, "ok")
      const wsPort = Number(/ws:\/\/127\.0\.0\.1:(\d+)/.exec(output.stdout)?.[1])
      const refused = connect(wsPort, "127.0.0.1")
      refused
        .on("error", () => undefined)
        .write("GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n")
      assert.match(String(yield* Effect.promise(() => once(refused, "data"))), /^HTTP\/1\.1 400 /)
      child.kill("SIGTERM")
      assert.strictEqual(yield* exitCode(child), 0)
      assert.strictEqual(output.stderr, "")
    })
)

it.scopedLive("Given a port in use, When localnet starts there, Then it prints one line and exits with 1", () =>
  Effect.gen(function* () {
    const server = createServer().listen(0, "127.0.0.1")
    yield* Effect.addFinalizer(() => Effect.sync(() => server.close()))
    yield* Effect.promise(() => once(server, "listening"))
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    const { child, output } = yield* localnet("--port", String(port))
    assert.strictEqual(yield* exitCode(child), 1)
    assert.strictEqual(output.stderr, `localnet: port ${port} of 127.0.0.1 is taken\n`)
    assert.strictEqual(output.stdout, "")
  })
)
