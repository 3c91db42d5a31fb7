/** The command line of `pod-localnet`. */
import { InvalidInput } from "@pod-protocol/effect/InvalidInput"
import type * as EmbeddedCluster from "@pod-protocol/effect/layers/EmbeddedCluster"
import type * as Server from "@pod-protocol/effect/layers/EmbeddedServer"
import * as Effect from "effect/Effect"
import * as Arguments from "../arguments.js"

export const USAGE = `Usage: pod-localnet [options]

  --port N                      HTTP port, WebSocket is the next one (default 8899; 0 for any free pair)
  --host ADDRESS                address to listen on (default 127.0.0.1)
  --allow-origin ORIGIN         web pages that may use it, beside those of this machine; * for all; may be repeated
  --account ADDRESS FILE        an account of genesis, as "solana account --output json" writes it; - for the
                                address in the file; may be repeated
  --account-dir DIR             all *.json files of the folder as accounts
  --bpf-program ADDRESS FILE    a program of genesis (.so); may be repeated
  --slot-time MS                length of a slot; implies --block-mode interval. Tools that count slots (epochs, leader
                                schedules, commitment delays, blockhashes that expire in a minute) need slots that pass
  --block-mode instant|interval instant: a block for each transaction, and slots that pass while a client waits for
                                them (default); interval: a block each slot
  --genesis-time SECONDS        Unix time of genesis (default: now)
  --ledger DIR                  keep the chain in this folder across restarts (default: memory). Accounts and programs
                                of genesis count only for a new ledger
  --reset                       begin the ledger anew
  --quiet                       print the addresses only
  --help                        this text`

/** An option with two values. */
export interface Pair {
  readonly address: string
  readonly file: string
}

export interface Settings {
  readonly help: boolean
  readonly quiet: boolean
  readonly serve: Server.ServeOptions
  readonly cluster: EmbeddedCluster.Options
  readonly accounts: ReadonlyArray<Pair>
  readonly accountDirs: ReadonlyArray<string>
  readonly programs: ReadonlyArray<Pair>
}

const PAIRS = ["--account", "--bpf-program"] as const

/** Separates the options with two values from the other arguments. */
const takePairs = (args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const rest: Array<string> = []
    const pairs = { "--account": new Array<Pair>(), "--bpf-program": new Array<Pair>() }
    for (let at = 0; at < args.length; at++) {
      const arg = args[at] ?? ""
      const name = PAIRS.find((pair) => pair === arg)
      if (name === undefined) {
        rest.push(arg)
        continue
      }
      const [address, file] = args.slice(at + 1, at + 3)
      if (address === undefined || file === undefined) {
        return yield* new InvalidInput({ field: name, rule: "needs two values: ADDRESS FILE" })
      }
      pairs[name].push({ address, file })
      at += 2
    }
    return { rest, pairs }
  })

/** Reads the arguments. */
export const read = (args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const { pairs, rest } = yield* takePairs(args)
    const values = yield* Arguments.parse(
      {
        port: { type: "string", default: "8899" },
        host: { type: "string", default: "127.0.0.1" },
        "allow-origin": { type: "string", multiple: true, default: [] },
        "account-dir": { type: "string", multiple: true, default: [] },
        "block-mode": { type: "string" },
        "slot-time": { type: "string" },
        "genesis-time": { type: "string" },
        ledger: { type: "string" },
        reset: { type: "boolean", default: false },
        quiet: { type: "boolean", default: false },
        help: { type: "boolean", default: false }
      },
      rest
    )
    const { ledger, reset } = values
    const slotTime = values["slot-time"]
    const blockMode = values["block-mode"] ?? (slotTime === undefined ? "instant" : "interval")
    if (blockMode !== "instant" && blockMode !== "interval") {
      return yield* new InvalidInput({ field: "--block-mode", rule: "must be instant or interval" })
    }
    if (reset && ledger === undefined) return yield* new InvalidInput({ field: "--reset", rule: "needs --ledger DIR" })
    if (ledger === "") return yield* new InvalidInput({ field: "--ledger", rule: "must name a folder" })
    const genesisTime = values["genesis-time"]
    return {
      help: values.help,
      quiet: values.quiet,
      serve: {
        port: yield* Arguments.wholeNumber("--port", values.port),
        host: values.host,
        allowOrigins: values["allow-origin"]
      },
      cluster: {
        blockMode,
        resetLedger: reset,
        ...(ledger === undefined ? {} : { ledger }),
        ...(slotTime === undefined ? {} : { slotDuration: yield* Arguments.wholeNumber("--slot-time", slotTime) }),
        ...(genesisTime === undefined
          ? {}
          : { genesisTime: BigInt(yield* Arguments.wholeNumber("--genesis-time", genesisTime)) })
      },
      accounts: pairs["--account"],
      accountDirs: values["account-dir"],
      programs: pairs["--bpf-program"]
    } satisfies Settings
  })
