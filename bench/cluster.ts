/**
 * Measures the embedded cluster in process: sending a message, listing 10,000 accounts, and the growth of both costs
 * with accounts and subscriptions. Each contender runs in its own process. Only CPU time counts.
 *
 *     npm run -s bench -- cluster [--json] [--base CHECKOUT] [name…]
 *
 * `--base` adds the same work over the sources of another checkout, with its own packages. Names select the groups whose
 * title contains one of them.
 */
import { type ChildProcess, fork } from "node:child_process"
import { existsSync } from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { build, type Plugin } from "esbuild"
import { answerOf } from "./child.js"
import type { Job } from "./cluster/contender.js"
import { type Case, measure, type Options } from "./harness.js"
import { finish, flagsOf } from "./report.js"

const ROOT = fileURLToPath(new URL("..", import.meta.url))

/** Takes the library's sources from another checkout. */
const from = (checkout: string): Plugin => ({
  name: "checkout",
  setup: ({ onResolve }) =>
    onResolve({ filter: /^\.\.\/\.\.\/(?:layers|services|src)\// }, ({ path: imported, resolveDir }) =>
      resolveDir.startsWith(path.join(ROOT, "bench"))
        ? { path: path.join(checkout, path.relative(ROOT, path.join(resolveDir, imported))).replace(/\.js$/, ".ts") }
        : undefined
    )
})

/** Bundles the contender over the sources of a checkout, and returns the file to run. */
const bundle = async (checkout: string): Promise<string> => {
  // Within the checkout, so that its own packages are found.
  const outfile = path.join(checkout, "node_modules/.cache/pod-bench/cluster.mjs")
  await build({
    entryPoints: [path.join(ROOT, "bench/cluster/contender.ts")],
    outfile,
    bundle: true,
    packages: "external",
    platform: "node",
    format: "esm",
    target: "node20",
    plugins: [from(checkout)],
    logLevel: "warning"
  })
  return outfile
}

const children = new Set<ChildProcess>()

const start = async (name: string, file: string, job: Job): Promise<Case> => {
  const env = { ...process.env, BENCH_PROGRAM: path.join(ROOT, "program/pod_com.so") }
  const child = fork(file, [JSON.stringify(job)], { env })
  children.add(child)
  const operations = Number(await answerOf(child))
  const time = async (calls: number): Promise<number> => {
    child.send(calls)
    return Number(await answerOf(child))
  }
  return { name, operations, time }
}

interface Group {
  readonly title: string
  readonly jobs: Readonly<Record<string, Job>>
  /** Whether to run the first job over the other checkout too, and twice here to show the noise. */
  readonly compared?: boolean
  readonly options?: Options
}

const send: Job = { kind: "send" }
const list: Job = { kind: "list", accounts: 10_000 }

/**
 * Milliseconds of CPU until V8 has compiled a send: about 5000 messages. Below that, the first case looks faster than
 * the others, because as the base it has twice the rounds.
 */
const SEND_WARM_MILLIS = 5000

const GROWTH = [1000, 10_000, 100_000]
const SUBSCRIPTIONS = [1, 10, 100, 1000]

const groups: ReadonlyArray<Group> = [
  {
    title: "Message.send, 20 at once",
    compared: true,
    jobs: {
      now: send,
      "8 transactions a block": { ...send, cluster: { transactionsPerBlock: 8 } },
      "signatures not verified": { ...send, cluster: { verifySignatures: false } },
      "litesvm by hand": { kind: "raw" }
    },
    options: { roundMillis: 60, rounds: 15, warmMillis: SEND_WARM_MILLIS }
  },
  {
    title: "sendTransaction of a signed message",
    compared: true,
    jobs: {
      now: { kind: "submit" },
      "8 transactions a block": { kind: "submit", cluster: { transactionsPerBlock: 8 } },
      "signatures not verified": { kind: "submit", cluster: { verifySignatures: false } },
      both: { kind: "submit", cluster: { transactionsPerBlock: 8, verifySignatures: false } },
      "without preflight": { kind: "submit", preflight: false },
      "litesvm by hand": { kind: "raw" }
    },
    options: { roundMillis: 60, rounds: 15, warmMillis: 1000 }
  },
  {
    title: "Message.send without preflight, 20 at once",
    compared: true,
    jobs: { now: { ...send, preflight: false }, "litesvm by hand": { kind: "raw", preflight: false } },
    options: { roundMillis: 60, rounds: 15, warmMillis: SEND_WARM_MILLIS }
  },
  {
    title: "getProgramAccounts of 10,000 accounts",
    compared: true,
    jobs: {
      now: list,
      "nothing matches": { ...list, filtered: true },
      "after a write, nothing matches": { ...list, filtered: true, writes: true }
    },
    options: { roundMillis: 100, rounds: 9, warmMillis: 600 }
  },
  {
    title: "Message.send by accounts of the program",
    jobs: Object.fromEntries(GROWTH.map((accounts) => [accounts.toLocaleString("en"), { ...send, accounts }])),
    options: { roundMillis: 60, rounds: 9, warmMillis: SEND_WARM_MILLIS }
  },
  {
    title: "Message.send by subscriptions",
    jobs: Object.fromEntries(
      SUBSCRIPTIONS.map((subscriptions) => [subscriptions.toLocaleString("en"), { ...send, subscriptions }])
    ),
    options: { roundMillis: 60, rounds: 9, warmMillis: SEND_WARM_MILLIS }
  }
]

const casesOf = async ({ compared = false, jobs }: Group, here: string, base: string | undefined) => {
  const cases: Array<Case> = []
  for (const [name, job] of Object.entries(jobs)) {
    cases.push(await start(name, here, job))
    if (!compared || cases.length > 1) continue
    cases.push(await start("now, again", here, job))
    if (base !== undefined) cases.push(await start("base", base, job))
  }
  return cases
}

export const run = async (args: ReadonlyArray<string>): Promise<void> => {
  const at = args.indexOf("--base")
  const checkout = at === -1 ? undefined : path.resolve(args[at + 1] ?? "")
  if (checkout !== undefined && !existsSync(path.join(checkout, "layers"))) {
    console.error(`--base: ${checkout} is not a checkout of this repository`)
    process.exitCode = 1
    return
  }
  const { names } = flagsOf(args.filter((word, index) => word !== "--base" && (at === -1 || index !== at + 1)))
  const here = await bundle(ROOT)
  const base = checkout === undefined ? undefined : await bundle(checkout)
  const reports = []
  for (const group of groups) {
    if (names.length > 0 && !names.some((name) => group.title.includes(name))) continue
    const report = await measure(group.title, await casesOf(group, here, base), group.options)
    for (const child of children) if (child.connected) child.disconnect()
    children.clear()
    reports.push(report)
  }
  await finish(reports, flagsOf(args))
}
