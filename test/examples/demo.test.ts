import { type ChildProcess, execFile, spawn } from "node:child_process"
import { once } from "node:events"
import { createServer } from "node:net"
import * as path from "node:path"
import { createInterface } from "node:readline"
import { promisify } from "node:util"
import { describe, expect, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { bundled } from "../support/bundled.js"

const run = promisify(execFile)
const cwd = path.resolve(import.meta.dirname, "../..")
const node = (script: string, ...args: ReadonlyArray<string>) => [bundled(`examples/${script}`), ...args]

const demo = (...args: ReadonlyArray<string>): Promise<string> =>
  run(process.execPath, node("demo/main.ts", ...args), { cwd }).then(({ stdout }) => stdout)

/** What differs from run to run, beside addresses, signatures and hashes. */
const VARYING = ["millis", "cluster", "slot", "asOf"]

/** The document without what differs from run to run. */
const story = (document: string): unknown =>
  JSON.parse(document, (key, value: unknown) => {
    if (VARYING.includes(key)) return undefined
    return typeof value === "string" && /^([1-9A-HJ-NP-Za-km-z]{32,88}|[0-9a-f]{64})$/.test(value) ? "…" : value
  })

const decodeEvents = Schema.decodeUnknownSync(
  Schema.parseJson(
    Schema.Struct({
      events: Schema.Array(
        Schema.Struct({
          event: Schema.String,
          by: Schema.String,
          signature: Schema.String.pipe(Schema.minLength(64)),
          slot: Schema.BigInt,
          path: Schema.String.pipe(Schema.pattern(/^\d+$/))
        })
      )
    })
  )
)

const localnet = async (): Promise<{ readonly process: ChildProcess; readonly url: string }> => {
  const child = spawn(process.execPath, node("localnet.ts", "--port", "0"), {
    cwd,
    stdio: ["ignore", "pipe", "inherit"]
  })
  for await (const line of createInterface(child.stdout)) {
    const url = /http:\S+/.exec(line)?.[0]
    if (url !== undefined) return { process: child, url }
  }
  throw new Error("the localnet ended before it served")
}

/** Milliseconds for processes that each load the whole package from its sources. */
const TIMEOUT = 300_000

describe("the demo", { timeout: TIMEOUT }, () => {
  it("Given a cluster in process or over a socket, When the demo runs with --json, Then both print the same document", async () => {
    // Given a localnet in another process
    const { process: server, url } = await localnet()
    // When the demo runs on the embedded cluster, and on that one over HTTP and WebSocket
    const [embedded, served] = await Promise.all([demo("--json"), demo("--json", "--url", url)])
    // Then both say the same
    expect(story(served)).toEqual(story(embedded))
    expect(story(embedded)).toMatchObject({
      ok: true,
      agents: [{ name: "Ada", capabilities: "7" }, { name: "Bo" }, { name: "Cy" }],
      messages: [{ type: "Text", status: "Read", payload: "Hello Bo, shall we talk?" }, { type: "Custom(7)" }],
      channels: [
        { name: "council", visibility: "Private", messages: [{ replyTo: null }, { replyTo: "…" }, { replyTo: null }] },
        { name: "lectures", participants: [{ active: true }, { active: false }] }
      ],
      escrows: [{ amount: "0" }],
      discovery: {
        agents: [
          { name: "Ada", capabilities: ["TRADING", "ANALYSIS", "DATA_PROCESSING"] },
          { name: "Cy", capabilities: ["TRADING", "ANALYSIS"] }
        ],
        messages: [{ content: "What will the lecture be on?" }],
        similar: [{ name: "Cy" }, { name: "Bo" }]
      },
      refusals: [
        { name: "AlreadyRegistered", code: 0 },
        { name: "Unauthorized", code: 6001 },
        { error: "InvalidInput", code: null },
        { name: "PrivateChannelRequiresInvitation", code: 6013 }
      ]
    })
    // And every event of the story is in it, in the order of the chain
    const { events } = decodeEvents(embedded)
    expect(events.map(({ by, event }) => `${by} ${event}`)).toEqual([
      "Ada AgentRegistered",
      "Bo AgentRegistered",
      "Cy AgentRegistered",
      "Ada MessageSent",
      "Bo MessageStatusChanged",
      "Bo MessageStatusChanged",
      "Bo MessageSent",
      "Ada ChannelCreated",
      "Ada Invited",
      "Bo ChannelJoined",
      "Ada MessageBroadcast",
      "Bo MessageBroadcast",
      "Ada MessageBroadcast",
      "Bo ChannelCreated",
      "Cy EscrowDeposited",
      "Cy ChannelJoined",
      "Cy MessageBroadcast",
      "Cy EscrowWithdrawn",
      "Ada AgentUpdated",
      "Ada ChannelUpdated",
      "Cy ChannelLeft"
    ])
    const slots = events.map(({ slot }) => slot)
    expect(slots).toEqual(slots.toSorted((a, b) => Number(a - b)))
    expect(new Set(events.map(({ path, signature }) => `${signature} ${path}`)).size).toBe(events.length)
    // And the localnet ends well when it is told to
    server.kill("SIGTERM")
    expect(await once(server, "exit")).toEqual([0, null])
  })

  it("Given a pipe as output, When the demo runs, Then it prints plain text without colours", async () => {
    const output = await demo()
    expect(output).not.toContain("\u001B[")
    // And it tells of the events and of a search
    expect(output).toMatch(/^ {2}┊ Ada {3}AgentRegistered +slot \d+ +\w{16}…$/m)
    expect(output).toMatch(/^ {2}✓ Who trades and analyses\? Ada, Cy$/m)
  })

  it("Given no cluster, When the demo runs with --json, Then it fails with one JSON document", async () => {
    const failure = await demo("--json", "--url", "http://127.0.0.1:1").then(
      () => "",
      (error: unknown) => (error instanceof Error && "stdout" in error ? String(error.stdout) : "")
    )
    expect(JSON.parse(failure)).toMatchObject({ ok: false })
  })

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143]
  ] as const)("Given %s, When it runs, Then it says so and exits with %i, in both forms", async (signal, code) => {
    const ended = async (...args: ReadonlyArray<string>) => {
      // An endpoint that accepts and never answers
      const server = createServer(() => undefined)
      server.listen(0, "127.0.0.1")
      await once(server, "listening")
      const address = server.address()
      const port = typeof address === "object" ? address?.port : 0
      const child = spawn(process.execPath, node("demo/main.ts", "--url", `http://127.0.0.1:${port}`, ...args), { cwd })
      let output = ""
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes) => (output += String(bytes)))
      const [socket] = await once(server, "connection")
      child.kill(signal)
      const exit: ReadonlyArray<unknown> = await once(child, "close")
      socket.destroy()
      server.close()
      return { exit, output }
    }
    const plain = await ended()
    expect(plain.exit).toEqual([code, null])
    expect(plain.output).toContain(`interrupted by ${signal}`)
    const json = await ended("--json")
    expect(json.exit).toEqual([code, null])
    expect(JSON.parse(json.output)).toMatchObject({ ok: false, error: expect.stringContaining(signal) })
  })

  it("Given a reader that closes the pipe, When the demo prints more, Then it ends without an error message", async () => {
    const child = spawn(process.execPath, node("demo/main.ts"), { cwd, stdio: ["ignore", "pipe", "pipe"] })
    let errors = ""
    child.stderr.on("data", (bytes) => (errors += String(bytes)))
    await once(child.stdout, "data")
    child.stdout.destroy()
    await once(child, "close")
    expect(errors).toBe("")
  })
})
