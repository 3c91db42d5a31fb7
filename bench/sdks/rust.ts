/** Solana's own RPC client in Rust. It runs and measures the operations in its own process; this process forwards the plans. */
import { execFileSync, spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { peers } from "../hotpath/install.js"
import type { Contender, Job, Measured } from "./protocol.js"

const directory = join(peers, "rust-client")
const binary = join(directory, "target/release/pod-bench-client")

/** Builds the client when it is first needed. */
const built = (): void => {
  if (existsSync(binary)) return
  console.error(`building ${directory}`)
  try {
    execFileSync("cargo", ["build", "--release", "--locked"], { cwd: directory, stdio: ["ignore", "ignore", "pipe"] })
  } catch (cause) {
    throw new Error("the client in Rust was not built: is cargo on the PATH?", { cause })
  }
}

export const contender = async ({ node, operation }: Job): Promise<Contender> => {
  built()
  const child = spawn(binary, [node.url, operation], { stdio: ["pipe", "pipe", "inherit"] })
  process.on("exit", () => child.kill())
  const answers = createInterface(child.stdout)[Symbol.asyncIterator]()
  const ask = async (command: string): Promise<unknown> => {
    child.stdin.write(`${command}\n`)
    const { done, value } = await answers.next()
    if (done === true) throw new Error("the client in Rust has ended")
    return JSON.parse(value)
  }
  return {
    prepare: async (operations) => void (await ask(`prepare ${operations}`)),
    measure: async ({ first, operations }) => (await ask(`run ${first} ${operations}`)) as Measured
  }
}
