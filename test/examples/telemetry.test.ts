import { execFile } from "node:child_process"
import * as path from "node:path"
import { promisify } from "node:util"
import { expect, it } from "@effect/vitest"
import { bundled } from "../support/bundled.js"

const run = promisify(execFile)
const cwd = path.resolve(import.meta.dirname, "../..")

it("Given examples/telemetry.ts, When it runs, Then a request's trace ends with its message's confirmation", async () => {
  const { stderr, stdout } = await run(process.execPath, [bundled("examples/telemetry.ts")], { cwd })
  expect(stderr).toBe("")
  expect(stdout).toMatch(/^POST \/messages: 200$/m)
  const names = stdout.split("\n").map((line) => line.trimEnd())
  const depthOf = (name: string): number => names.find((line) => line.trim() === name)?.search(/\S/) ?? -1
  expect(depthOf("http.server POST")).toBe(2)
  expect(depthOf("Message.send")).toBe(4)
  expect(depthOf("Transactions.send")).toBe(6)
  expect(depthOf("Transactions.confirm")).toBe(8)
  expect(stdout).toMatch(/^Exported with the payload: false$/m)
  expect(stdout).toMatch(/^Exported with the token: false$/m)
}, 300_000)
