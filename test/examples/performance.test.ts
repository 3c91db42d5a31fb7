import { execFile, spawn } from "node:child_process"
import { once } from "node:events"
import * as path from "node:path"
import { createInterface } from "node:readline"
import { promisify } from "node:util"
import { describe, expect, it } from "@effect/vitest"
import { bundled } from "../support/bundled.js"

const run = promisify(execFile)
const cwd = path.resolve(import.meta.dirname, "../..")
const node = (...args: ReadonlyArray<string>) => [bundled("examples/performance_test.ts"), ...args]

describe("examples/performance_test.ts", { timeout: 300_000 }, () => {
  it("Given a pipe, When the load has run, Then plain lines tell how far it was, and a report what it took", async () => {
    const { stderr, stdout } = await run(process.execPath, node("--operations", "40", "--agents", "3"), { cwd })
    expect(stderr).toBe("")
    expect(stdout).not.toContain("\u001b")
    expect(stdout).toMatch(/^3 agents are registered$/m)
    expect(stdout).toMatch(/^█{24} 40\/40 {2}\d+ operations\/s {2}0 failed {2}[\d.]+ s$/m)
    expect(stdout).toMatch(/^Message\.send +20 +0 +0 /m)
    expect(stdout).toMatch(/^Message\.sendAll +2 +0 +0 /m)
    expect(stdout).toMatch(/^Agent\.update +4 +0 +0 /m)
  })

  it("Given a load that would go on for long, When it is interrupted, Then the report is of what was done", async () => {
    const child = spawn(process.execPath, node("--operations", "1000000"), {
      cwd,
      stdio: ["ignore", "pipe", "inherit"]
    })
    const ended = once(child, "exit")
    const lines: Array<string> = []
    for await (const line of createInterface(child.stdout)) {
      lines.push(line)
      if (/\/1000000 /.test(line) && !child.killed) child.kill("SIGINT")
    }
    expect((await ended)[0]).toBe(130)
    expect(lines.join("\n")).toMatch(/^Over /m)
  })

  it("Given a number that is none, When it starts, Then it names the option and does nothing", async () => {
    const ended = run(process.execPath, node("--operations", "x"), { cwd })
    await expect(ended).rejects.toMatchObject({
      code: 1,
      stdout: "",
      stderr: "--operations: must be a whole number from 1 to 1000000\n"
    })
  })
})
