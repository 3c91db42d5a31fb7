/**
 * The client in Rust. Its process reads the work of each round from standard input and answers with the CPU time.
 */
import { strict as assert } from "node:assert"
import { execFileSync, spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { ed25519 } from "@noble/curves/ed25519.js"
import * as Base64 from "../../src/solana/Base64.js"
import * as Wire from "../../src/solana/Wire.js"
import { sender, sure } from "./fixtures.js"
import { peers } from "./install.js"
import { wireOf } from "./ours.js"

/** Milliseconds of CPU for a number of messages. */
export type Timed = (messages: number) => Promise<number>

export interface Rust {
  readonly alone: Timed
  /** As `send`, with eight messages in a transaction. */
  readonly packed: Timed
  /** The transaction in base64, with these payloads to the first recipients. */
  readonly wire: (blockhash: string, payloads: ReadonlyArray<Uint8Array>) => Promise<string>
}

const directory = join(peers, "rust")
const binary = join(directory, "target/release/pod-bench-peer")

const isBuilt = (): boolean => {
  try {
    if (!existsSync(binary)) {
      console.error(`building ${directory}`)
      execFileSync("cargo", ["build", "--release", "--locked"], { cwd: directory, stdio: "ignore" })
    }
    return true
  } catch {
    return false
  }
}

/** Starts the process, if cargo or the binary exists. */
const start = (): Rust | undefined => {
  if (!isBuilt()) return undefined
  const child = spawn(binary, { stdio: ["pipe", "pipe", "inherit"] })
  process.on("exit", () => child.kill())
  const answers = createInterface(child.stdout)[Symbol.asyncIterator]()
  const ask = async (...words: ReadonlyArray<string | number>): Promise<string> => {
    child.stdin.write(`${words.join(" ")}\n`)
    const { done, value } = await answers.next()
    if (done === true) throw new Error("the client in Rust has ended")
    return value
  }
  const timed =
    (command: string): Timed =>
    async (messages) =>
      Number(await ask(command, messages)) / 1000
  return {
    alone: timed("alone"),
    packed: timed("packed"),
    wire: (blockhash, payloads) =>
      ask("wire", blockhash, ...payloads.map((payload) => Buffer.from(payload).toString("hex")))
  }
}

/** A transaction without its account order. Kit orders accounts by their text, Rust by their bytes. */
const unordered = (wire: string) => {
  const bytes = sure(Base64.decode(wire))
  const { message, messageBytes, signatures } = sure(Wire.decode(bytes))
  const { staticAccounts: accounts, ...rest } = message
  return {
    ...rest,
    size: bytes.length,
    accounts: accounts.toSorted(),
    instructions: message.instructions.map(({ accountIndices, data, programIndex }) => ({
      program: accounts[programIndex],
      accounts: Array.from(accountIndices, (index) => accounts[index]),
      data
    })),
    isSigned: signatures.map((signature) => ed25519.verify(signature, messageBytes, sender.wallet))
  }
}

/** The client, after a check that its transactions equal ours, single and packed. */
export const checked = async (): Promise<Rust | undefined> => {
  const rust = start()
  if (rust === undefined) return undefined
  for (const count of [1, 8]) {
    const payloads = Array.from({ length: count }, (_, index) => Uint8Array.of(count, index))
    const ours = unordered(await wireOf(payloads))
    const theirs = unordered(await rust.wire(ours.blockhash, payloads))
    assert.deepStrictEqual(theirs, ours)
    assert.deepStrictEqual(ours.isSigned, [true])
  }
  return rust
}
