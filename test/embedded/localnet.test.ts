import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import { connect, createServer } from "node:net"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Arguments from "../../examples/localnet/arguments.js"
import * as Files from "../../examples/localnet/files.js"
import { PROGRAM_ID } from "../../src/protocol/Program.js"
import { bundled } from "../support/bundled.js"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))

const localnet = (...args: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const child = spawn(process.execPath, [bundled("examples/localnet.ts"), ...args], { cwd: ROOT })
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
      const { child, output } = yield* localnet("--port", "0", "--slot-time", "50")
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

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(path.join(tmpdir(), "pod-localnet-"))),
  (made) => Effect.sync(() => rmSync(made, { recursive: true }))
)

/** A call over HTTP; `undefined` if it failed. */
const rpc = (url: string, method: string, ...params: ReadonlyArray<unknown>) =>
  Effect.promise(async () => {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params })
    const reply: unknown = await (await fetch(url, { method: "POST", headers: JSON_TYPE, body })).json()
    return typeof reply === "object" && reply !== null && "result" in reply ? reply.result : undefined
  })

const JSON_TYPE = { "content-type": "application/json" }

it.scopedLive(
  "Given two localnets that start on one ledger, When one is killed, Then only one had it, and the next start has all",
  () =>
    Effect.gen(function* () {
      const ledger = yield* temporary
      const start = localnet("--port", "0", "--quiet", "--ledger", ledger)
      const served = ({ output }: Effect.Effect.Success<typeof start>) => /http:\/\/\S+/.exec(output.stdout)?.[0]
      const [one, two] = [yield* start, yield* start]
      const isDecided = () => [one, two].some(served) && [one, two].some(({ child }) => child.exitCode !== null)
      yield* Effect.repeat(Effect.sleep("20 millis"), { until: isDecided })
      const [winner, loser] = served(one) === undefined ? [two, one] : [one, two]
      assert.strictEqual(yield* exitCode(loser.child), 1)
      const why = `is in use by process ${winner.child.pid}: stop it, or name another folder`
      assert.strictEqual(loser.output.stderr, `localnet: the ledger folder ${ledger} ${why}\n`)
      assert.strictEqual(loser.output.stdout, "")
      const signature = yield* rpc(served(winner) ?? "", "requestAirdrop", PROGRAM_ID, 1_000_000_000)
      winner.child.kill("SIGKILL")
      const next = yield* start
      yield* Effect.repeat(Effect.sleep("20 millis"), {
        until: () => served(next) !== undefined || next.child.exitCode !== null
      })
      assert.strictEqual(next.output.stderr, "")
      assert.deepNestedInclude(yield* rpc(served(next) ?? "", "getSignatureStatuses", [signature]), {
        "value[0].err": null
      })
      next.child.kill("SIGTERM")
      assert.strictEqual(yield* exitCode(next.child), 0)
      assert.deepStrictEqual(readdirSync(ledger), ["ledger.log"])
    })
)

const run = (...args: ReadonlyArray<string>) =>
  Effect.flip(Effect.flatMap(Arguments.read(args), ({ accounts }) => Effect.forEach(accounts, Files.account)))

it.scopedLive("Given wrong arguments and files, When localnet starts, Then one line names what is wrong", () =>
  Effect.gen(function* () {
    const folder = yield* temporary
    const file = path.join(folder, "account.json")
    const account = { lamports: 5, data: ["AQI=", "base64"], owner: PROGRAM_ID, executable: false, space: 2 }
    const withFile = (text: string, address: string = PROGRAM_ID) => {
      writeFileSync(file, text)
      return Effect.map(run("--account", address, file), ({ message }) => message)
    }
    const json = (change: object, pubkey: unknown = PROGRAM_ID) =>
      JSON.stringify({ pubkey, account: { ...account, ...change } })
    assert.match(yield* withFile("{"), /is no JSON/)
    assert.match(yield* withFile("{}"), /must be the JSON that "solana account/)
    assert.match(yield* withFile(json({ lamports: -1 })), /must be the JSON that "solana account/)
    assert.match(yield* withFile(json({ owner: "me" })), /owner/)
    assert.match(yield* withFile(json({ space: 3 })), /space: is 3, but the data has 2 bytes/)
    assert.match(yield* withFile(json({ data: ["!", "base64"] })), /data/)
    assert.match(yield* withFile(json({}), "me"), /--account/)
    assert.match((yield* run("--account", "-", path.join(folder, "missing"))).message, /cannot be read/)
    for (const endless of [folder, ...(process.platform === "win32" ? [] : ["/dev/zero"])]) {
      assert.match((yield* run("--account", "-", endless)).message, /must be a file/)
    }
    truncateSync(file, 2 ** 30)
    assert.match((yield* run("--account", "-", file)).message, /must be at most 16777216 bytes/)
    assert.match((yield* run("--account", PROGRAM_ID)).message, /needs two values/)
    assert.match((yield* run("--slot-time", "fast")).message, /--slot-time.* whole number/)
    assert.match((yield* run("--genesis-time", "-1")).message, /genesis-time/)
    assert.match((yield* run("--reset")).message, /--reset.* needs --ledger/)
    assert.match((yield* run("--ledger", "")).message, /--ledger.* must name a folder/)
    assert.match((yield* run("--colour")).message, /--colour/)

    const rentEpoch = "18446744073709551615"
    writeFileSync(file, json({ rentEpoch: 0 }).replace('"rentEpoch":0', `"rentEpoch":${rentEpoch}`))
    const { accountDirs } = yield* Arguments.read(["--account-dir", folder])
    const files = yield* Effect.forEach(accountDirs, Files.accountFiles)
    const [image] = yield* Effect.forEach(files.flat(), Files.account)
    assert.deepInclude(image, { address: PROGRAM_ID, lamports: 5n, rentEpoch: BigInt(rentEpoch), owner: PROGRAM_ID })
  })
)
